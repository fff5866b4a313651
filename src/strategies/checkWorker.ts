/** The side of `checking.ts` that runs the plugin: an entry point for `node:worker_threads`. */
import { parentPort } from 'node:worker_threads';
import { isStrategy, type Strategy } from '@concord/sdk/strategy';
import { ContractError, conformance } from '@concord/sdk/strategy/testing';
import type { CheckInput, CheckMessage } from './checking.ts';
import { codeUrl } from './locate.ts';
import { firstLine, thrown } from './text.ts';

if (parentPort === null) throw new Error('strategies/checkWorker is run in a worker thread');
const port = parentPort;
const tell = (message: CheckMessage) => port.postMessage(message);
let loads = 0;

/** Each time anew: a module of the same address would be the same one. */
async function load(file: string, code: string): Promise<Strategy> {
  const text = `${code}\n//# sourceURL=${codeUrl(file)}\n// ${++loads}`;
  const module: { default?: unknown } = await import(
    `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  );
  if (isStrategy(module.default)) return module.default;
  throw new TypeError(
    'default' in module ? 'its default export was not made by defineStrategy' : 'it has no default export',
  );
}

function problemIn(error: unknown): string {
  return error instanceof ContractError ? firstLine(error.message) : thrown(error);
}

async function check({ file, code, parameters }: CheckInput): Promise<void> {
  let strategy: Strategy;
  try {
    strategy = await load(file, code);
  } catch (error) {
    const stack = error instanceof Error ? String(error.stack) : '';
    return tell({ kind: 'unusable', problem: thrown(error), stack });
  }
  const { name } = strategy;
  tell({ kind: 'loaded', name, mayAsk: strategy.kind === 'select' });
  const sources = await new Promise<CheckInput['others']>((resolve) => port.once('message', resolve));
  const loading = await Promise.allSettled(sources.map((one) => load(one.file, one.code)));
  const others = loading.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const reload = () => load(file, code);
  for (const { name, run } of conformance(strategy, { parameters, others, reload })) {
    tell({ kind: 'begun', name });
    const problem = await run().then(() => null, problemIn);
    tell({ kind: 'checked', name, problem });
  }
  tell({ kind: 'done' });
}

port.once('message', (input: CheckInput) => {
  void check(input).finally(() => port.close());
});
