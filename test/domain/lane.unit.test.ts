import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lane } from '../../src/domain/lane.ts';

const READERS = 3;

const act = fc.record({
  by: fc.nat({ max: READERS - 1 }),
  does: fc.constantFrom('take', 'take', 'take', 'look', 'fill', 'free', 'forget', 'grow'),
  at: fc.nat({ max: 1_000 }),
});

/** Positions with room, and who has had which; the lane is told of what comes back, as the fold tells it. */
class Order {
  readonly lane = new Lane();
  readonly room: boolean[] = [];
  readonly had = Array.from({ length: READERS }, () => new Set<number>());

  view(by: number) {
    return {
      length: this.room.length,
      hasRoom: (position: number) => this.room[position] === true,
      hadBefore: (position: number) => this.had[by]?.has(position) === true,
    };
  }

  first(by: number): number | undefined {
    const { hasRoom, hadBefore } = this.view(by);
    return [...this.room.keys()].find((position) => hasRoom(position) && !hadBefore(position));
  }

  free(position: number): void {
    this.room[position] = true;
    this.lane.freed(position);
  }
}

describe('a lane', () => {
  it('finds the first that fits, whatever was filled, freed and forgotten', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200, size: 'max' }), (acts) => {
        const order = new Order();
        for (let i = 0; i < 10; i++) order.room.push(true);
        for (const { by, does, at } of acts) {
          const position = at % order.room.length;
          const found = order.lane.find(by, order.view(by));
          expect(found).toBe(order.first(by));
          if (does === 'take' && found !== undefined) {
            order.had[by]?.add(found);
            order.room[found] = at % 2 === 0;
          } else if (does === 'look') {
            expect(order.lane.hasRoom(order.view(by))).toBe(order.room.includes(true));
          } else if (does === 'fill') order.room[position] = false;
          else if (does === 'free') order.free(position);
          else if (does === 'forget') {
            order.had[by]?.delete(position);
            if (order.room[position]) order.lane.freed(position);
          } else if (does === 'grow') order.room.push(at % 2 === 0);
        }
      }),
    );
  });

  it('stays exact over more returns than it cares to remember', () => {
    const order = new Order();
    for (let i = 0; i < 50; i++) order.room.push(false);
    order.room.push(true);
    for (let i = 0; i < 5_000; i++) {
      const position = (i * 7) % 50;
      order.free(position);
      const by = i % READERS;
      if (i % 100 < 90) expect(order.lane.find(by, order.view(by))).toBe(position);
      order.room[position] = false;
    }
    for (let by = 0; by < READERS; by++) expect(order.lane.find(by, order.view(by))).toBe(50);
  });

  it('looks at each position about once, however many people and claims there are', () => {
    const order = new Order();
    for (let i = 0; i < 10_000; i++) order.room.push(true);
    let looks = 0;
    const counting = (by: number) => {
      const view = order.view(by);
      return {
        ...view,
        hasRoom: (position: number) => {
          looks++;
          return view.hasRoom(position);
        },
      };
    };
    for (let claims = 0; claims < 10_000; claims++) {
      const by = claims % READERS;
      const found = order.lane.find(by, counting(by));
      expect(found).toBe(claims);
      order.room[claims] = false;
    }
    for (let claims = 0; claims < 1_000; claims++)
      order.lane.find(claims % READERS, counting(claims % READERS));
    expect(looks).toBeLessThan(10_000 * (READERS + 2));
  });
});
