import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, refuse } from '../../src/domain/refusals.ts';
import {
  MAX_VALUE_BYTES,
  SeqTakenError,
  StoreFullError,
  StoreUnavailableError,
} from '../../src/journal/port.ts';
import { DamagedJournalError, type JournalKind, type Projection } from '../../src/service/folding.ts';
import { JournalHost } from '../../src/service/journalHost.ts';
import { STORE_PATIENCE_MS } from '../../src/service/trouble.ts';
import { Disk, MemoryStore, type Mishap } from '../support/memoryStore.ts';
import { StillWorld, settle } from '../support/stillWorld.ts';

/** A journal of words. A word that begins with # stands for a chunk, whose text it folds to. */
interface Word {
  readonly word: string;
}

class Words implements Projection<Word> {
  seq = 0;
  time = 0;
  readonly words: string[] = [];

  fold({ word }: Word, seq: number, time: number, chunks: (id: string) => Uint8Array): void {
    if (word === 'unfoldable') throw new Error('cannot be folded');
    this.seq = seq;
    this.time = time;
    this.words.push(word.startsWith('#') ? Buffer.from(chunks(word.slice(1))).toString() : word);
  }
}

const KIND: JournalKind<Words, Word> = {
  empty: () => new Words(),
  current: (event) => event as Word,
  chunksToFold: ({ word }) => (word.startsWith('#') ? [word.slice(1)] : []),
  isFact: ({ word }) => word === 'fact',
  workOf: () => 1,
  form: null,
};

/** A command that adds words, and answers with how many there are then. */
function say(...words: string[]) {
  return function* (): Generator<Word, void, void> {
    for (const word of words) yield { word };
  };
}

function refused(): Generator<Word, void, void> {
  throw refuse('NOT_FOUND', { what: 'word' });
}

function faulty(): Generator<Word, void, void> {
  throw new Error('a bug');
}

const count = ({ words }: Words) => words.length;
const said = ({ words }: Words) => [...words];

/** A way to hold something up, and to know that it has begun. */
function gate() {
  let open: () => void = () => undefined;
  let reach: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const pass = () => {
    reach();
    return opened;
  };
  return { pass, open, reached };
}

const unavailable = () => new StoreUnavailableError('out of reach');

