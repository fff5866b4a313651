import { MessageChannel } from 'node:worker_threads';

/**
 * Waits for a later turn of the event loop, in which all that the turns before left behind has come up: jobs,
 * and promises that were rejected and that nobody has caught.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.once('message', () => {
      port1.close();
      resolve();
    });
    port2.postMessage(null);
  });
}
