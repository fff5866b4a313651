import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '@concord/sdk/client';
import { connectDriver } from '@concord/sdk/driver';
import { chunksNamed, type ProjectEvent } from '../../src/domain/events.ts';
import { readManifest } from '../../src/service/snapshotFormat.ts';
import { runConcord, ServiceProcess, type StartOptions } from '../http/serviceProcess.ts';
import { until } from '../http/waiting.ts';
import type { Build } from './build.ts';
import { withStore } from './damage.ts';
import { dataOf, localId } from './scene.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');
const LABELS = ['cat', 'dog'];
/** Samples of a part of the import: three blocks of payloads, of 256 at most. */
export const SAMPLES = 600;
/** Answers that were given. */
export const ANSWERS = 40;

/**
 * A store that was in use: one part of samples, a prediction run, an open round, some answers, and a snapshot of it all.
 * It is made once; what is damaged, and served by the built service, is a copy.
 */
export class UsedStore {
  /** The copy that is to be damaged. */
  readonly path: string;
  /** The project's journal. */
  journal = '';
  /** Chunks by what they hold, in the order of the journal. */
  readonly chunks = { payloads: [] as string[], predictions: [] as string[], snapshot: [] as string[] };
  project = '';
  readonly #build: Build;
  readonly #folder: string;
  #annotator = '';
  #service: ServiceProcess | null = null;

  private constructor(build: Build, folder: string) {
    this.#build = build;
    this.#folder = folder;
    this.path = join(folder, 'copy');
  }

  static async make(build: Build, folder: string): Promise<UsedStore> {
    const store = new UsedStore(build, folder);
    await store.#use();
    await store.stop();
    await cp(store.path, join(folder, 'sound'), { recursive: true });
    await store.#learnChunks();
    return store;
  }

  /** Makes the copy anew. */
  async copy(): Promise<void> {
    await rm(this.path, { recursive: true });
    await cp(join(this.#folder, 'sound'), this.path, { recursive: true });
  }

  /** The data file of the copy. */
  get data(): string {
    return join(this.path, 'concord.mdb');
  }

  async serve(more?: StartOptions): Promise<ServiceProcess> {
    this.#service = await ServiceProcess.ready(this.#options(more));
    return this.#service;
  }

  async stop(): Promise<void> {
    await this.#service?.end();
    this.#service = null;
  }

  /** Starts the service, which is to end by itself. */
  serveInVain(more?: StartOptions): ReturnType<typeof runConcord> {
    return runConcord(this.#options(more));
  }

  verify(): ReturnType<typeof runConcord> {
    return runConcord({ cli: this.#build.cli, args: ['verify', '--store', this.path] });
  }

  /** A client of the owner's of the service that runs, which tries each call once. */
  get client(): Client {
    return createClient({ ...this.#address, token: OWNER });
  }

  importPart(part: number, size = 1) {
    const samples = Array.from({ length: SAMPLES }, (_, i) => {
      const key = `${part * SAMPLES + i}`;
      return { key, data: dataOf(key).repeat(size) };
    });
    return this.client.importSamples({ project: this.project, importId: 'all', part, samples });
  }

  /** Publishes predictions for the first part. */
  async publish(): Promise<void> {
    const keys = Array.from({ length: SAMPLES }, (_, i) => `${i}`);
    const probabilities = Float32Array.from(keys.flatMap(() => [0.7, 0.3]));
    const driver = await connectDriver({ ...this.#address, token: OWNER }).project(this.project);
    await driver.publishPredictions({ model: 'model', keys, probabilities });
  }

  /** Gives so many answers as the annotator. */
  async label(count: number): Promise<void> {
    const annotator = createClient({ ...this.#address, token: this.#annotator });
    let { assignments } = await annotator.claim({ project: this.project, hold: 2 });
    for (let i = 0; i < count; i++) {
      const [{ id } = { id: '' }] = assignments;
      ({ assignments } = (await annotator.submit({ assignment: id, label: 'cat', hold: 2 })).queue);
    }
  }

  /** Another project, to see that it can be used. */
  async createOther(): Promise<string> {
    return (await this.client.createProject({ name: 'Other', labels: LABELS, seed: 1 })).id;
  }

  async #use(): Promise<void> {
    const running = await this.serve();
    this.project = (await this.client.createProject({ name: 'Used', labels: LABELS, seed: 1 })).id;
    this.journal = localId(this.project, 'Project');
    await this.importPart(0);
    await this.publish();
    const { client, project } = this;
    await client.openRound({ project, size: 100, strategy: 'random', seed: 1 });
    const { token } = await client.addMember({ project, name: 'Ada', role: 'ANNOTATOR' });
    this.#annotator = token;
    const before = snapshotsTaken(running);
    await this.label(ANSWERS);
    await until('a snapshot stands', () => snapshotsTaken(running) > before);
  }

  #learnChunks(): Promise<void> {
    return withStore(this.path, async (store) => {
      for await (const { events } of store.read(this.journal, 0)) {
        for (const event of events as unknown as ProjectEvent[]) {
          const { payloads, predictions } = this.chunks;
          (event.type === 'samplesImported' ? payloads : predictions).push(...chunksNamed(event));
        }
      }
      const manifest = await readManifest(store, this.journal);
      this.chunks.snapshot.push(...(manifest?.parts ?? []).flatMap((part) => part.chunks));
    });
  }

  get #address() {
    return { url: `${this.#service?.url}/graphql`, retry: { attempts: 1 } };
  }

  #options(more: StartOptions = {}): StartOptions {
    const args = ['--store', this.path, '--port', '0'];
    return { cli: this.#build.cli, args, env: { CONCORD_OWNER_TOKEN: OWNER }, ...more };
  }
}

export function snapshotsTaken({ log }: ServiceProcess): number {
  return log.split('"snapshot taken"').length - 1;
}
