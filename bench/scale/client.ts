import { driverTasks } from './driving.ts';
import { labellingTasks } from './labelling.ts';
import { storeTasks } from './store.ts';
import type { TaskName, Tasks } from './tasks.ts';
import { yardstickTasks } from './yardsticks.ts';

/** A client process: it does the one task that it is sent. */
const TASKS: { readonly [T in TaskName]: (input: Tasks[T]['input']) => Promise<Tasks[T]['output']> } = {
  ...driverTasks,
  ...labellingTasks,
  ...storeTasks,
  ...yardstickTasks,
};

async function perform<T extends TaskName>({ task, input }: { task: T; input: Tasks[T]['input'] }) {
  process.send?.(await TASKS[task](input));
}

process.once('message', (message) => {
  perform(message as { task: TaskName; input: never }).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
