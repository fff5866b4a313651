import { randomBytes } from 'node:crypto';
import { connectDriver } from '@concord/sdk/driver';
import { freePort } from '../scale/freePort.ts';
import { Server } from '../scale/server.ts';
import { CLASSES, samples } from '../scale/workload.ts';
import { StoreServer } from './storeServer.ts';
import type { Person } from './tasks.ts';

const secret = () => randomBytes(32).toString('base64url');

/** A project, and who works in it. */
export interface BenchProject {
  readonly id: string;
  /** The tokens of its annotators. */
  readonly tokens: readonly string[];
}

/** Processor time in seconds, and commands, since the start. */
export interface Counts {
  /** Of each node. */
  readonly nodes: readonly number[];
  readonly store: number | null;
  readonly forwarded: number;
}

/** Nodes, each the built service in a process of its own, over one store. */
export class BenchCluster {
  readonly nodes: Server[] = [];
  readonly store: StoreServer;
  readonly owner = secret();
  readonly #secret = secret();
  readonly #database = `concord_bench_${process.pid}_${Date.now()}`;
  readonly #profiles: string | null;

  private constructor(store: StoreServer, profiles: string | null) {
    this.store = store;
    this.#profiles = profiles;
  }

  static async start(nodes: number, profiles: string | null): Promise<BenchCluster> {
    const cluster = new BenchCluster(await StoreServer.open(), profiles);
    // The first enters the owner; the others find it.
    for (let i = 0; i < nodes; i++) await cluster.add(i);
    return cluster;
  }

  /** Starts a node, in a place that is new or whose node has ended. */
  async add(place: number): Promise<void> {
    this.nodes[place] = await Server.start(this.store.url(this.#database), this.owner, this.#profiles, {
      args: ['--node-address', `127.0.0.1:${await freePort()}`],
      env: { CONCORD_CLUSTER_SECRET: this.#secret },
    });
  }

  node(place: number): Server {
    return this.nodes[place % this.nodes.length] as Server;
  }

  /** A project with samples and annotators, which the node at a place decides. */
  async project(place: number, size: number, people: number): Promise<BenchProject> {
    const driver = connectDriver({ url: this.node(place).url, token: this.owner });
    const project = await driver.createProject({
      name: 'bench',
      labels: [...CLASSES],
      seed: 7,
      policy: { workSessionMinutes: 0, withoutRound: 'POOL' },
    });
    await project.importSamples([...samples(0, size)], { importId: 'bench' });
    const tokens: string[] = [];
    for (let i = 0; i < people; i++) {
      const person = { name: `annotator ${i}`, role: 'ANNOTATOR', kind: 'PERSON' } as const;
      tokens.push((await project.addMember(person)).token);
    }
    return { id: project.id, tokens };
  }

  /** The annotators of a project, at the nodes that `place` says, by their own places in it. */
  people({ id, tokens }: BenchProject, place: (person: number) => number): Person[] {
    return tokens.map((token, i) => ({ url: this.node(place(i)).url, token, project: id }));
  }

  async counts(): Promise<Counts> {
    return {
      nodes: await Promise.all(this.nodes.map((node) => node.processorSeconds())),
      store: await this.store.processorSeconds(),
      forwarded: (await Promise.all(this.nodes.map(forwardedBy))).reduce((sum, some) => sum + some, 0),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.store.stop(this.#database);
  }
}

/** How many commands a node has sent to others. */
async function forwardedBy({ url }: Server): Promise<number> {
  const page = await (await fetch(new URL('/metrics', url))).text();
  return Number(/^concord_forwarded_total\{how="sent"\} (\d+)/m.exec(page)?.[1] ?? Number.NaN);
}
