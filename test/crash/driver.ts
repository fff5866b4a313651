import { type Client, NetworkError, type PredictionRun, type Progress } from '@concord/sdk/client';
import type { Project } from '../../src/domain/project.ts';
import { progressView, runViewOf } from '../../src/service/views.ts';
import type { Dice } from '../simulation/dice.ts';
import { mustEqual, Violation } from './ledger.ts';
import { clientOf, dataOf, localId, repeat, type Scene, think } from './scene.ts';

/** One that every build has. */
const STRATEGY = 'random';
const IMPORT = 'stock';
const PART_SAMPLES = 40;
const RUN_SAMPLES = 60;
const ROUND_SAMPLES = 50;
/** So many samples without a label are enough. */
const STOCK = 250;
/** The longest pause between two commands, in milliseconds. */
const THINK_MS = 15;

/** A progress as it is shown, without what a round does not change by. */
export function shownProgress({ samples, labelled, answers, round }: Progress) {
  return { samples, labelled, answers, round: round && shownRound(round) };
}

/** The same from a projection. */
export function progressIn(project: Project): ReturnType<typeof shownProgress> {
  const { samples, labelled, answers, round } = progressView(project);
  return { samples, labelled, answers, round: round && shownRound({ ...round, isOpen: !round.closedAt }) };
}

function shownRound({
  number,
  total,
  settled,
  isOpen,
}: Record<'number' | 'total' | 'settled', number> & { isOpen: boolean }) {
  return { number, total, settled, isOpen };
}

/** Imports, publishes predictions, opens and closes rounds, brings people in: one command after another. */
export class Driver {
  readonly client: Client;
  readonly #scene: Scene;
  readonly #dice: Dice;
  /** Imported so far: parts of {@link PART_SAMPLES} each. */
  #parts = 0;
  #runs = 0;
  #rounds = 0;
  readonly #newcomers: { readonly member: string; readonly token: string }[] = [];

  constructor(scene: Scene, dice: Dice, token: string) {
    this.client = clientOf(scene, token);
    this.#scene = scene;
    this.#dice = dice;
  }

  live(): Promise<void> {
    return repeat(this.#scene, () => this.#step());
  }

  async #step(): Promise<void> {
    await think(this.#dice, THINK_MS);
    const { samples, labelled, round } = await this.#progress();
    if (samples - labelled < STOCK) return this.#import(this.#parts);
    if (!round?.isOpen) return this.#openRound();
    switch (this.#dice.weighted({ publish: 5, import: 3, again: 2, close: 2, add: 2, greet: 2 })) {
      case 'publish':
        return this.#publish();
      case 'import':
        return this.#import(this.#parts);
      case 'again':
        return this.#import(this.#dice.between(0, this.#parts - 1));
      case 'close':
        return this.#close(round.id);
      case 'add':
        return this.#addPerson();
      case 'greet':
        return this.#greet();
    }
  }

  async #progress(): Promise<Progress> {
    const progress = await this.client.progress({ project: this.#scene.project });
    if (progress === null) throw new Violation('the project is not there for its owner');
    this.#scene.ledger.saw({
      what: 'the progress that was asked for',
      seq: progress.seq,
      atEnd: true,
      seen: shownProgress(progress),
      look: progressIn,
    });
    return progress;
  }

