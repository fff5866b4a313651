import { expect, it } from 'vitest';
import { buildWith, FREQUENT_SNAPSHOTS, type Patch } from './build.ts';
import { crashRun } from './run.ts';

/** A bug that was not found after so many kills is not found. */
const KILLS = 20;

/*
 * Known bugs, planted in the built service, that a run must find. Not among them is a missing sync: what a process has
 * written outlives its death in the system's memory, and is lost only with the power. That every commit is synced is
 * seen from the system calls, in test/journal/sync.int.test.ts.
 */
const BUGS: readonly { readonly name: string; readonly patches: readonly Patch[]; readonly found: RegExp }[] =
  [
    {
      name: 'a commit is acknowledged before it is written',
      patches: [
        {
          file: 'journal/lmdb.js',
          find: "await this.#write('commit', value.length,",
          put: "void this.#write('commit', value.length,",
        },
      ],
      found: /was acknowledged|the journal ends at|in the store|announced as|against commit/,
    },
    {
      name: 'a commit is written in two halves',
      patches: [
        {
          file: 'service/journalHost.js',
          find: 'const commit = { seq, id: newId(this.#environment), time, events: events };',
          put: `const rest = events.slice(1);
            const commit = { seq, id: newId(this.#environment), time, events: events.slice(0, 1) };`,
        },
        {
          file: 'service/journalHost.js',
          find: 'if (events.every((event) => this.#kind.chunksToFold(event).length === 0))',
          put: `if (rest.length > 0) {
                const second = { seq: seq + 1, id: newId(this.#environment), time, events: rest };
                await appendCommit(this.#store, this.#environment, this.journal, second);
                this.#throwAway();
              } else if (events.every((event) => this.#kind.chunksToFold(event).length === 0))`,
        },
      ],
      found: /against commit/,
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
