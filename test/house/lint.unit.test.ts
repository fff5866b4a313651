import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

/** The rules of the house that the linter enforces, tried on files that break them. */

interface Case {
  readonly file: string;
  readonly code: string;
  readonly says: RegExp | null;
}

const imports = (file: string, from: string, allowed = false): Case => ({
  file,
  code: `import thing from '${from}';\n\nexport const value = thing;\n`,
  says: allowed ? null : /noRestrictedImports/,
});

const pure = ['domain', 'journal', 'strategies', 'service', 'graphql'];
const impure = ['Date.now()', 'new Date()', 'Math.random()', 'performance.now()', 'setTimeout(() => {}, 1)'];
const calls = (folder: string, says: Case['says']): Case[] =>
  impure.map((call) => ({ file: `src/${folder}`, code: `export const value = ${call};\n`, says }));

/** What would bring in time or randomness by way of a module, and what only computes. */
const impureModules = [
  "import { setImmediate as nextTurn } from 'node:timers/promises';",
  "import * as timers from 'node:timers';",
  "import { performance } from 'node:perf_hooks';",
  "import { randomBytes } from 'node:crypto';",
  "import { createHash, randomUUID } from 'node:crypto';",
  "import * as crypto from 'node:crypto';",
  "import crypto from 'node:crypto';",
  "export { randomInt } from 'node:crypto';",
  "export * from 'node:timers';",
  "export const timers = await import('node:timers');",
  "export const crypto = process.getBuiltinModule('node:crypto');",
];
const pureModules = [
  "import { createHash } from 'node:crypto';",
  "import { createHash as hash, timingSafeEqual } from 'node:crypto';",
  "import {\n  createHash,\n  type Hash,\n} from 'node:crypto';",
  "import { MessageChannel } from 'node:worker_threads';",
];
const modules = (folder: string, code: readonly string[], says: Case['says']): Case[] =>
  code.map((code) => ({ file: `src/${folder}`, code: `${code}\n`, says }));

/** Two files that import each other; they are the first of the cases. */
const circle = (keyword: string, first: number, says: Case['says']): Case[] =>
  [first + 1, first].map((other) => ({
    file: 'src/service',
    code: `${keyword} { Thing } from './${nameOf(other)}';\n\nexport type Other = Thing;\n`,
    says,
  }));

const nameOf = (index: number) => `case${index}.ts`;

const cases: Case[] = [
  ...circle('import', 0, /noImportCycles/),
  ...circle('import type', 2, null),
  imports('src/domain', '../journal/port.ts'),
  imports('src/domain', 'node:fs'),
  imports('src/domain', 'zod'),
  imports('src/domain', './project.ts', true),
  imports('src/journal', '../domain/project.ts'),
  imports('src/strategies', '../service/concord.ts'),
  imports('src/service', '../graphql/schema.ts'),
  imports('src/service', '../http/server.ts'),
  imports('src/service', 'graphql'),
  imports('src/service', '../domain/project.ts', true),
  imports('src/graphql', '../http/server.ts'),
  imports('src/graphql', '../journal/lmdb.ts'),
  imports('src/graphql', '../service/concord.ts', true),
  imports('src/http', '../graphql/schema.ts', true),
  ...pure.flatMap((folder) => calls(folder, /passed in|noRestrictedGlobals/)),
  ...calls('http', null),
  ...pure.flatMap((folder) => modules(folder, impureModules, /passed in/)),
  ...pure.filter((folder) => folder !== 'domain').flatMap((folder) => modules(folder, pureModules, null)),
  ...modules('http', impureModules, null),
];

let said: string[] = [];

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'concord-lint-'));
  const config = JSON.parse(readFileSync('biome.json', 'utf8'));
  writeFileSync(
    join(folder, 'biome.json'),
    JSON.stringify({ ...config, $schema: undefined, vcs: undefined }),
  );
  cpSync('lint', join(folder, 'lint'), { recursive: true });
  for (const [i, { file, code }] of cases.entries()) {
    const path = join(folder, file, nameOf(i));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
  const biome = join(process.cwd(), 'node_modules/.bin/biome');
  const { stdout, stderr } = spawnSync(biome, ['lint', '--reporter=github', '--max-diagnostics=none'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const lines = (stdout + stderr).split('\n');
  said = cases.map((_, i) => lines.filter((line) => line.includes(nameOf(i))).join('\n'));
  rmSync(folder, { recursive: true });
});

test.each(cases.map((example, i) => ({ ...example, i })))('$file: $code', ({ i, says }) => {
  if (says === null) expect(said[i]).not.toMatch(/noRestricted|noImportCycles|passed in/);
  else expect(said[i]).toMatch(says);
});