describe('JournalHost', () => {
  let disk: Disk;
  let store: MemoryStore;
  let world: StillWorld;
  let host: JournalHost<Words, Word>;
  const open = () => new JournalHost(KIND, 'words', store, world);
  const commits = () =>
    store.landed.map(({ events }) => events.map((event) => (event as unknown as Word).word));

  beforeEach(() => {
    disk = new Disk();
    store = new MemoryStore(disk);
    world = new StillWorld();
    host = open();
  });

  /** Somebody else commits next, whom this host does not hear of. */
  const rival =
    (word = 'rival'): Mishap =>
    async (_, { seq }) => {
      await new MemoryStore(disk).append('words', { seq, id: `${word}-${seq}`, time: 1, events: [{ word }] });
      throw new SeqTakenError('words', seq);
    };

  describe('commits in groups', () => {
    it('puts what arrives in one turn into one commit, in order', async () => {
      const answers = await Promise.all(['a', 'b', 'c'].map((word) => host.execute(say(word), count)));
      expect(answers).toEqual([1, 2, 3]);
      expect(commits()).toEqual([['a', 'b', 'c']]);
    });

    it('puts what arrives while one is synced into the next', async () => {
      const syncing = gate();
      store.mishaps.push(async (land) => {
        await syncing.pass();
        land();
      });
      const first = host.execute(say('a'), count);
      await syncing.reached;
      const rest = Promise.all([host.execute(say('b'), count), host.execute(say('c'), count)]);
      syncing.open();
      await Promise.all([first, rest]);
      expect(commits()).toEqual([['a'], ['b', 'c']]);
    });

    it('commits nothing for a command without events', async () => {
      expect(await host.execute(say(), count)).toBe(0);
      expect(store.landed).toEqual([]);
    });

    it('gives a command that may fill a commit one of its own, in its turn', async () => {
      await Promise.all([
        host.execute(say('a'), count),
        host.execute(say('b'), count),
        host.execute(say('large'), count, { alone: true }),
        host.execute(say('c'), count),
      ]);
      expect(commits()).toEqual([['a', 'b'], ['large'], ['c']]);
    });

    it('begins another commit when one has enough commands', async () => {
      await Promise.all(Array.from({ length: 1_200 }, (_, i) => host.execute(say(String(i)), count)));
      expect(commits().map(({ length }) => length)).toEqual([500, 500, 200]);
      expect(commits().flat()).toEqual(Array.from({ length: 1_200 }, (_, i) => String(i)));
    });

    it('begins another commit when one has enough events', async () => {
      const many = Array.from({ length: 1_500 }, () => 'word');
      const answers = await Promise.all(Array.from({ length: 5 }, () => host.execute(say(...many), count)));
      expect(answers).toEqual([1_500, 3_000, 4_500, 6_000, 7_500]);
      expect(commits().map(({ length }) => length)).toEqual([4_500, 3_000]);
    });

    it('gives commits times that never go back', async () => {
      await host.execute(say('a'), count);
      world = new StillWorld(world.now() - 60_000);
      await open().execute(say('b'), count);
      const [a, b] = store.landed;
      expect(b?.time).toBe(a?.time);
    });
  });

  describe('tells nobody of what is not synced', () => {
    it('answers, publishes and reads only afterwards', async () => {
      await host.execute(say('a'), count);
      const syncing = gate();
      store.mishaps.push(async (land) => {
        await syncing.pass();
        land();
      });
      const told: string[] = [];
      host.onChange(() => told.push('published'));
      const answer = host.execute(say('b'), count).then(() => told.push('answered'));
      await syncing.reached;
      const read = host.read(said).then((words) => told.push(`read ${words}`));
      await settle();
      expect(told).toEqual([]);
      syncing.open();
      await Promise.all([answer, read]);
      expect(new Set(told)).toEqual(new Set(['published', 'answered', 'read a,b']));
    });

    it('takes what the caller sees at the instant of the decision', async () => {
      const [first, second] = await Promise.all([
        host.execute(say('a'), said),
        host.execute(say('b', 'c'), said),
      ]);
      expect(first).toEqual(['a']);
      expect(second).toEqual(['a', 'b', 'c']);
    });

    it('reads one’s own writes', async () => {
      await host.execute(say('a'), count);
      expect(await host.read(said)).toEqual(['a']);
    });
  });

  describe('refusals', () => {
    it('leave the others of the commit alone', async () => {
      const outcomes = await Promise.allSettled([
        host.execute(say('a'), count),
        host.execute(refused, count),
        host.execute(say('b'), count),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(outcomes[1]).toMatchObject({ reason: { code: 'NOT_FOUND' } });
      expect(commits()).toEqual([['a', 'b']]);
    });

    it('keep the facts that came before them', async () => {
      const outcome = host.execute(function* () {
        yield { word: 'fact' };
        throw refuse('NOT_FOUND', { what: 'word' });
      }, count);
      await expect(outcome).rejects.toThrow(Refusal);
      expect(commits()).toEqual([['fact']]);
    });

    it('leave no half of what was refused, and are a fault if there is one', async () => {
      const outcomes = await Promise.allSettled([
        host.execute(say('a'), count),
        host.execute(function* () {
          yield { word: 'fact' };
          yield { word: 'half' };
          throw refuse('NOT_FOUND', { what: 'word' });
        }, count),
        host.execute(say('b'), count),
      ]);
      expect(outcomes[1]).toMatchObject({
        reason: { message: expect.stringContaining('after it had been decided') },
      });
      expect(commits()).toEqual([['a', 'b']]);
    });

    it('wait for the sync of what they were decided on', async () => {
      const syncing = gate();
      store.mishaps.push(() => syncing.pass().then(() => Promise.reject(new StoreFullError('full'))));
      const saying = host.execute(say('a'), count).catch((error) => error);
      const refusing = host.execute(refused, count).catch((error) => error);
      await syncing.reached;
      syncing.open();
      expect(await saying).toMatchObject({ code: 'STORE_FULL' });
      expect(await refusing).toMatchObject({ code: 'STORE_FULL' });
    });
  });

  describe('faults', () => {
    it('before anything was folded cost nobody anything', async () => {
      await host.execute(say('a'), count);
      const reading = vi.spyOn(store, 'read');
      const outcomes = await Promise.allSettled([
        host.execute(say('b'), count),
        ...Array.from({ length: 30 }, () => host.execute(faulty, count)),
        host.execute(say('c'), count),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(outcomes[1]).toMatchObject({ reason: { message: 'a bug' } });
      expect(commits()).toEqual([['a'], ['b', 'c']]);
      expect(reading).not.toHaveBeenCalled();
    });

    it('halfway leave nothing behind, and fail nobody else, however many there are', async () => {
      const half = function* () {
        yield { word: 'half' };
        throw new Error('a bug');
      };
      const outcomes = await Promise.allSettled([
        host.execute(say('a'), count),
        ...Array.from({ length: 15 }, () => host.execute(half, count)),
        host.execute(say('b'), count),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(await host.read(said)).toEqual(['a', 'b']);
      expect(commits()).toEqual([['a', 'b']]);
    });

    it('in a view take the command back', async () => {
      const seen = host.execute(say('a'), () => {
        throw new Error('a bug in a view');
      });
      await expect(seen).rejects.toThrow('a bug in a view');
      expect(await host.read(said)).toEqual([]);
    });

    it('in folding likewise', async () => {
      await expect(host.execute(say('a', 'unfoldable'), count)).rejects.toThrow('cannot be folded');
      expect(await host.read(said)).toEqual([]);
    });

    it('in a read are the reader’s', async () => {
      const read = host.read(() => {
        throw new RangeError('no such word');
      });
      await expect(read).rejects.toThrow(RangeError);
      expect(await host.execute(say('a'), count)).toBe(1);
    });

    it('name a chunk that a command did not bring along', async () => {
      await expect(host.execute(say('#abc'), count)).rejects.toThrow('chunk abc was not loaded');
    });
  });

  describe('when a rival was faster', () => {
    it('decides all again, in order, on what the rival did', async () => {
      store.mishaps.push(rival());
      const answers = await Promise.all([host.execute(say('a'), said), host.execute(say('b'), said)]);
      expect(answers).toEqual([
        ['rival', 'a'],
        ['rival', 'a', 'b'],
      ]);
    });

    it('puts them before what has come meanwhile', async () => {
      const syncing = gate();
      store.mishaps.push(async (land, commit) => {
        await syncing.pass();
        await rival()(land, commit);
      });
      const first = host.execute(say('a'), said);
      await syncing.reached;
      const later = host.execute(say('later'), said);
      syncing.open();
      expect(await first).toEqual(['rival', 'a']);
      expect(await later).toEqual(['rival', 'a', 'later']);
    });

    it('may refuse what it had granted before', async () => {
      store.mishaps.push(rival());
      const once = host.execute(function* (words) {
        if (words.words.includes('rival')) throw refuse('FORBIDDEN', { allowed: [] });
        yield { word: 'mine' };
      }, count);
      await expect(once).rejects.toMatchObject({ code: 'FORBIDDEN' });
    });

    it('tells those who follow of the rival’s commit', async () => {
      await host.read(said);
      const changed = vi.fn();
      host.onChange(changed);
      store.mishaps.push(rival());
      await host.execute(refused, count).catch(() => undefined);
      expect(changed).not.toHaveBeenCalled();
      await host.execute(say('a'), count);
      expect(changed).toHaveBeenCalledTimes(2);
    });

    it('gives up some time', async () => {
      store.mishaps.push(...Array.from({ length: 10 }, () => rival()));
      await expect(host.execute(say('a'), count)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(await host.execute(say('b'), count)).toBe(11);
    });
  });

  describe('following another node', () => {
    const elsewhere = () => new JournalHost(KIND, 'words', new MemoryStore(disk), world);

    it('folds what the other has appended, and tells its listeners', async () => {
      await host.read(said);
      const changed = vi.fn();
      host.onChange((words) => changed(said(words)));
      const other = elsewhere();
      await other.execute(say('a', 'b'), count);
      const [chunk, bytes] = [await store.putChunk(Buffer.from('chunk'), 1), Buffer.from('chunk')];
      await other.execute(say(`#${chunk}`), count, { chunks: new Map([[chunk, bytes]]) });
      await host.follow(2);
      expect(changed.mock.calls).toEqual([[['a', 'b', 'chunk']]]);
      await host.execute(say('c'), count);
      expect(await host.read(said)).toEqual(['a', 'b', 'chunk', 'c']);
    });

    it('looks for nothing that it has, and loads nothing that nobody asked for', async () => {
      const read = vi.spyOn(store, 'read');
      await host.follow(1);
      expect(read).not.toHaveBeenCalled();
      await host.execute(say('a'), count);
      read.mockClear();
      await host.follow(1);
      expect(read).not.toHaveBeenCalled();
    });

    it('looks again if it is told of more meanwhile', async () => {
      await host.read(said);
      const other = elsewhere();
      await other.execute(say('a'), count);
      const atEnd = gate();
      const read = store.read.bind(store);
      vi.spyOn(store, 'read').mockImplementationOnce(async function* (journal, after) {
        yield* read(journal, after);
        await atEnd.pass();
      });
      const following = host.follow(1);
      await atEnd.reached;
      await other.execute(say('b'), count);
      void host.follow(2);
      atEnd.open();
      await following;
      await vi.waitFor(async () => expect(await host.read(count)).toBe(2));
      expect(await host.read(said)).toEqual(['a', 'b']);
    });

    it('answers from what it has while the store does not answer', async () => {
      await host.execute(say('a'), count);
      const hanging = gate();
      // biome-ignore lint/correctness/useYield: the store is away
      vi.spyOn(store, 'read').mockImplementationOnce(async function* () {
        await hanging.pass();
        throw unavailable();
      });
      const following = host.follow();
      await hanging.reached;
      expect(await host.read(said)).toEqual(['a']);
      expect(await host.execute(say('b'), count)).toBe(2);
      hanging.open();
      await following;
      expect(await host.read(said)).toEqual(['a', 'b']);
    });

    it('hears from the other what it has committed, and reads nothing', async () => {
      const other = elsewhere();
      await host.read(said);
      await other.execute(say('a'), count);
      await other.execute(say('b', 'c'), count);
      const read = vi.spyOn(store, 'read');
      const news = other.recent(0, 2);
      // Twice, as from two that were asked at the same time.
      host.hear(news);
      host.hear(news);
      await host.reach(2);
      expect(await host.read(said)).toEqual(['a', 'b', 'c']);
      expect(read).not.toHaveBeenCalled();
    });

    it('reads what the other has not at hand: chunks, what is long ago, what a third has done', async () => {
      const other = elsewhere();
      await other.execute(say('a'), count);
      const [chunk, bytes] = [await store.putChunk(Buffer.from('chunk'), 1), Buffer.from('chunk')];
      await other.execute(say(`#${chunk}`), count, { chunks: new Map([[chunk, bytes]]) });
      await other.execute(say('b'), count);
      expect(other.recent(0, 3)).toEqual([]);
      expect(other.recent(2, 3)).toHaveLength(1);
      await elsewhere().execute(say('c'), count);
      await other.follow();
      expect(other.recent(2, 4)).toEqual([]);
      for (let i = 0; i < 3; i++) await other.execute(say(...Array.from({ length: 400 }, () => 'd')), count);
      expect(other.recent(5, 7)).toHaveLength(2);
      expect(other.recent(4, 7)).toEqual([]);

      // What does not follow on what it has changes nothing, and the rest is read.
      await host.read(said);
      await other.execute(say('e'), count);
      host.hear(other.recent(7, 8));
      await host.reach(8);
      expect(await host.read(({ seq }) => seq)).toBe(8);
    });

    it('does not go on for ever where another never stops', async () => {
      await host.read(said);
      const other = elsewhere();
      const read = store.read.bind(store);
      vi.spyOn(store, 'read').mockImplementation(async function* (journal, after) {
        yield* read(journal, after);
        // One more with every look.
        await other.execute(say('more'), count);
        void host.follow(await store.head('words'));
      });
      await host.follow();
    });

    it('reads a journal that cannot be folded once, however often it is asked for', async () => {
      await host.execute(say('a'), count);
      const commit = { seq: 2, id: 'other', time: 1, events: [{ word: 'unfoldable' }] };
      await new MemoryStore(disk).append('words', commit);
      const read = vi.spyOn(store, 'read');
      for (let i = 0; i < 5; i++) {
        await host.follow();
        await expect(host.read(said)).rejects.toThrow(DamagedJournalError);
      }
      expect(read).toHaveBeenCalledTimes(2);
    });

    it('tells whoever asks next that the tail cannot be folded', async () => {
      await host.execute(say('a'), count);
      const commit = { seq: 2, id: 'other', time: 1, events: [{ word: 'unfoldable' }] };
      await new MemoryStore(disk).append('words', commit);
      await host.follow();
      await expect(host.read(said)).rejects.toThrow(DamagedJournalError);
    });
  });

  describe('when the store fails', () => {
    it('says that it is full, forgets what it had folded, and goes on when there is space', async () => {
      await host.execute(say('a'), count);
      store.mishaps.push(() => Promise.reject(new StoreFullError('full')));
      const outcomes = await Promise.allSettled([
        host.execute(say('lost'), count),
        host.execute(say('lost too'), count),
      ]);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'STORE_FULL' } });
      expect(await host.read(said)).toEqual(['a']);
      expect(await host.execute(say('b'), count)).toBe(2);
    });

    it('reloads by itself, so that whoever follows has something to look at', async () => {
      await host.execute(say('a'), count);
      const reading = vi.spyOn(store, 'read');
      store.mishaps.push(() => Promise.reject(new StoreFullError('full')));
      await host.execute(say('lost'), count).catch(() => undefined);
      await host.settled();
      expect(reading).toHaveBeenCalledOnce();
    });

    it('tries again a commit of unknown outcome that was lost', async () => {
      store.mishaps.push(() => Promise.reject(unavailable()));
      const answer = host.execute(say('a'), count);
      await world.pass(1_000);
      expect(await answer).toBe(1);
      expect(commits()).toEqual([['a']]);
    });

    it('takes one that had landed after all for the success that it was', async () => {
      store.mishaps.push((land) => {
        land();
        throw unavailable();
      });
      const answer = host.execute(say('a'), count);
      await world.pass(1_000);
      expect(await answer).toBe(1);
      expect(commits()).toEqual([['a']]);
    });

    it('says so when it stays out of reach, and shows what had landed to those who follow', async () => {
      await host.read(said);
      const changed = vi.fn();
      host.onChange(changed);
      store.mishaps.push(
        (land) => {
          land();
          throw unavailable();
        },
        () => Promise.reject(unavailable()),
        () => Promise.reject(unavailable()),
      );
      const answer = host.execute(say('a'), count).catch((error) => error);
      await world.pass(1_000);
      expect(await answer).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await host.settled();
      expect(changed).toHaveBeenCalledOnce();
      expect(await host.read(said)).toEqual(['a']);
    });

    it('keeps nobody waiting for a store that does not answer, and goes on when it does', async () => {
      await host.execute(say('a'), count);
      const hanging = gate();
      store.mishaps.push(async (land) => {
        await hanging.pass();
        land();
      });
      const outcome = (asked: Promise<unknown>) => asked.catch(({ code }) => code);
      const asked = [outcome(host.execute(say('b'), count))];
      await hanging.reached;
      asked.push(outcome(host.execute(say('c'), count)), outcome(host.read(said)));
      await world.pass(STORE_PATIENCE_MS - 1);
      expect(await Promise.race([...asked, 'WAITING'])).toBe('WAITING');
      await world.pass(1);
      expect(await Promise.all(asked)).toEqual(asked.map(() => 'STORE_UNAVAILABLE'));
      // Whoever comes meanwhile is told at once.
      expect(await outcome(host.execute(say('d'), count))).toBe('STORE_UNAVAILABLE');
      expect(await outcome(host.read(said))).toBe('STORE_UNAVAILABLE');

      hanging.open();
      await host.settled();
      // The commit under way has landed after all; the others have done nothing.
      expect(await host.read(said)).toEqual(['a', 'b']);
      expect(await host.execute(say('e'), count)).toBe(3);
    });

    it('does the same while it cannot load what it has thrown away, but waits for what only takes long', async () => {
      const hanging = gate();
      const reading = vi.spyOn(store, 'read').mockImplementationOnce(async function* () {
        await hanging.pass();
        yield* new MemoryStore(disk).read('words', 0);
      });
      const first = host.read(said);
      await world.pass(10 * STORE_PATIENCE_MS);
      hanging.open();
      expect(await first).toEqual([]);

      store.mishaps.push(() => Promise.reject(new StoreFullError('full')));
      const again = gate();
      reading.mockImplementationOnce(async function* () {
        await again.pass();
        yield* new MemoryStore(disk).read('words', 0);
      });
      await host.execute(say('a'), count).catch(() => undefined);
      const read = host.read(said).catch(({ code }) => code);
      await world.pass(STORE_PATIENCE_MS);
      expect(await read).toBe('STORE_UNAVAILABLE');
      again.open();
      await host.settled();
      expect(await host.read(said)).toEqual([]);
    });

    it('leaves no timer behind', async () => {
      store.mishaps.push(() => Promise.reject(unavailable()));
      const answer = host.execute(say('a'), count);
      await world.pass(1_000);
      await answer;
      expect(world.timers).toBe(0);
    });
  });

  describe('when one command gives what cannot be kept', () => {
    it.each([
      ['is too large', 'x'.repeat(MAX_VALUE_BYTES), { code: 'INVALID_INPUT' }],
      ['is no text', 'half a pair: \ud800', { name: 'TypeError' }],
    ])('fails that one alone, if it %s', async (_, bad, reason) => {
      const outcomes = await Promise.allSettled([
        host.execute(say('a'), count),
        host.execute(say(bad), count),
        host.execute(say('b'), count),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(outcomes[1]).toMatchObject({ reason });
      expect(await host.read(said)).toEqual(['a', 'b']);
    });

    it('splits a commit that is too large only as a whole', async () => {
      const third = 'x'.repeat(MAX_VALUE_BYTES / 3);
      const answers = await Promise.all(Array.from({ length: 4 }, () => host.execute(say(third), count)));
      expect(answers).toEqual([1, 2, 3, 4]);
    });
  });

  describe('loading', () => {
    it('folds what the journal holds, chunks too', async () => {
      const chunk = await store.putChunk(Buffer.from('from a chunk'), 1);
      const chunks = new Map([[chunk, Buffer.from('from a chunk')]]);
      await host.execute(say('a', `#${chunk}`), count, { chunks });
      expect(await open().read(said)).toEqual(['a', 'from a chunk']);
    });

    it('names the journal, the commit and the chunk that is missing', async () => {
      const chunk = await store.putChunk(Buffer.from('text'), 1);
      await host.execute(say('a'), count);
      await host.execute(say(`#${chunk}`), count, { chunks: new Map([[chunk, Buffer.from('text')]]) });
      store.loseChunk(chunk);
      const error = await open()
        .read(said)
        .catch((error) => error);
      expect(error).toBeInstanceOf(DamagedJournalError);
      expect(error.message).toBe(
        `journal words cannot be read at commit 2: chunk ${chunk} is missing from the store; restore a backup`,
      );
    });

    it('fails commands and reads alike, and tries again for the next', async () => {
      const reading = vi.spyOn(store, 'read').mockImplementationOnce(() => {
        throw unavailable();
      });
      const outcomes = await Promise.allSettled([host.read(said), host.execute(say('a'), count)]);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } });
      }
      expect(await host.execute(say('a'), count)).toBe(1);
      expect(reading).toHaveBeenCalledTimes(2);
    });

    it('gives way to other work now and then', async () => {
      for (let i = 0; i < 1_001; i++) await host.execute(say('word'), count);
      const loaded = vi.fn();
      const reading = open().read(count).then(loaded);
      await settle();
      expect(world.timers).toBe(1);
      expect(loaded).not.toHaveBeenCalled();
      await world.pass(0);
      await reading;
      expect(loaded).toHaveBeenCalledWith(1_001);
    });

    it('happens once, however many wait for it', async () => {
      await host.execute(say('a'), count);
      const reading = vi.spyOn(store, 'read');
      const late = open();
      await Promise.all([late.read(said), late.read(said), late.execute(say('b'), count)]);
      expect(reading).toHaveBeenCalledOnce();
    });
  });

  it('settles only when nothing is under way', async () => {
    const syncing = gate();
    store.mishaps.push(async (land) => {
      await syncing.pass();
      land();
    });
    void host.execute(say('a'), count);
    const settled = vi.fn();
    const settling = host.settled().then(settled);
    await syncing.reached;
    void host.execute(say('b'), count);
    await settle();
    expect(settled).not.toHaveBeenCalled();
    syncing.open();
    await settling;
    expect(commits()).toEqual([['a'], ['b']]);
  });

  it('calls a listener back until it is let go', async () => {
    await host.read(said);
    const changed = vi.fn();
    const stop = host.onChange(changed);
    await host.execute(say('a'), count);
    stop();
    await host.execute(say('b'), count);
    expect(changed).toHaveBeenCalledOnce();
  });
});
