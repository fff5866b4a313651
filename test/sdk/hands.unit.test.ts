import type { Queue } from '@concord/sdk/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hands } from '../../sdk/src/annotator/hands.ts';

function queue(seq: number, ...ids: readonly string[]): Queue {
  return {
    seq,
    assignments: ids.map((id) => ({ id })),
    empty: null,
    workSession: null,
    answers: 0,
  } as unknown as Queue;
}

describe('hands', () => {
  it('give out each assignment once, oldest first', () => {
    const hands = new Hands();
    expect(hands.give()).toBeNull();
    hands.update(queue(1, 'a', 'b'));
    expect([hands.give()?.id, hands.give()?.id, hands.give()]).toEqual(['a', 'b', null]);
    hands.update(queue(2, 'b', 'c'));
    expect([hands.give()?.id, hands.give()]).toEqual(['c', null]);
  });

  it('are not fooled by a state that comes late', () => {
    const hands = new Hands();
    hands.update(queue(1, 'a'));
    hands.give();
    hands.update(queue(3, 'b'));
    expect(hands.update(queue(2, 'a'))).toBe(false);
    expect([hands.give()?.id, hands.give()]).toEqual(['b', null]);
  });

  it('give out again what came back: undone, or released and claimed anew', () => {
    const hands = new Hands();
    hands.update(queue(1, 'a'));
    hands.give();
    hands.update(queue(2));
    hands.update(queue(3, 'a'));
    expect(hands.give()?.id).toBe('a');
    hands.forget('a');
    hands.update(queue(5, 'a'));
    expect(hands.give()?.id).toBe('a');
  });

  it('give nothing twice, and withhold nothing, in whatever order states arrive', () => {
    const history = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat({ max: 3 })), (states, lags) => {
        const hands = new Hands();
        let newest = -1;
        let outside = new Set<string>();
        for (const [seq] of states.entries()) {
          const arriving = Math.max(0, seq - (lags.next().value ?? 0));
          const ids = [...new Set(states[arriving])];
          if (hands.update(queue(arriving, ...ids)) && arriving >= newest) {
            newest = arriving;
            outside = new Set([...outside].filter((id) => ids.some((held) => held === id)));
          }
          for (let given = hands.give(); given !== null; given = hands.give()) {
            expect(outside.has(given.id)).toBe(false);
            outside.add(given.id);
          }
          expect(outside).toEqual(new Set(states[newest]));
        }
      }),
    );
  });
});
