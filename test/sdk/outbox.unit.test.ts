import type { Submission } from '@concord/sdk/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Answer, Outbox, type OutboxStorage, type Verdict } from '../../sdk/src/annotator/outbox.ts';
import { settle } from '../support/stillWorld.ts';

/** The storage of a browser. */
class Kept extends Map<string, string> implements OutboxStorage {
  get length(): number {
    return this.size;
  }
  key(index: number): string | null {
    return [...this.keys()][index] ?? null;
  }
  getItem(name: string): string | null {
    return this.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    this.set(name, value);
  }
  removeItem(name: string): void {
    this.delete(name);
  }
}

const answer = (assignment: string, label = 'spam'): Answer => ({ assignment, label });

/** A service as the outbox sees it: it keeps what arrives, once, and fails as it is told. */
function service(fails: (answer: Answer) => Verdict | null = () => null) {
  const recorded: string[] = [];
  const sent: Answer[] = [];
  const box = (storage: OutboxStorage | null, name = 'outbox') =>
    new Outbox({
      async send(given) {
        await settle();
        const failure = fails(given);
        if (failure !== null) throw failure;
        sent.push(given);
        if (!recorded.includes(given.assignment)) recorded.push(given.assignment);
        return { assignment: { id: given.assignment } } as Submission;
      },
      judge: (error) => error as Verdict,
      pause: settle,
      storage,
      name,
      onChange: () => undefined,
    });
  return { recorded, sent, box };
}

