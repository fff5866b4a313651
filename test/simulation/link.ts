import { decodeValue, encodeValue } from '../../src/journal/codec.ts';
import type { StoredValue } from '../../src/journal/port.ts';
import { type Link, UnreachedError } from '../../src/service/forwarding.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** How long a node waits for another's answer, in milliseconds. */
const PATIENCE_MS = 5_000;

/** A node's way to the others: messages may be lost, slow, and find nobody; so may answers. */
export class SimulatedLink implements Link {
  readonly #world: World;
  readonly #life: Life;
  readonly #name: string;

  constructor(world: World, life: Life, name: string) {
    this.#world = world;
    this.#life = life;
    this.#name = name;
  }

  send(address: string, message: StoredValue, signal: AbortSignal): Promise<StoredValue> {
    const { scheduler, weather, story, nodes } = this.#world;
    const dice = this.#world.linkDice;
    const { nodeRequestLost, nodeAnswerLost } = weather.rates;
    const bytes = encodeValue(message).slice();
    return new Promise((resolve, reject) => {
      const lost = () => reject(new Error('no answer'));
      const stop = this.#life.deliver(PATIENCE_MS, lost);
      signal.addEventListener('abort', () => this.#life.deliver(0, lost));
      const back = (end: () => void) =>
        scheduler.after(weather.nodeDelay(dice), () =>
          this.#life.deliver(0, () => {
            stop();
            end();
          }),
        );
      if (dice.chance(nodeRequestLost)) {
        story.tell(this.#name, `a message to ${address} is lost`);
        return;
      }
      scheduler.after(weather.nodeDelay(dice), () => {
        const node = nodes.find(({ name }) => name === address);
        if (node === undefined || !node.isUp) {
          back(() => reject(new UnreachedError(`${address} is down`)));
          return;
        }
        const { life, concord } = node;
        const { cluster } = concord;
        if (cluster === null) throw new Error(`${address} is no node of a cluster`);
        life.deliver(0, () => {
          cluster.receive(decodeValue(bytes)).then(
            (answer) => {
              const own = encodeValue(answer).slice();
              if (dice.chance(nodeAnswerLost)) story.tell(address, `its answer to ${this.#name} is lost`);
              else back(() => resolve(decodeValue(own)));
            },
            (error: unknown) => scheduler.fail(error),
          );
        });
      });
    });
  }
}
