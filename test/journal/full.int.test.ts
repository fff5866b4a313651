import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from './folders.ts';
import { bundleChild, Child, canMount, canRun, onDisk } from './processes.ts';

const MB = 1024 * 1024;

const canLimit = canRun('prlimit', '--version');
if (!canLimit) console.warn('tests are skipped: prlimit is not installed (apt-get install util-linux)');

describe('a store that has no space left', () => {
  let script: string;
  let folder: string;
  let child: Child;

  beforeAll(async () => {
    script = await bundleChild();
  });
  afterAll(() => rm(script));
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await child.kill();
    await rm(folder, { recursive: true });
  });

  async function start(command: readonly string[]): Promise<void> {
    child = new Child(command);
    expect(await child.greeting).toBe('open');
  }

  describe.skipIf(!canMount)('because the disk is full', () => {
    const REFUSED =
      /^refused .* StoreFullError: no space is left for the store in .*; free some, then try again$/;
    const refused = expect.stringMatching(REFUSED);

    function startOnSmallDisk(): Promise<void> {
      return start(onDisk('size=64m', folder, [process.execPath, script, `${folder}/store`]));
    }

    it('refuses writes, keeps what it has, and goes on when there is space again', async () => {
      await startOnSmallDisk();
      await child.ask('sequence project 1 10 1000');
      await child.ask(`ballast ${8 * MB}`);
      expect(await child.ask('sequence project 11 11 1000')).toStrictEqual([refused]);
      expect(await child.ask('burst 30 1000')).toStrictEqual(Array(30).fill(refused));
      expect(await child.ask('others')).toStrictEqual([refused, refused]);
      expect(await child.ask('head project')).toStrictEqual(['head 10']);
      expect(await child.ask('head journal-0')).toStrictEqual(['head 0']);

      await child.ask('unballast');
      expect(await child.ask('sequence project 11 11 1000')).toStrictEqual(['acknowledged <project-11>']);
      expect(await child.ask('others')).toStrictEqual(['acknowledged chunk', 'acknowledged document']);
    });

    it('stops before LMDB finds the disk full', async () => {
      await startOnSmallDisk();
      const answers = await child.ask('sequence project 1 40 3000000');
      const kept = answers.filter((answer) => answer.startsWith('acknowledged')).length;
      expect(kept).toBeGreaterThan(10);
      expect(answers[kept]).toStrictEqual(refused);
      expect(await child.ask('head project')).toStrictEqual([`head ${kept}`]);
    });
  });

  // The same as a quota does that nobody can ask for beforehand.
  describe.skipIf(!canLimit)('because LMDB meets a limit in the middle of a commit', () => {
    function limitFiles(bytes: number | 'unlimited'): void {
      spawnSync('prlimit', ['--pid', `${child.pid}`, `--fsize=${bytes}:`]);
    }

    it.each([
      ['within its pages', 4 * MB + 5000, 'StoreUnavailableError: .* gave no more space'],
      ['before its pages', 0, 'StoreFullError: no space is left'],
    ])(
      'keeps nothing of a commit that is cut off %s, and goes on when the limit is gone',
      async (_, bytes, why) => {
        const refused = expect.stringMatching(`^refused .* ${why}`);
        await start([process.execPath, script, folder]);
        await child.ask('sequence project 1 3 1000000');
        limitFiles(bytes);
        expect(await child.ask('sequence project 4 4 1500000')).toStrictEqual([refused]);
        expect(await child.ask('burst 3 1000000')).toStrictEqual([refused, refused, refused]);
        expect(await child.ask('head project')).toStrictEqual(['head 3']);
        expect(await child.ask('head journal-0')).toStrictEqual(['head 0']);

        limitFiles('unlimited');
        expect(await child.ask('sequence project 4 5 1500000')).toStrictEqual([
          'acknowledged <project-4>',
          'acknowledged <project-5>',
        ]);
        await child.end();
        await start([process.execPath, script, folder]);
        expect(await child.ask('head project')).toStrictEqual(['head 5']);
        expect(await child.ask('head journal-0')).toStrictEqual(['head 0']);
      },
    );
  });
});
