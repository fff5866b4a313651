import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeCommit, encodeCommit } from '../../src/journal/codec.ts';
import { StoreError } from '../../src/journal/port.ts';

const COMMIT = {
  seq: 7,
  id: 'commit-7',
  time: 1e12,
  events: [{ type: 'scored', scores: new Float64Array(50) }],
};

it('a commit of which any bytes were lost or changed is refused, zeros among zeros or not', () => {
  const sound = encodeCommit(COMMIT);
  expect(decodeCommit('project', 7, sound)).toEqual(COMMIT);
  const place = fc.nat(sound.length - 1);
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, isCut) => {
      const damaged = isCut ? sound.slice(0, at) : sound.slice();
      if (!isCut) damaged[at] = (damaged[at] ?? 0) ^ change;
      expect(() => decodeCommit('project', 7, damaged)).toThrow(StoreError);
    }),
  );
});