describe('the outbox', () => {
  it('sends one after another, and tells each what has become of it', async () => {
    const { recorded, box } = service();
    const outbox = box(null);
    const [a, b] = [outbox.put(answer('a')), outbox.put(answer('b'))];
    expect(outbox.waiting).toEqual([answer('a'), answer('b')]);
    expect(await b).toMatchObject({ assignment: { id: 'b' } });
    expect(await a).toMatchObject({ assignment: { id: 'a' } });
    expect(recorded).toEqual(['a', 'b']);
    expect(outbox.waiting).toEqual([]);
  });

  it('keeps a change of an answer apart from the answer, and sends both in their order', async () => {
    const kept = new Kept();
    const { sent, box } = service();
    const outbox = box(kept);
    const changes = [
      answer('a'),
      { ...answer('a', 'ham'), revise: true as const },
      { ...answer('a'), revise: true as const },
    ];
    for (const change of changes) void outbox.put(change);
    // The last one again.
    void outbox.put({ ...answer('a'), revise: true });
    expect(outbox.waiting).toEqual(changes);
    expect(kept.length).toBe(3);
    await outbox.settled();
    expect(sent).toEqual(changes);
    expect(kept.length).toBe(0);
  });

  it('takes an answer back with its changes', async () => {
    const { sent, box } = service();
    const outbox = box(null);
    void outbox.put(answer('a'));
    void outbox.put(answer('b'));
    void outbox.put({ ...answer('b', 'ham'), revise: true });
    expect(outbox.takeBack('b')).toBe(true);
    await outbox.settled();
    expect(sent).toEqual([answer('a')]);
  });

  it('lets go of what is refused, keeps it for who asks, and goes on', async () => {
    const { recorded, box } = service(({ assignment }) => (assignment === 'a' ? 'REFUSED' : null));
    const outbox = box(null);
    const a = outbox.put(answer('a'));
    await outbox.put(answer('b'));
    await expect(a).rejects.toBe('REFUSED');
    expect(outbox.refused).toEqual([{ ...answer('a'), error: 'REFUSED' }]);
    expect(recorded).toEqual(['b']);
  });

  it('tells who waits of trouble, and sends it later all the same', async () => {
    let isTrouble = true;
    const { recorded, box } = service(() => (isTrouble ? 'TROUBLE' : null));
    const outbox = box(null);
    await expect(outbox.put(answer('a'))).rejects.toBe('TROUBLE');
    isTrouble = false;
    await outbox.settled();
    expect(recorded).toEqual(['a']);
  });

  it('gives back what was not sent, and not what may have arrived', async () => {
    const { recorded, box } = service();
    const outbox = box(null);
    const [, b] = [outbox.put(answer('a')), outbox.put(answer('b'))];
    expect([outbox.takeBack('a'), outbox.takeBack('b'), outbox.takeBack('b')]).toEqual([false, true, false]);
    await expect(b).rejects.toThrow('taken back');
    await outbox.settled();
    expect(recorded).toEqual(['a']);
  });

  it('takes a change back before it was sent, and says that the answer itself is on its way', async () => {
    const { sent, box } = service();
    const outbox = box(null);
    void outbox.put(answer('a'));
    void outbox.put({ ...answer('a', 'ham'), revise: true });
    expect(outbox.takeBack('a')).toBe(false);
    await outbox.settled();
    expect(sent).toEqual([answer('a')]);
  });

  it('keeps what is given to one assignment again and again, each until it is recorded', async () => {
    const storage = new Kept();
    const { box } = service();
    const outbox = box(storage);
    const changes = ['ham', 'spam', 'ham'].map((label) => ({
      ...answer('a', label),
      revise: true as const,
    }));
    const [first] = changes.map((change) => outbox.put(change));
    await first;
    outbox.close();
    const { sent: later, box: open } = service();
    const second = open(storage);
    second.begin();
    await second.settled();
    expect(later).toEqual(changes.slice(1));
    expect(storage.size).toBe(0);
  });

  it('keeps what is given after it was closed, and tells so at once', async () => {
    const storage = new Kept();
    const { sent, box } = service();
    const outbox = box(storage);
    outbox.close();
    await expect(outbox.put(answer('a'))).rejects.toThrow('Closed');
    expect(sent).toEqual([]);
    expect(box(storage).waiting).toEqual([answer('a')]);
  });

  it('tells who waits when it is closed, and leaves what is kept to the next', async () => {
    const storage = new Kept();
    const { recorded, box } = service(() => 'AGAIN');
    const first = box(storage);
    const a = first.put(answer('a'));
    first.close();
    await expect(a).rejects.toThrow('Closed');
    const { recorded: later, box: open } = service();
    const second = open(storage);
    expect(second.waiting).toEqual([answer('a')]);
    second.begin();
    await second.settled();
    expect([recorded, later, storage.size]).toEqual([[], ['a'], 0]);
  });

  it('has nothing to do with what others keep in the same place, nor with what cannot be read', async () => {
    const storage = new Kept([
      ['outbox x', 'no JSON'],
      ['outbox y', '{"assignment":1}'],
      ['something else', '1'],
    ]);
    const { box } = service();
    expect(box(storage).waiting).toEqual([]);
    const other = box(storage, 'outbox of another');
    await other.put(answer('a'));
    expect([...storage.keys()]).toEqual(['outbox x', 'outbox y', 'something else']);
  });

  it('loses no answer and keeps their order, however often it fails and is opened anew', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('put', 'reopen', 'wait', 'away', 'there'), { maxLength: 40 }),
        async (steps) => {
          const storage = new Kept();
          let isAway = false;
          const { recorded, box } = service(() => (isAway ? 'AGAIN' : null));
          let outbox = box(storage);
          const given: string[] = [];
          for (const step of steps) {
            if (step === 'put') {
              given.push(`${given.length}`);
              void outbox.put(answer(given.at(-1) as string));
            } else if (step === 'reopen') {
              outbox.close();
              outbox = box(storage);
              outbox.begin();
            } else if (step === 'wait') for (let i = 0; i < 3; i++) await settle();
            else isAway = step === 'away';
          }
          isAway = false;
          outbox.begin();
          await outbox.settled();
          expect(recorded).toEqual(given);
          expect(storage.size).toBe(0);
        },
      ),
    );
  });
});
