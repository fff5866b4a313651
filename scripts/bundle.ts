import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/*
 * Bundles the built service: of some 1,200 modules, most of them small ones of libraries, a few files become. A start
 * takes half the processor time with them. What runs is `dist/bundle/http/cli.js`; `dist/src` is the same in pieces.
 *
 *   node dist/scripts/bundle.js [folder]
 *
 * The folder holds another `dist/src`, as the tests make it.
 */

const ROOT = process.argv[2] ?? fileURLToPath(new URL('../../', import.meta.url));
/** As deep as `dist/src/http`, so that what is found from there is found from here. */
const FOLDER = 'dist/bundle/http';

const { outputFiles } = await build({
  write: false,
  absWorkingDir: ROOT,
  entryPoints: [
    'dist/src/http/cli.js',
    // What the process loads and starts by the names of files: the service, and its threads.
    'dist/src/http/run.js',
    'dist/src/http/upkeepWorker.js',
    'dist/src/http/calculatorWorker.js',
    'dist/src/strategies/worker.js',
    'dist/src/strategies/checkWorker.js',
  ],
  outdir: FOLDER,
  // All of them side by side: what names a file beside itself finds it, in whichever chunk it lies.
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  // Those with machine code of their own; the driver and the logger look for optional parts when they run.
  external: ['lmdb', 'esbuild', 'mongodb', 'pino'],
  // CommonJS libraries reach Node's own modules by `require`, which an ES module lacks.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
  },
  logLevel: 'warning',
});

// What is as it was is left alone, and nothing is missing meanwhile: a service may be running from here.
const folder = join(ROOT, FOLDER);
await mkdir(folder, { recursive: true });
for (const { path, contents } of outputFiles) {
  const standing = await readFile(path).catch(() => null);
  if (standing?.equals(contents)) continue;
  await writeFile(`${path}.new`, contents);
  await rename(`${path}.new`, path);
}
const made = new Set(outputFiles.map(({ path }) => basename(path)));
for (const name of await readdir(folder)) {
  if (!made.has(name)) await rm(join(folder, name), { recursive: true, force: true });
}
