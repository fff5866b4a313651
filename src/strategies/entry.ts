import { fileURLToPath } from 'node:url';
import { compile } from './compile.ts';

const bundled = new Map<string, Promise<URL>>();

/** The entry point of a worker, as it was built; run from sources, which workers cannot load, it is bundled first. */
export async function workerEntry(name: 'worker' | 'checkWorker'): Promise<URL> {
  if (!import.meta.url.endsWith('.ts')) return new URL(`./${name}.js`, import.meta.url);
  const known = bundled.get(name);
  if (known !== undefined) return known;
  const entry = compile(fileURLToPath(new URL(`./${name}.ts`, import.meta.url))).then(
    ({ code }) => new URL(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`),
  );
  bundled.set(name, entry);
  return entry;
}
