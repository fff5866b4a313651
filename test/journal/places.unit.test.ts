import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { commitsAfter, FIRST_PLACE, idOf, placeOf, SEQ_END, standingAt } from '../../src/journal/places.ts';

const name = fc
  .oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.stringMatching(/^[ab/%0-9]{1,8}$/))
  .filter((text) => !text.includes('\0'));
const seq = fc.integer({ min: 1, max: SEQ_END - 1 });

it('names a commit so that its journal is known', () => {
  fc.assert(
    fc.property(name, seq, (journal, n) => {
      expect(standingAt(placeOf(journal, n))).toStrictEqual({ journal, seq: n });
    }),
  );
  expect(placeOf('p', 1)).toBe(`p${FIRST_PLACE}`);
});

it('orders the commits of a journal by number, and those of others lie not among them', () => {
  const range = (journal: string, after: number) =>
    commitsAfter(journal, after).filter._id as { $gt: string; $lte: string };
  const isWithin = (place: string, { $gt, $lte }: { $gt: string; $lte: string }) =>
    place > $gt && place <= $lte;
  fc.assert(
    fc.property(name, name, seq, seq, (journal, other, a, b) => {
      expect(placeOf(journal, a) < placeOf(journal, b)).toBe(a < b);
      expect(isWithin(placeOf(journal, a), range(journal, b))).toBe(a > b);
      if (other !== journal) expect(isWithin(placeOf(other, a), range(journal, 0))).toBe(false);
    }),
  );
});

it('calls no two documents the same', () => {
  expect(idOf('a', 'b/c')).not.toBe(idOf('a/b', 'c'));
  expect(idOf('a%2Fb', 'c')).not.toBe(idOf('a/b', 'c'));
});
