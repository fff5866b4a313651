import type { MessagePort } from 'node:worker_threads';

/**
 * A signal that is aborted once the host wants no answer any more. Code that waits hears of it as an event, for the
 * host closes the port; code in a long loop finds it when it looks at `aborted`, for the flag is on shared memory.
 *
 * @param ending its first number is 1 from then on
 */
export function endingSignal(ending: Int32Array, port: MessagePort): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const abort = () => controller.abort(new Error('nobody wants the answer any more'));
  port.once('close', abort);
  const isEnding = () => Atomics.load(ending, 0) === 1;
  return Object.defineProperties(signal, {
    aborted: {
      get: () => {
        // The native flag is set with it, so that listeners hear of it as well.
        if (isEnding() && !aborted.call(signal)) abort();
        return aborted.call(signal);
      },
    },
    throwIfAborted: {
      value: () => {
        if (signal.aborted) throw signal.reason;
      },
    },
  });
}

const aborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')?.get as (
  this: AbortSignal,
) => boolean;
