import { Refusal } from '../../src/domain/refusals.ts';
import type { ProjectAccess } from '../../src/service/access.ts';
import type { Concord } from '../../src/service/concord.ts';
import type { Dice } from './dice.ts';
import { Errand, type Sight } from './ledger.ts';
import { type Reply, request, Unauthenticated } from './network.ts';
import type { SimulatedNode } from './node.ts';
import type { Person, World } from './world.ts';

/** How often a client sends a command that it has heard nothing of. */
const TRIES = 4;

/** How a client's command is run at a node, and what its answer shows of the project. */
export interface Command<T> {
  readonly run: (access: ProjectAccess, concord: Concord) => Promise<T>;
  readonly sight?: (value: T) => Pick<Sight, 'seq' | 'seen' | 'look'>;
}

/** What annotators and drivers have in common: they send commands, and send them again if they hear nothing. */
export abstract class Client {
  readonly name: string;
  readonly person: Person;
  protected readonly world: World;
  protected readonly dice: Dice;
  readonly #actions: number;
  #usual: SimulatedNode;

  constructor(world: World, name: string, person: Person, actions: number) {
    this.world = world;
    this.name = name;
    this.person = person;
    this.dice = world.dice.fork(name);
    this.#actions = actions;
    this.#usual = this.dice.pick(world.nodes);
  }

  /** Does its share of the run. */
  async live(): Promise<void> {
    for (let i = 0; i < this.#actions; i++) {
      await this.world.scheduler.pause(this.dice.between(10, 900));
      await this.act();
    }
  }

  protected abstract act(): Promise<void>;

  /** A command as the journal may show it; see {@link Errand}. */
  protected errand(what: string, marks: ConstructorParameters<typeof Errand>[1] = {}): Errand {
    const errand = new Errand(`${this.name}'s ${what}`, marks);
    this.world.ledger.errands.push(errand);
    return errand;
  }

  /** Sends a command until its outcome is known, or patience ends. */
  protected async send<T>(what: string, errand: Errand, command: Command<T>): Promise<Reply<T>> {
    const { world, dice } = this;
    for (let tries = 1; ; tries++) {
      const node = world.nodeFor(dice, this.#usual);
      const serve = (concord: Concord) => this.#serve(concord, errand, command);
      const reply = await request(world, { node, from: this.name, what, dice, serve });
      const isOpen = reply.kind === 'LOST' || (reply.kind === 'REFUSED' && isTrouble(reply.refusal));
      if (!isOpen || tries === TRIES || dice.chance(0.1)) return reply;
      this.#usual = dice.pick(world.nodes);
      await world.scheduler.pause(dice.between(0, 600));
    }
  }

  async #serve<T>(concord: Concord, errand: Errand, { run, sight }: Command<T>): Promise<T> {
    // If the node dies meanwhile, nobody will ever know.
    const { endings } = errand;
    const mine = endings.push('UNKNOWN') - 1;
    try {
      const value = await run(await this.world.enter(concord, this.person), concord);
      endings[mine] = 'DONE';
      if (sight) {
        this.world.ledger.saw({ ...sight(value), atEnd: false, what: errand.what, about: errand.about });
      }
      return value;
    } catch (error) {
      if (error instanceof Unauthenticated) endings[mine] = 'UNAUTHENTICATED';
      else if (error instanceof Refusal && error.code !== 'STORE_UNAVAILABLE') endings[mine] = error.code;
      throw error;
    }
  }
}

function isTrouble({ code }: Refusal): boolean {
  return code === 'STORE_UNAVAILABLE' || code === 'STORE_FULL';
}
