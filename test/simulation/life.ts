import type { Environment } from '../../src/service/environment.ts';
import type { Dice } from './dice.ts';
import type { Scheduler } from './scheduler.ts';

/** What outlives a node's process: its clock, and whether its machine stands still. */
export interface Machine {
  /** How far its clock is off, in milliseconds. */
  offset: number;
  /** Until when nothing reaches it, in virtual time. */
  stalledUntil: number;
}

/** When every run begins, in milliseconds since 1970. */
const START = 1_700_000_000_000;

/** One process of a node, from its start to its death. Nothing reaches it after that. */
export class Life implements Environment {
  readonly machine: Machine;
  readonly #scheduler: Scheduler;
  readonly #dice: Dice;
  readonly #onEnd = new Set<() => void>();
  #isOver = false;

  constructor(machine: Machine, scheduler: Scheduler, dice: Dice) {
    this.machine = machine;
    this.#scheduler = scheduler;
    this.#dice = dice;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  now(): number {
    return Math.floor(START + this.#scheduler.now + this.machine.offset);
  }

  monotonic(): number {
    return this.#scheduler.now;
  }

  setTimer(callback: () => void, ms: number): () => void {
    return this.deliver(ms, callback);
  }

  randomBytes(count: number): Uint8Array {
    return this.#dice.bytes(count);
  }

  /** Brings something to the process after `ms`: later if it stands still then, never if it is dead. */
  deliver(ms: number, callback: () => void): () => void {
    const attempt = () => {
      if (this.#isOver) return;
      const wait = this.machine.stalledUntil - this.#scheduler.now;
      if (wait > 0) cancel = this.#scheduler.after(wait + this.#dice.between(0, 5), attempt);
      else callback();
    };
    let cancel = this.#scheduler.after(ms, attempt);
    return () => cancel();
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.deliver(ms, resolve);
    });
  }

  onEnd(callback: () => void): () => void {
    this.#onEnd.add(callback);
    return () => this.#onEnd.delete(callback);
  }

  end(): void {
    this.#isOver = true;
    for (const callback of this.#onEnd) callback();
    this.#onEnd.clear();
  }
}
