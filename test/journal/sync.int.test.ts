import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleChild, Child, canRun } from './processes.ts';
import { Trace } from './trace.ts';

const CALLS = 'openat,lseek,write,writev,pwrite64,pwritev,fsync,fdatasync,msync';

/** A page must be shown whole for the id of a commit to be found in it. */
const SHOWN_BYTES = '1000000';

const hasStrace = canRun('strace', '-o', '/dev/null', 'true');
if (!hasStrace)
  console.warn('tests are skipped: strace is not installed, or may not trace (apt-get install strace)');

describe.skipIf(!hasStrace)('a store, seen by the system calls that it makes', () => {
  let script: string;
  let folder: string;

  beforeAll(async () => {
    script = await bundleChild();
    folder = await mkdtemp(join(tmpdir(), 'concord-sync-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await rm(script);
  });

  /** Has a store do as it is told, with a call failing if so asked. All commits are of one thread. */
  async function watch(
    name: string,
    commands: readonly string[],
    ...inject: string[]
  ): Promise<{ trace: Trace; answers: string[][] }> {
    const file = join(folder, `${name.replace('/', '-')}.trace`);
    const strace = ['strace', '-f', '-o', file, '-s', SHOWN_BYTES, '-e', `trace=${CALLS}`, ...inject];
    const node = ['env', 'UV_THREADPOOL_SIZE=1', process.execPath, script, join(folder, name)];
    const child = new Child([...strace, ...node]);
    expect(await child.greeting).toBe('open');
    const answers: string[][] = [];
    for (const command of commands) answers.push(await child.ask(command));
    await child.end();
    return { trace: new Trace(await readFile(file, 'latin1')), answers };
  }

  it('writes a commit, syncs it, writes and syncs the header that makes it count, then acknowledges', async () => {
    const { trace } = await watch('sequence', ['sequence project 1 20 100']);
    for (let seq = 1; seq <= 20; seq++) trace.expectDurable(`<project-${seq}>`);
    expect(trace.syncs).toBeGreaterThanOrEqual(20);
  });

  it('syncs the folders that list a new store before anything is acknowledged', async () => {
    const { trace } = await watch('deep/new', ['sequence project 1 1 100']);
    for (const listing of ['', 'deep', 'deep/new']) trace.expectListed(join(folder, listing));
  });

  it('does so for commits that share a sync, and lets a hundred share a few', async () => {
    const { trace } = await watch('burst', ['burst 100 100']);
    for (let i = 0; i < 100; i++) trace.expectDurable(`<journal-${i}-1>`);
    expect(trace.syncs).toBeLessThanOrEqual(10);
  });

  describe('when the disk fails', () => {
    let undisturbed: Trace;

    beforeAll(async () => {
      undisturbed = (await watch('undisturbed', ['sequence project 1 9 100'])).trace;
    });

    it('refuses the commit whose sync failed, keeps nothing of it, and goes on', async () => {
      const ordinal = undisturbed.ordinalOfSync('<project-9>');
      const { answers } = await watch(
        'sync',
        ['sequence project 1 9 100', 'head project', 'sequence project 9 10 100'],
        '-e',
        `inject=fdatasync:error=EIO:when=${ordinal}`,
      );
      expect(answers[0]?.at(-1)).toMatch(/^refused <project-9> StoreUnavailableError: .*the disk failed/);
      expect(answers.slice(1)).toStrictEqual([
        ['head 8'],
        ['acknowledged <project-9>', 'acknowledged <project-10>'],
      ]);
    });

    it('takes no more writes when the header could not be written, until it is opened again', async () => {
      const ordinal = undisturbed.ordinalOfHeader('<project-9>');
      const { answers } = await watch(
        'header',
        ['sequence project 1 9 100', 'sequence project 9 9', 'others', 'head project'],
        '-e',
        `inject=pwrite64:error=EIO:when=${ordinal}`,
      );
      expect(answers[0]?.at(-1)).toMatch(/^refused <project-9> StoreUnavailableError: .*the disk failed/);
      const refused = expect.stringMatching(/^refused .* StoreUnavailableError: .*restart Concord$/);
      expect(answers.slice(1)).toStrictEqual([
        [refused],
        [refused, refused],
        [expect.stringMatching(/^head refused StoreUnavailableError: .*restart Concord$/)],
      ]);

      const { answers: later } = await watch('header', ['head project', 'sequence project 9 9']);
      expect(later).toStrictEqual([['head 8'], ['acknowledged <project-9>']]);
    });
  });
});
