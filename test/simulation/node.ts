import { Refusal } from '../../src/domain/refusals.ts';
import type { Store } from '../../src/journal/port.ts';
import type { ClusterOptions } from '../../src/service/cluster.ts';
import { Concord } from '../../src/service/concord.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { takeSnapshot } from '../../src/service/snapshots.ts';
import { Connection } from './connection.ts';
import { Life, type Machine } from './life.ts';
import { SimulatedLink } from './link.ts';
import { Violation } from './story.ts';
import { strategiesOf } from './strategies.ts';
import type { World } from './world.ts';

/** How often what has run out is let go. */
const SWEEP_MS = 2_000;
/** How often it might take a snapshot. */
const SNAPSHOT_MS = 9_000;

/**
 * A node: a whole `Concord` over its own connection to the store, with its own clock, timers and randomness. It may
 * stand still, have its clock set, die, and be started again, with nothing but what the store has.
 *
 * In most runs nodes have leases, and pass commands on to the one that holds the project's; in the others they compete
 * by the conditional append alone.
 */
export class SimulatedNode {
  readonly name: string;
  readonly #world: World;
  readonly #machine: Machine = { offset: 0, stalledUntil: 0 };
  readonly #dice;
  #life: Life | null = null;
  #concord: Concord | null = null;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    this.#dice = world.dice.fork(name);
  }

  get isUp(): boolean {
    return this.#life !== null;
  }

  get life(): Life {
    if (this.#life === null) throw new Error(`${this.name} is down`);
    return this.#life;
  }

  get concord(): Concord {
    if (this.#concord === null) throw new Error(`${this.name} is down`);
    return this.#concord;
  }

  start(): void {
    const { scheduler, weather, backend, story, bug } = this.#world;
    const life = new Life(this.#machine, scheduler, this.#dice);
    const tell = (text: string) => story.tell(this.name, text);
    const connection = new Connection({ backend, life, scheduler, weather, dice: this.#dice, tell });
    const store: Store = bug?.store?.(connection, life) ?? connection;
    const strategies = strategiesOf(() => life.pause(this.#dice.between(1, 800)));
    const cluster: ClusterOptions | null = this.#world.hasLeases
      ? { link: new SimulatedLink(this.#world, life, this.name), address: this.name, onTrouble: tell }
      : null;
    const concord = new Concord(store, strategies, life, null, undefined, cluster);
    bug?.concord?.(concord);
    this.#life = life;
    this.#concord = concord;
    tell('starts');
    this.#again(life, SWEEP_MS, () => this.#sweep(concord));
    this.#again(life, SNAPSHOT_MS, () => this.#takeSnapshot(store, life));
  }

  die(): void {
    if (this.#life === null) return;
    this.#world.story.tell(this.name, 'dies');
    this.#concord = null;
    const life = this.#life;
    this.#life = null;
    life.end();
  }

  stall(ms: number): void {
    this.#world.story.tell(this.name, `stands still for ${ms} ms`);
    this.#machine.stalledUntil = this.#world.scheduler.now + ms;
  }

  setClock(ms: number): void {
    this.#world.story.tell(this.name, `its clock jumps by ${ms} ms`);
    this.#machine.offset += ms;
  }

  /** Hears of no other node any more. */
  rest(): void {
    this.#concord?.following.close();
    void this.#concord?.cluster?.nodes.close();
  }

  /** As another thread of the process would, with the store alone. */
  async #takeSnapshot(store: Store, life: Life): Promise<void> {
    if (!this.#dice.chance(this.#world.weather.rates.snapshots)) return;
    const tell = (text: string) => this.#world.story.tell(this.name, text);
    try {
      const taken = await takeSnapshot(store, this.#world.projectId, PROJECT_KIND, {
        now: () => life.now(),
        pause: () => life.pause(this.#dice.between(0, 5)),
        onUselessSnapshot: (problem) =>
          this.#world.scheduler.fail(
            new Violation(`${this.name} finds a snapshot of no use: ${problem}`, [this.name]),
          ),
      });
      if (taken !== null) tell(`takes a snapshot at commit ${taken.seq}`);
    } catch (error) {
      this.#mustBeTrouble(error);
    }
  }

  async #sweep(concord: Concord): Promise<void> {
    try {
      await concord.sweep();
    } catch (error) {
      for (const failure of (error as AggregateError).errors ?? [error]) this.#mustBeTrouble(failure);
    }
  }

  /** The store may be in trouble now and then; anything else is a fault. */
  #mustBeTrouble(error: unknown): void {
    const isTrouble =
      (error instanceof Refusal && error.code.startsWith('STORE_')) ||
      (error instanceof Error && error.name.startsWith('Store'));
    if (!isTrouble) this.#world.scheduler.fail(error);
  }

  /** Does something now and then, for as long as the process lives and the run goes on. */
  #again(life: Life, ms: number, act: () => Promise<void>): void {
    const next = () => {
      life.deliver(this.#dice.between(ms / 2, ms * 2), async () => {
        if (this.#world.isEnding) return;
        await act();
        next();
      });
    };
    next();
  }
}
