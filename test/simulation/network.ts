import { Refusal } from '../../src/domain/refusals.ts';
import type { Concord } from '../../src/service/concord.ts';
import type { Dice } from './dice.ts';
import type { SimulatedNode } from './node.ts';
import type { World } from './world.ts';

/** How long a client waits for an answer, in milliseconds. */
const PATIENCE_MS = 3_000;

/** A token that is good for nothing. */
export class Unauthenticated extends Error {
  override name = 'Unauthenticated';
}

export type Reply<T> =
  | { readonly kind: 'DONE'; readonly value: T }
  | { readonly kind: 'REFUSED'; readonly refusal: Refusal }
  | { readonly kind: 'UNAUTHENTICATED' }
  | { readonly kind: 'LOST' };

/** A request as a node serves it. */
export interface Request<T> {
  readonly node: SimulatedNode;
  readonly from: string;
  readonly what: string;
  readonly dice: Dice;
  /** What the node does. It may run twice, or not at all. */
  readonly serve: (concord: Concord) => Promise<T>;
}

/** Brings requests to nodes and answers back, or not, or twice, or late. */
export function request<T>(world: World, given: Request<T>): Promise<Reply<T>> {
  const { scheduler, weather, story } = world;
  const { node, from, what, dice } = given;
  story.tell(from, `${what} → ${node.name}`);
  return new Promise((resolve) => {
    const stop = scheduler.after(PATIENCE_MS, () => {
      story.tell(from, `${what}: no answer`);
      resolve({ kind: 'LOST' });
    });
    const back = (reply: Reply<T>) => {
      if (dice.chance(weather.rates.answerLost)) return;
      scheduler.after(weather.networkDelay(dice), () => {
        stop();
        resolve(reply);
      });
    };
    if (!dice.chance(weather.rates.requestLost)) {
      scheduler.after(weather.networkDelay(dice), () => arrive(world, given, back));
    }
    if (dice.chance(weather.rates.requestTwice)) {
      scheduler.after(weather.networkDelay(dice), () => arrive(world, given, back));
    }
  });
}

function arrive<T>(world: World, { node, from, what, serve }: Request<T>, back: (reply: Reply<T>) => void) {
  if (!node.isUp) return;
  const { life, concord } = node;
  const end = (reply: Reply<T>, told: string) => {
    world.story.tell(node.name, `to ${from}: ${what}: ${told}`);
    back(reply);
  };
  life.deliver(0, () => {
    serve(concord).then(
      (value) => end({ kind: 'DONE', value }, 'done'),
      (error: unknown) => {
        if (error instanceof Refusal) end({ kind: 'REFUSED', refusal: error }, error.code);
        else if (error instanceof Unauthenticated) end({ kind: 'UNAUTHENTICATED' }, 'not let in');
        else world.scheduler.fail(error);
      },
    );
  });
}
