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
const TARGETS = 'sdk/src/strategy/kernels/generated';
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
/** The same code on a memory that it is given, and that threads share: a module works on one kind alone. */
const SHARED = ['--enable', 'threads', '--importMemory', '--sharedMemory', '--maximumMemory', '65536'];
/** It warns of functions with vectors, which are called from within alone. */
const QUIET = ['--disableWarning', '112'];

const folder = await mkdtemp(join(tmpdir(), 'concord-kernels-'));
try {
  await build('module', 'MODULE', OPTIONS);
  await build('sharedModule', 'SHARED_MODULE', [...OPTIONS, ...SHARED]);
} finally {
  await rm(folder, { recursive: true });
}

async function build(file: string, name: string, options: readonly string[]): Promise<void> {
  const compiled = join(folder, `${file}.wasm`);
  const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));
  const command = [compiler, ENTRY, ...options, ...QUIET, '--outFile', compiled];
  execFileSync(process.execPath, command, { stdio: 'inherit' });
  const base64 = (await readFile(compiled)).toString('base64');
  const text = `/** Made of ${ENTRY} by \`npm run generate\`: a WebAssembly module in base64. */\nexport const ${name} =\n  '${base64}';\n`;
  await writeFile(join(TARGETS, `${file}.ts`), text);
}
