import { defineStrategy, entropy, margin, randomAt, sharedMatrices } from '@concord/sdk/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidPoolError, NO_ROW, type SamplePool } from '../../src/strategies/pool.ts';
import { builtIns, choose, unpredicted } from './support.ts';

/** Kernels score class probabilities where they lie. Nothing may show it but the time that it takes. */

interface Shape {
  readonly samples: number;
  readonly classes: number;
  /** Of a hundred samples: how many have no row, and how many are auto-accepted. */
  readonly missing: number;
  readonly accepted: number;
  /** Whether rows come in another order than samples. */
  readonly turned: boolean;
}

/** The same pool twice: on memory that kernels reach, and elsewhere. */
function pools({ samples, classes, missing, accepted, turned }: Shape) {
  const share = (i: number, stream: number) => 100 * randomAt(3, i, stream);
  const has = Array.from({ length: samples }, (_, i) => share(i, 1) >= missing);
  const rows = has.filter(Boolean).length;
  let row = 0;
  const rowOf = Uint32Array.from(has, (has) => (has ? (turned ? rows - 1 - row++ : row++) : NO_ROW));
  const { memory, matrices } = sharedMatrices(3, rows * classes);
  for (const [m, matrix] of matrices.entries()) {
    for (let i = 0; i < rows; i++) {
      // Few different values, so that ties abound.
      const masses = Array.from({ length: classes }, (_, c) => 1 + Math.floor(4 * randomAt(m, i, c)));
      const sum = masses.reduce((a, b) => a + b);
      matrix.set(
        masses.map((mass) => mass / sum),
        i * classes,
      );
    }
  }
  const pool = (predictions: NonNullable<SamplePool['predictions']>): SamplePool => ({
    ...unpredicted(samples, classes),
    accepted: Uint8Array.from({ length: samples }, (_, i) => Number(share(i, 2) < accepted)),
    predictions,
  });
  const [probabilities, ...passes] = matrices as [Float32Array, ...Float32Array[]];
  return {
    matrices,
    there: pool({ rowOf, probabilities, passes, memory, passesMemory: memory }),
    elsewhere: pool({ rowOf, probabilities: probabilities.slice(), passes: passes.map((m) => m.slice()) }),
  };
}

const shapes = fc.record({
  samples: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(9_000)),
  classes: fc.integer({ min: 2, max: 12 }),
  missing: fc.constantFrom(0, 1, 60),
  accepted: fc.constantFrom(0, 1, 60),
  turned: fc.boolean(),
});

const KERNELS = ['entropy', 'margin', 'least-confident', 'bald', 'vote-entropy'] as const;

describe('rows that are scored where they lie', () => {
  it.each(KERNELS)('have the same scores to the last bit: %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(15), async (shape, seat) => {
        const { there, elsewhere } = pools(shape);
        const copied = await choose(builtIns[name], elsewhere, 100);
        expect(await choose(builtIns[name], there, 100, { seat })).toEqual(copied);
        // Who has no seat copies them.
        expect(await choose(builtIns[name], there, 100)).toEqual(copied);
        expect(await choose(builtIns[name], there, 100, { seat: 16 })).toEqual(copied);
      }),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 20) },
    );
  });

  it('are a copy for a plugin that reads them, and what it wrote there counts', async () => {
    const shape = { samples: 3_000, classes: 4, missing: 2, accepted: 2, turned: false };
    const { there, elsewhere, matrices } = pools(shape);
    const before = matrices.map((matrix) => matrix.slice());
    const sharpened = defineStrategy({
      name: 'sharpened',
      description: 'Writes to what it is given.',
      needs: ['probabilities'],
      maximum: Math.log,
      score(rows) {
        // As they are, and as they are after.
        const scores = entropy(rows).slice();
        rows.probabilities.forEach((p, i) => {
          rows.probabilities[i] = p ** 2;
        });
        return margin(rows).map((score, i) => score * (scores[i] as number));
      },
    });
    const chosen = await choose(sharpened, there, 50, { seat: 2 });
    expect(chosen).toEqual(await choose(sharpened, elsewhere, 50));
    expect(chosen).not.toEqual(await choose(builtIns.margin, elsewhere, 50));
    expect(matrices).toEqual(before);
  });

  it.each([false, true])('must be there (in another order: %s)', async (turned) => {
    const { there } = pools({ samples: 20, classes: 2, missing: 0, accepted: 0, turned });
    const predictions = there.predictions as NonNullable<SamplePool['predictions']>;
    const short = {
      ...there,
      predictions: { ...predictions, passes: null, probabilities: new Float32Array(38) },
    };
    await expect(choose(builtIns.entropy, short, 5, { seat: 0 })).rejects.toThrow(InvalidPoolError);
  });
});
