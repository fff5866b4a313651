import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SnapshotTaken } from '../../src/service/snapshots.ts';
import { Upkeep } from '../../src/service/upkeep.ts';
import { StillWorld, settle } from '../support/stillWorld.ts';

describe('the upkeep', () => {
  let world: StillWorld;
  const tasks = {
    snapshot: vi.fn<(journal: string) => Promise<SnapshotTaken | null>>(),
    sweep: vi.fn(async () => ({ chunks: 3, deleted: 1 })),
    close: vi.fn<() => Promise<void>>(),
  };
  const listener = { onSnapshot: vi.fn(), onSweep: vi.fn(), onProblem: vi.fn() };
  let upkeep: Upkeep;

  beforeEach(() => {
    vi.clearAllMocks();
    tasks.close.mockResolvedValue();
    tasks.snapshot.mockResolvedValue({ seq: 7, bytes: 1_000 });
    world = new StillWorld();
    upkeep = new Upkeep(tasks, world, listener);
  });

  it('takes a snapshot once enough has been folded, again and again', async () => {
    upkeep.onFolded('p', 150_000);
    await settle();
    expect(tasks.snapshot).not.toHaveBeenCalled();
    upkeep.onFolded('other', 100_000);
    upkeep.onFolded('p', 50_000);
    await settle();
    expect(tasks.snapshot.mock.calls).toEqual([['p']]);
    expect(listener.onSnapshot).toHaveBeenCalledExactlyOnceWith('p', { seq: 7, bytes: 1_000 });
    upkeep.onFolded('p', 199_999);
    await settle();
    expect(tasks.snapshot).toHaveBeenCalledOnce();
    upkeep.onFolded('p', 1);
    await settle();
    expect(tasks.snapshot).toHaveBeenCalledTimes(2);
  });

  it('takes those of a large project after more', async () => {
    tasks.snapshot.mockResolvedValue({ seq: 7, bytes: 300_000_000 });
    upkeep.onFolded('p', 200_000);
    await settle();
    upkeep.onFolded('p', 299_999);
    await settle();
    expect(tasks.snapshot).toHaveBeenCalledOnce();
    upkeep.onFolded('p', 1);
    await settle();
    expect(tasks.snapshot).toHaveBeenCalledTimes(2);
  });

  it('does one thing at a time, and counts what is folded meanwhile', async () => {
    let finish: (taken: SnapshotTaken) => void = () => undefined;
    tasks.snapshot.mockReturnValueOnce(
      new Promise((resolve) => {
        finish = resolve;
      }),
    );
    upkeep.onFolded('p', 200_000);
    upkeep.onFolded('q', 200_000);
    upkeep.onFolded('p', 200_000);
    await settle();
    expect(tasks.snapshot.mock.calls).toEqual([['p']]);
    finish({ seq: 1, bytes: 1 });
    await settle();
    expect(tasks.snapshot.mock.calls).toEqual([['p'], ['q'], ['p']]);
  });

  it('tells of what fails, and tries again after as much once more', async () => {
    tasks.snapshot.mockRejectedValueOnce(new Error('full'));
    upkeep.onFolded('p', 200_000);
    await settle();
    expect(listener.onProblem).toHaveBeenCalledExactlyOnceWith('p', 'full');
    upkeep.onFolded('p', 1);
    await settle();
    expect(tasks.snapshot).toHaveBeenCalledOnce();
    upkeep.onFolded('p', 199_999);
    await settle();
    expect(listener.onSnapshot).toHaveBeenCalledOnce();
  });

  it('tells of a snapshot that is of no use', () => {
    upkeep.onUselessSnapshot('p', 'chunk abc is missing');
    expect(listener.onProblem).toHaveBeenCalledExactlyOnceWith(
      'p',
      expect.stringContaining('chunk abc is missing'),
    );
  });

  it('sweeps now and then, and goes on when that fails', async () => {
    await world.pass(9 * 60_000);
    expect(tasks.sweep).not.toHaveBeenCalled();
    await world.pass(60_000);
    expect(listener.onSweep.mock.calls).toEqual([[{ chunks: 3, deleted: 1 }]]);
    tasks.sweep.mockRejectedValueOnce(new Error('no'));
    await world.pass(6 * 3_600_000);
    expect(listener.onProblem).toHaveBeenCalledExactlyOnceWith(null, 'no');
    await world.pass(6 * 3_600_000);
    expect(listener.onSweep).toHaveBeenCalledTimes(2);
  });

  it('ends what is under way, and leaves no timer', async () => {
    let stop: () => void = () => undefined;
    tasks.snapshot.mockReturnValueOnce(
      new Promise((_, reject) => {
        stop = () => reject(new Error('stopped'));
      }),
    );
    tasks.close.mockImplementationOnce(async () => stop());
    upkeep.onFolded('p', 200_000);
    upkeep.onFolded('q', 200_000);
    await settle();
    await upkeep.close();
    expect(listener.onProblem).not.toHaveBeenCalled();
    expect(tasks.snapshot).toHaveBeenCalledOnce();
    expect(world.timers).toBe(0);
  });
});
