import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { majority } from '../../src/domain/consensus.ts';

describe('majority', () => {
  it.each([
    [[], { kind: 'none' }],
    [[3], { kind: 'label', label: 3, votes: 1, of: 1 }],
    [[1, 0, 1], { kind: 'label', label: 1, votes: 2, of: 3 }],
    [[10, 2], { kind: 'tie', labels: [2, 10], votes: 1, of: 2 }],
    [[4, 0, 4, 0, 7], { kind: 'tie', labels: [0, 4], votes: 2, of: 5 }],
    // A plurality is enough: two of five.
    [[1, 1, 2, 3, 4], { kind: 'label', label: 1, votes: 2, of: 5 }],
  ])('of %j is %j', (labels, expected) => {
    expect(majority(labels)).toEqual(expected);
  });

  it('does not depend on the order of labels, and gives none of them more than its votes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1 }), (labels) => {
        const found = majority(labels);
        expect(majority(labels.toReversed())).toEqual(found);
        if (found.kind === 'none') expect.fail('there are labels');
        const winners = found.kind === 'tie' ? found.labels : [found.label];
        for (const label of new Set(labels)) {
          const votes = labels.filter((other) => other === label).length;
          expect(winners.includes(label) ? votes === found.votes : votes < found.votes).toBe(true);
        }
        expect(found.of).toBe(labels.length);
      }),
    );
  });
});
