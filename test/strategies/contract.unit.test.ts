import { defineStrategy, type FullSelection, isStrategy } from '@concord/sdk/strategy';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';

const sound = {
  name: 'sound',
  description: 'A strategy in order.',
  maximum: () => 1,
  score: ({ length }: { length: number }) => new Float64Array(length),
};

describe('defineStrategy', () => {
  it('gives a strategy that the host knows again', () => {
    expect(isStrategy(defineStrategy(sound))).toBe(true);
    expect(isStrategy(sound)).toBe(false);
    expect(isStrategy(null)).toBe(false);
  });

  it.each([
    ['a name that is not kebab-case', { ...sound, name: 'Least_Confident' }, /kebab-case.*"Least_Confident"/],
    ['no name', { ...sound, name: undefined }, /kebab-case/],
    ['a description of two lines', { ...sound, description: 'one\ntwo' }, /sound: description/],
    ['an empty description', { ...sound, description: '' }, /sound: description/],
    ['parameters that are no schema', { ...sound, parameters: { share: 0.2 } }, /Standard Schema/],
    ['a need that does not exist', { ...sound, needs: ['gradients'] }, /"gradients".*probabilities/],
    ['needs that are no list', { ...sound, needs: 'probabilities' }, /needs must be a list/],
    ['neither score nor select', { ...sound, score: undefined }, /either score or select/],
    ['both score and select', { ...sound, select: () => {} }, /either score or select/],
    ['a score that is no function', { ...sound, score: 1 }, /must be a function/],
    ['a score without maximum', { ...sound, maximum: undefined }, /maximum is missing/],
    ['a maximum that is no function', { ...sound, maximum: 1 }, /maximum must be a function/],
    ['reasons that are no function', { ...sound, reasons: 1 }, /reasons must be a function/],
    [
      'reasons beside a select',
      { name: 'sound', description: 'Sound.', select: () => {}, reasons: () => [] },
      /reasons goes with score/,
    ],
    ['a score that asks', { ...sound, asks: () => [] }, /asks goes with select/],
  ])('refuses %s', (_, definition, message) => {
    expect(() => defineStrategy(definition as unknown as typeof sound)).toThrow(message);
    expect(() => defineStrategy(definition as unknown as typeof sound)).toThrow(TypeError);
  });
});

/** Compiled by `npm run types`; running them shows only that they are sound definitions. */
describe('types', () => {
  it('gives probabilities to a strategy that needs them', () => {
    defineStrategy({
      ...sound,
      needs: ['probabilities'],
      score(rows, context) {
        expectTypeOf(rows.probabilities).toEqualTypeOf<Float32Array>();
        expectTypeOf(rows.ordinals).toEqualTypeOf<Uint32Array>();
        expectTypeOf(context.random).toEqualTypeOf<(ordinal: number, stream?: number) => number>();
        return rows.probabilities;
      },
    });
    defineStrategy({
      name: 'sound',
      description: 'Select.',
      needs: ['probabilities'],
      select(pool) {
        expectTypeOf(pool.probabilities).toEqualTypeOf<Float32Array>();
        return { ordinals: pool.ordinals };
      },
    });
  });

  it('gives none to a strategy that does not', () => {
    defineStrategy({
      ...sound,
      score(rows) {
        expectTypeOf(rows.probabilities).toEqualTypeOf<null>();
        return new Float32Array(rows.length);
      },
    });
    defineStrategy({
      name: 'sound',
      description: 'Select.',
      select(pool) {
        expectTypeOf(pool.probabilities).toEqualTypeOf<null>();
        return { ordinals: pool.ordinals };
      },
    });
  });

  it('infers the parameters from the schema, defaults filled in', () => {
    defineStrategy({
      ...sound,
      parameters: z.object({ beta: z.number().default(1), base: z.string().optional() }),
      score(rows, { parameters }) {
        expectTypeOf(parameters).toEqualTypeOf<{ beta: number; base?: string | undefined }>();
        return new Float64Array(rows.length);
      },
    });
    defineStrategy({
      name: 'sound',
      description: 'Select.',
      parameters: z.object({ base: z.string() }),
      asks: ({ base }) => [{ strategy: base }],
      async select(pool, { parameters, ask }) {
        expectTypeOf(parameters).toEqualTypeOf<{ base: string }>();
        expectTypeOf(ask).returns.resolves.toEqualTypeOf<FullSelection>();
        return { ordinals: pool.ordinals };
      },
    });
  });

  it('has no parameters without a schema', () => {
    defineStrategy({
      ...sound,
      score(rows, { parameters }) {
        expectTypeOf(parameters).toEqualTypeOf<Record<string, never>>();
        return new Float64Array(rows.length);
      },
    });
  });

  it('does not compile what would not run', () => {
    const never = () => {
      // @ts-expect-error: there is no such need
      defineStrategy({ ...sound, needs: ['gradients'] });
      // @ts-expect-error: score and select exclude each other
      defineStrategy({ ...sound, select: (pool) => ({ ordinals: pool.ordinals }) });
      // @ts-expect-error: a score needs its maximum
      defineStrategy({ name: 'sound', description: 'No maximum.', score: sound.score });
      // @ts-expect-error: scores come in a typed array
      defineStrategy({ ...sound, score: ({ length }) => new Array<number>(length).fill(0) });
      const scores = new Float64Array(0);
      // @ts-expect-error: a selection names ordinals
      defineStrategy({ name: 'sound', description: 'Select.', select: () => ({ scores }) });
      // @ts-expect-error: ordinals are no plain array
      defineStrategy({ name: 'sound', description: 'Select.', select: () => ({ ordinals: [1, 2] }) });
      // @ts-expect-error: a strategy has a name
      defineStrategy({ description: 'No name.', maximum: sound.maximum, score: sound.score });
    };
    expect(never).toBeTypeOf('function');
  });
});
