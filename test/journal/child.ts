/*
 * A process of its own around a store, for what can only be seen from outside: two processes on a folder, a
 * kill, a limit of the system, the order of system calls. It opens the store in the folder that it is
 * given and answers each line of its input with one line or more, the last of which is `done`. At the end
 * of the input it closes the store.
 */
import { rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openLmdbStore } from '../../src/journal/lmdb.ts';
import type { Store } from '../../src/journal/port.ts';

const COMMANDS: Readonly<Record<string, (store: Store, ...args: string[]) => Promise<void>>> = {
  /** Appends one commit after another. */
  async sequence(store, journal = '', first, last, bytes) {
    for (let seq = Number(first); seq <= Number(last); seq++) await append(store, journal, seq, bytes);
  },

  /** Appends the first commit of many journals at once. */
  async burst(store, journals, bytes) {
    await Promise.all(
      Array.from({ length: Number(journals) }, (_, i) => append(store, `journal-${i}`, 1, bytes)),
    );
  },

  async head(store, journal = '') {
    const head = await store.head(journal).catch((error: unknown) => `refused ${error}`);
    say(`head ${head}`);
  },

  async others(store) {
    await attempt('chunk', () => store.putChunk(Uint8Array.of(1), 1));
    await attempt('document', () => store.putDocument('people', 'ada', 'Ada'));
  },

  /** Fills the disk with something else, until so many bytes are left. */
  async ballast(_, left) {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - Number(left)));
  },

  async unballast() {
    rmSync(ballast);
  },
};

const [, , folder = ''] = process.argv;
const ballast = `${folder}.ballast`;

/** At once, and in one system call, so that a trace shows when. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

async function attempt(what: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
    say(`acknowledged ${what}`);
  } catch (error) {
    say(`refused ${what} ${error}`);
  }
}

async function append(store: Store, journal: string, seq: number, bytes = '0'): Promise<void> {
  const id = `<${journal}-${seq}>`;
  const events = [new Uint8Array(Number(bytes))];
  await attempt(id, () => store.append(journal, { seq, id, time: seq, events }));
}

try {
  const store = await openLmdbStore(folder);
  say('open');
  for await (const line of createInterface(process.stdin)) {
    const [command = '', ...args] = line.split(' ');
    await COMMANDS[command]?.(store, ...args);
    say('done');
  }
  await store.close();
} catch (error) {
  say(`failed ${error}`);
}