  /** Imports a part, be it for the second time, which changes nothing and gives the same receipt. */
  async #import(part: number): Promise<void> {
    const keys = Array.from({ length: PART_SAMPLES }, (_, i) => `${part}-${i}`);
    const { first, count } = await this.client.importSamples({
      project: this.#scene.project,
      importId: IMPORT,
      part,
      samples: keys.map((key) => ({ key, data: dataOf(key) })),
    });
    this.#parts = Math.max(this.#parts, part + 1);
    this.#scene.ledger.received({
      what: `part ${part} of the import`,
      told: { first, count },
      look: ({ project }) => project.imported(IMPORT, part),
    });
  }

  async #publish(): Promise<void> {
    const { project, labels, ledger } = this.#scene;
    const model = `model ${++this.#runs}`;
    const first = this.#dice.between(0, this.#parts * PART_SAMPLES - RUN_SAMPLES);
    const numbers = Uint32Array.from({ length: RUN_SAMPLES }, (_, i) => first + i);
    const rows = [...numbers].flatMap(() => this.#distribution(labels.length));
    const { receipt } = await this.client.uploadPredictions({
      project,
      classes: labels.length,
      numbers: base64(numbers),
      probabilities: base64(Float32Array.from(rows)),
    });
    const run = await this.#once(
      () => this.client.publishPredictions({ project, model, parts: [receipt] }),
      async () => {
        const current = await this.client.predictionRun({ project });
        return current?.model === model ? current : null;
      },
    );
    const shown = ({
      number,
      model,
      rows,
      accepted,
      audits,
    }: Pick<PredictionRun, 'number' | 'model' | 'rows' | 'accepted' | 'audits'>) => ({
      number,
      model,
      rows,
      accepted,
      audits,
    });
    ledger.received({
      what: `the run of ${model}`,
      told: shown(run),
      look: ({ project }) => {
        const [own, ...more] = project.runs.filter((one) => one.published.model === model);
        return own && more.length === 0 && shown(runViewOf(project, own));
      },
    });
  }

  /** A model that is sure of one sample in ten. */
  #distribution(classes: number): number[] {
    const highest = this.#dice.chance(0.1) ? 0.97 : 0.6;
    const best = this.#dice.between(0, classes - 1);
    return Array.from({ length: classes }, (_, i) => (i === best ? highest : (1 - highest) / (classes - 1)));
  }

  async #openRound(): Promise<void> {
    const { project, ledger } = this.#scene;
    const seed = ++this.#rounds;
    const { number, size } = await this.#once(
      () => this.client.openRound({ project, size: ROUND_SAMPLES, strategy: STRATEGY, seed }),
      async () => {
        const { round } = await this.#progress();
        return round?.seed === seed ? round : null;
      },
    );
    ledger.received({
      what: `the round of seed ${seed}`,
      told: [{ number, size }],
      look: ({ project: { rounds } }) =>
        rounds
          .filter(({ opened }) => opened.seed === seed)
          .map((one) => ({ number: one.number, size: one.size })),
    });
  }

  async #close(round: string): Promise<void> {
    const { number, isOpen } = await this.client.closeRound({ round });
    mustEqual('whether a round is open that was closed', isOpen, false);
    this.#scene.ledger.received({
      what: `that round ${number} was closed`,
      told: true,
      look: ({ project }) => project.rounds[number - 1]?.closed !== null,
    });
  }

  /** Not sent again: nobody could tell the first from the second. */
  async #addPerson(): Promise<void> {
    const { project, ledger } = this.#scene;
    const name = `Person ${this.#newcomers.length}`;
    try {
      const { member, token } = await this.client.addMember({ project, name, role: 'VIEWER' });
      const id = localId(member.id, 'Member');
      this.#newcomers.push({ member: id, token });
      ledger.received({
        what: `whether ${name} is a member`,
        told: true,
        look: ({ directory }) => directory.members.has(id),
      });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
    }
  }

  /** A token that was given, perhaps before a crash, lets its member in. */
  async #greet(): Promise<void> {
    if (this.#newcomers.length === 0) return;
    const { member, token } = this.#dice.pick(this.#newcomers);
    const { id } = await clientOf(this.#scene, token).viewer();
    mustEqual('whose token it is', localId(id, 'Member'), member);
  }

  /** What the client does not send twice: before it is sent again, it is looked whether it was done. */
  async #once<T>(command: () => Promise<T>, look: () => Promise<T | null>): Promise<T> {
    for (;;) {
      try {
        return await command();
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
      }
      const done = await look();
      if (done !== null) return done;
    }
  }
}

function base64({ buffer }: Uint32Array | Float32Array): string {
  return Buffer.from(buffer).toString('base64');
}
