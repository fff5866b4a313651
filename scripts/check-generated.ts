import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Regenerates what tools generate and fails if any of it differs from what is checked in: the printed schema is
 * the contract that is reviewed, the SDK must speak it, and the kernels must be those of their sources.
 */
const GENERATED = ['schema', 'sdk/src/client/generated', 'sdk/src/strategy/kernels/generated'];

async function contents(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const folder of GENERATED) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files.set(path, await readFile(path, 'utf8'));
    }
  }
  return files;
}

const before = await contents();
execFileSync('npm', ['run', '--silent', 'generate'], { stdio: 'inherit' });
const after = await contents();
const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
  (path) => before.get(path) !== after.get(path),
);
if (changed.length > 0) {
  process.stderr.write(
    `Generated files were out of date and have been made anew: ${changed.join(', ')}. Commit them.\n`,
  );
  process.exitCode = 1;
}
