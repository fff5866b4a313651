import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Compiles sdk/kernels and writes the module where the SDK finds it, as text that bundlers pass on like any other.
 * The same sources and compiler give the same bytes on every machine.
 */
const ENTRY = 'sdk/kernels/index.ts';
const TARGET = 'sdk/src/strategy/kernels/generated/module.ts';
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
/** It warns of functions with vectors, which are called from within alone. */
const QUIET = ['--disableWarning', '112'];

const folder = await mkdtemp(join(tmpdir(), 'concord-kernels-'));
try {
  const compiled = join(folder, 'kernels.wasm');
  const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));
  const command = [compiler, ENTRY, ...OPTIONS, ...QUIET, '--outFile', compiled];
  execFileSync(process.execPath, command, { stdio: 'inherit' });
  const base64 = (await readFile(compiled)).toString('base64');
  const text = `/** Made of ${ENTRY} by \`npm run generate\`: a WebAssembly module in base64. */\nexport const MODULE =\n  '${base64}';\n`;
  await writeFile(TARGET, text);
} finally {
  await rm(folder, { recursive: true });
}
