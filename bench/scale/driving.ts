import { connectDriver } from '@concord/sdk/driver';
import type { Target, Tasks } from './tasks.ts';
import { probabilities, samples } from './workload.ts';

/** What a driver does, through the SDK and as it comes. */
export const driverTasks = {
  async import(input: Tasks['import']['input']) {
    const project = await opened(input);
    const { importId, from, to } = input;
    // Made beforehand: what is measured is the import.
    const all = [...samples(from, to)];
    return { milliseconds: await timed(() => project.importSamples(all, { importId })) };
  },

  async publish(input: Tasks['publish']['input']) {
    const project = await opened(input);
    const predictions = {
      model: 'bench',
      numbers: Uint32Array.from({ length: input.rows }, (_, i) => i),
      probabilities: probabilities(input.rows),
    };
    return { milliseconds: await timed(() => project.publishPredictions(predictions)) };
  },
};

function opened({ url, token, project }: Target) {
  return connectDriver({ url, token }).project(project);
}

/** How long something takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}
