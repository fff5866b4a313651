import { expect, it } from 'vitest';
import { buildWith, FREQUENT_SNAPSHOTS, type Patch } from './build.ts';
import { crashRun } from './run.ts';

/** A bug that was not found after so many kills is not found. */
const KILLS = 40;

/*
 * Known bugs, planted in the built service, that a run must find. Not among them is a missing sync: what a process has
 * written outlives its death in the system's memory, and is lost only with the power. That every commit is synced is
 * seen from the system calls, in test/journal/sync.int.test.ts.
 */
const BUGS: readonly { readonly name: string; readonly patches: readonly Patch[]; readonly found: RegExp }[] =
  [
    {
      name: 'a write is acknowledged before it is made',
      patches: [
        {
          file: 'journal/group.js',
          find: 'this.#waiting.push({ bytes, apply, resolve, reject });',
          put: 'this.#waiting.push({ bytes, apply, resolve, reject }); resolve();',
        },
      ],
      found:
        /was acknowledged|the journal ends at|in the store|names what is not there|announced as|against commit/,
    },
    {
      name: 'a commit is written in two halves',
      patches: [
        {
          file: 'service/journalHost.js',
          find: 'await this.#append({ seq, id: newId(this.#environment), time, events: events });',
          put: `await this.#append({ seq, id: newId(this.#environment), time, events: events.slice(0, 1) });
              if (events.length > 1) {
                await this.#append({ seq: seq + 1, id: newId(this.#environment), time, events: events.slice(1) });
                this.#throwAway();
              }`,
        },
      ],
      found: /against commit/,
    },
    {
      name: 'the chunks of a snapshot are deleted a moment before the next one stands',
      patches: [
        { file: 'service/snapshots.js', find: 'if (!isUseful)\n', put: '' },
        {
          file: 'service/snapshots.js',
          find: 'const head = {',
          put: 'await new Promise((done) => setTimeout(done, 200)); const head = {',
        },
      ],
      found: /snapshot of no use|its snapshot is of no use/,
    },
  ];

it.each(BUGS)('a crash run finds that $name', { timeout: KILLS * 10_000 }, async ({ patches, found }) => {
  const build = await buildWith([...FREQUENT_SNAPSHOTS, ...patches]);
  try {
    const run = crashRun({ seed: 1, kills: KILLS, build });
    await expect(run).rejects.toThrow(found);
    console.info(String(await run.catch((error: unknown) => error)));
  } finally {
    await build.remove();
  }
});
