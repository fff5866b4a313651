import { chmod, mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceError, StoreFullError, StoreUnavailableError } from '@concord/sdk/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DIRECTORY_JOURNAL } from '../../src/service/directoryKind.ts';
import { runConcord, type ServiceProcess, type StartOptions } from '../http/serviceProcess.ts';
import { until } from '../http/waiting.ts';
import { type Build, buildWith, FREQUENT_SNAPSHOTS } from './build.ts';
import { damagingPages, loseChunk, PAGE_BYTES, tearChunk, withStore } from './damage.ts';
import { dataOf } from './scene.ts';
import { ANSWERS, SAMPLES, snapshotsTaken, UsedStore } from './usedStore.ts';

/*
 * What is not here is tested elsewhere: files that are no store (test/journal/lmdb), a disk that fills up and is freed
 * under a running service (test/http/full, test/journal/full), a store of a newer format (test/http/cli), a manifest wrong
 * in every way (test/service/snapshots).
 */
describe('a store that was in use and is damaged since', () => {
  let build: Build;
  let folder: string;
  let used: UsedStore;

  beforeAll(async () => {
    build = await buildWith(FREQUENT_SNAPSHOTS);
    folder = await mkdtemp(join(tmpdir(), 'concord-damage-'));
    used = await UsedStore.make(build, folder);
  });
  afterAll(async () => {
    await build.remove();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => used.copy());
  afterEach(() => used.stop());

  const progress = () => used.client.progress({ project: used.project });
  const IN_USE = { samples: SAMPLES, answers: ANSWERS, round: { number: 1, isOpen: true } };
  const IDENTICAL = { code: 0, out: expect.stringContaining('identical') };

  async function expectToGoOn(): Promise<void> {
    expect(await progress()).toMatchObject(IN_USE);
    await used.label(3);
    expect(await progress()).toMatchObject({ answers: ANSWERS + 3 });
  }

  async function expectOthersToBeServed(): Promise<void> {
    const project = await used.createOther();
    expect(await used.client.progress({ project })).toMatchObject({ samples: 0 });
  }

  /** In the log, which is read a little later than the answers are. */
  const expectToBeSaid = (running: ServiceProcess, what: string | RegExp) =>
    expect.poll(() => JSON.stringify(running.warnings), { timeout: 10_000 }).toMatch(what);

  /** That it cannot start, says why, and writes nothing. */
  async function expectStartToFail(why: RegExp, more?: StartOptions): Promise<void> {
    const before = await readFile(used.data);
    const { code, errors } = await used.serveInVain(more);
    expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(why) });
    expect(errors).not.toContain('    at ');
    expect(await readFile(used.data)).toEqual(before);
  }

  describe('a snapshot', () => {
    const largest = () => used.chunks.snapshot[0] ?? '';
    const spoilManifest = () =>
      withStore(used.path, (store) => store.putDocument('snapshots', used.journal, { format: 1 }));

    it.each([
      ['with a torn chunk', () => tearChunk(used.path, largest()), /chunk \w+ is damaged/],
      ['with a missing chunk', () => loseChunk(used.path, largest()), /chunk \w+ is missing/],
      ['with a damaged manifest', spoilManifest, /its manifest is damaged/],
    ])('%s costs a fold of all commits, and the next one mends it', async (_, damage, says) => {
      await damage();
      const running = await used.serve();
      await expectToGoOn();
      await expectToBeSaid(running, says);
      await until('the next one stands', () => snapshotsTaken(running) > 0);
      await used.stop();
      expect(await used.verify()).toMatchObject(IDENTICAL);
    });
  });

  describe('a chunk', () => {
    it.each([
      ['missing', loseChunk],
      ['damaged', tearChunk],
    ])('of payloads that is %s is named and not shown; all else goes on', async (how, damage) => {
      const [, lost = ''] = used.chunks.payloads;
      await damage(used.path, lost);
      const { code, out } = await used.verify();
      expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining(`chunk ${lost} is ${how}`) });
      const running = await used.serve();
      const { client, project } = used;
      // In the middle of the second block, which begins at sample 256.
      await expect(client.sample({ project, key: '370' })).rejects.toThrow(ServiceError);
      await expectToBeSaid(
        running,
        new RegExp(`chunk ${lost}, which holds sample payloads, is ${how}.*; restore a backup`),
      );
      expect(await client.sample({ project, key: '30' })).toMatchObject({ data: dataOf('30') });
      expect(await client.sample({ project, key: '590' })).toMatchObject({ data: dataOf('590') });
      expect(await progress()).toMatchObject(IN_USE);
    });

    it('of probabilities that is missing is named when a strategy needs it; the next run is whole', async () => {
      const [matrix = ''] = used.chunks.predictions;
      await loseChunk(used.path, matrix);
      const running = await used.serve();
      await expectToGoOn();
      const { client, project } = used;
      const round = await client.currentRound({ project });
      await client.closeRound({ round: round?.id ?? '' });
      const open = () => client.openRound({ project, size: 5, strategy: 'margin' });
      await expect(open()).rejects.toThrow(ServiceError);
      await expectToBeSaid(running, `chunk ${matrix} is missing`);
      await used.publish();
      expect(await open()).toMatchObject({ size: 5 });
    });

    it('without which a commit cannot be folded is named; a snapshot does without it', async () => {
      const [, verdicts = ''] = used.chunks.predictions;
      await loseChunk(used.path, verdicts);
      await used.serve();
      await expectToGoOn();
      await used.stop();
      await withStore(used.path, (store) => store.deleteDocument('snapshots', used.journal));
      const running = await used.serve();
      await expect(progress()).rejects.toThrow(ServiceError);
      await expectToBeSaid(
        running,
        new RegExp(`cannot be read at commit 3: chunk ${verdicts} is missing.*restore a backup`),
      );
      await expectOthersToBeServed();
    });
  });

  describe('a journal that a newer version has written', () => {
    const add = (journal: string) =>
      withStore(used.path, async (store) => {
        const seq = (await store.head(journal)) + 1;
        await store.append(journal, { seq, id: 'newer', time: 4e12, events: [{ type: 'videoAdded' }] });
        return seq;
      });

    it('is refused if it is a project’s: nothing is written to it, and others are served', async () => {
      const seq = await add(used.journal);
      const says = `commit ${seq} has an event of type videoAdded, which this version of Concord`;
      expect((await used.verify()).out).toContain(says);
      const running = await used.serve();
      const { client, project } = used;
      await expect(progress()).rejects.toThrow(ServiceError);
      await expect(client.openRound({ project, size: 1, strategy: 'random' })).rejects.toThrow(ServiceError);
      await expectToBeSaid(running, says);
      await expectOthersToBeServed();
      await used.stop();
      expect(await withStore(used.path, (store) => store.head(used.journal))).toBe(seq);
    });

    it('is refused if it is the directory: the service does not start', async () => {
      await add(DIRECTORY_JOURNAL);
      await expectStartToFail(
        /^concord: journal directory was written by a newer version of Concord.*use the/,
      );
    });
  });

  describe('the data file', () => {
    const DAMAGED = /the store in \S+ is damaged.*; restore it from a backup/;

    it('is refused, or what is wrong in it is named, wherever it has lost a page or its end', async () => {
      const [, sound = ''] = /identical (.*)/.exec((await used.verify()).out) ?? [];
      const program = damagingPages(build.src, used.path);
      const { code, out } = await runConcord({
        command: ([node = '']) => [node, '--input-type=module', '-e', program],
      });
      const cases = out.split(/^(?=at byte)/m);
      const { size } = await stat(used.data);
      expect({ code, cases: cases.length }).toEqual({ code: 0, cases: (size / PAGE_BYTES) * 2 });
      const isRefused = (said: string) => DAMAGED.test(said) || said.includes('there is no store');
      const isNamed = (said: string) => /: DAMAGED .*\n {2}\S/.test(said);
      // Some pages are in no use. Of no other it is said that all is well.
      const isFree = (said: string) => said.includes(`identical ${sound}`);
      expect(cases.filter((said) => !isRefused(said) && !isNamed(said) && !isFree(said))).toEqual([]);
      expect(cases.filter(isRefused).length).toBeGreaterThan(cases.length / 4);
      expect(cases.filter(isNamed).length).toBeGreaterThan(0);
    });

    it('is refused at a start when it has lost its end', async () => {
      await truncate(used.data, Math.floor((await stat(used.data)).size * 0.3));
      const { code, errors } = await used.serveInVain();
      expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(DAMAGED) });
    });
  });

  describe('where nothing can be written', () => {
    /** A limit that a shell sets works in every container and for every user, as a small disk does not. */
    const withFilesUpTo = (bytes: number): StartOptions => ({
      command: (given) => ['sh', '-c', `ulimit -f ${Math.floor(bytes / 512)}; exec "$@"`, 'sh', ...given],
    });
    /** No file mode holds back a root user who has all privileges. */
    const unprivileged: StartOptions =
      process.getuid?.() === 0
        ? { command: (given) => ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...given] }
        : {};

    it('for want of space, what does not fit is refused, and all that was acknowledged is kept', async () => {
      const running = await used.serve(withFilesUpTo((await stat(used.data)).size + 1_000_000));
      let parts = 1;
      let refusal: unknown = null;
      const importNext = async () => {
        const { first } = await used.importPart(parts, 20);
        expect(first).toBe(parts++ * SAMPLES);
      };
      while (refusal === null) {
        await importNext().catch((error: unknown) => {
          refusal = error;
        });
      }
      // A system that runs out in the middle of a write does not tell why.
      expect([StoreFullError, StoreUnavailableError]).toContain((refusal as Error).constructor);
      await expectToBeSaid(running, /no space is left|gave no more space/);
      const kept = { samples: parts * SAMPLES, answers: ANSWERS };
      expect(parts).toBeGreaterThan(1);
      expect(await progress()).toMatchObject(kept);
      await running.kill();

      await used.serve();
      expect(await progress()).toMatchObject(kept);
      await importNext();
      await used.label(3);
      await used.stop();
      expect(await used.verify()).toMatchObject(IDENTICAL);
    });

    it('because the folder is read-only, the service says so and does not start', async () => {
      await chmod(used.path, 0o555);
      await chmod(used.data, 0o444);
      const why = /^concord: the store in .* permission is denied; let this user write there, or choose/;
      await expectStartToFail(why, unprivileged);
      await chmod(used.data, 0o644);
      await chmod(used.path, 0o755);
      await used.serve();
      await expectToGoOn();
    });
  });
});
