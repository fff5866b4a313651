import { describe, expect, it, vi } from 'vitest';
import { ByteBudget } from '../../src/http/byteBudget.ts';

describe('ByteBudget', () => {
  it('lets in what there is room for, and the others in turn', () => {
    const budget = new ByteBudget(10);
    const entered: string[] = [];
    const enter = (name: string) => () => entered.push(name);
    const a = budget.take(6, enter('a'));
    const b = budget.take(6, enter('b'));
    budget.take(1, enter('c'));
    expect(entered).toEqual(['a']);
    a();
    expect(entered).toEqual(['a', 'b', 'c']);
    b();
    expect(budget.waiting).toBe(0);
  });

  it('lets nobody overtake, or the large would wait for ever', () => {
    const budget = new ByteBudget(10);
    const large = vi.fn();
    const small = vi.fn();
    const first = budget.take(5, vi.fn());
    budget.take(10, large);
    budget.take(1, small);
    expect(small).not.toHaveBeenCalled();
    first();
    expect(large).toHaveBeenCalledOnce();
    expect(small).not.toHaveBeenCalled();
  });

  it('gives all to who asks for more than there is', () => {
    const budget = new ByteBudget(10);
    const enter = vi.fn();
    const over = budget.take(100, enter);
    expect(enter).toHaveBeenCalledOnce();
    over();
    budget.take(10, enter);
    expect(enter).toHaveBeenCalledTimes(2);
  });

  it('forgets who leaves the queue, and lets the next in', () => {
    const budget = new ByteBudget(10);
    const first = budget.take(8, vi.fn());
    const gone = vi.fn();
    const next = vi.fn();
    const leave = budget.take(10, gone);
    budget.take(2, next);
    leave();
    leave();
    expect(next).toHaveBeenCalledOnce();
    first();
    expect(gone).not.toHaveBeenCalled();
  });

  it('takes nothing back twice', () => {
    const budget = new ByteBudget(10);
    const over = budget.take(10, vi.fn());
    over();
    over();
    budget.take(10, vi.fn());
    const third = vi.fn();
    budget.take(1, third);
    expect(third).not.toHaveBeenCalled();
  });
});
