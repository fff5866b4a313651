import { deriveSeed, generator, hashText, randomAt } from '@concord/sdk/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox } from '../../sdk/src/strategy/random.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });

describe('philox', () => {
  // Random123's kat_vectors, philox2x32 of 10 rounds: counter, key, expected words.
  it.each([
    [0x00000000, 0x00000000, 0x00000000, 0xff1dae59, 0x6cd10df2],
    [0xffffffff, 0xffffffff, 0xffffffff, 0x2c3f628b, 0xab4fd7ad],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0xdd7ce038, 0xf62a4c12],
  ])('gives the published answer for counter %i, %i and key %i', (counter, stream, seed, left, right) => {
    expect(philox(seed, counter, stream)).toBe(left * 2 ** 21 + (right >>> 11));
  });
});

describe('the generator of a strategy', () => {
  it('draws as randomAt does, and refuses what would be taken for another sample or stream', () => {
    const random = generator(7);
    fc.assert(fc.property(uint32, uint32, (at, stream) => random(at, stream) === randomAt(7, at, stream)));
    expect(random(3)).toBe(randomAt(7, 3));
    for (const wrong of [
      -1,
      0.5,
      2 ** 32,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      undefined as never,
      '1' as never,
    ]) {
      expect(() => random(wrong)).toThrow(RangeError);
      expect(() => random(wrong)).toThrow(/an ordinal from 0 to 4294967295/);
      if (wrong !== undefined) expect(() => random(0, wrong)).toThrow(/a stream from 0 to 4294967295/);
    }
  });
});

describe('randomAt', () => {
  it('is in [0, 1) and fixed by its arguments', () => {
    fc.assert(
      fc.property(uint32, uint32, uint32, (seed, counter, stream) => {
        const value = randomAt(seed, counter, stream);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
        expect(randomAt(seed, counter, stream)).toBe(value);
      }),
    );
  });

  it('is uniform over consecutive ordinals, seeds and streams', () => {
    const draws = 100_000;
    for (const at of [
      (i: number) => randomAt(7, i),
      (i: number) => randomAt(i, 7),
      (i: number) => randomAt(7, 7, i),
    ]) {
      const bins = new Array<number>(100).fill(0);
      for (let i = 0; i < draws; i++) {
        const bin = Math.floor(at(i) * 100);
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
      const expected = draws / 100;
      const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // The 0.1 % and 99.9 % points of chi-square with 99 degrees of freedom.
      expect(chiSquare).toBeGreaterThan(60.3);
      expect(chiSquare).toBeLessThan(148.2);
    }
  });
});

describe('hashText', () => {
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('gives the published FNV-1a of %j', (text, hash) => {
    expect(hashText(text)).toBe(hash);
  });
});

describe('deriveSeed', () => {
  it('gives each name a seed of its own', () => {
    expect(deriveSeed(1, 'margin')).toBe(deriveSeed(1, 'margin'));
    expect(
      new Set([deriveSeed(1, 'margin'), deriveSeed(1, 'entropy'), deriveSeed(2, 'margin'), 1]).size,
    ).toBe(4);
  });
});
