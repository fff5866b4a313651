import { SHARED_MODULE } from './generated/sharedModule.ts';
import { compile, type Kernels, type Memory, PAGE, run } from './instance.ts';

/*
 * Matrices that stay in memory, where the kernels of every thread score them in place. The memory that threads share is
 * laid out so:
 *
 *   a page      of the kernels' own
 *   matrices    one after the other
 *   seats       one a thread: whatever else its kernels read and write
 */

/** How many threads can work on a memory at the same time. */
const SEATS = 16;

/** What a thread has for itself, in bytes. Nothing is taken up by a seat that nobody sits on. */
const SEAT_BYTES = 0x100000;

/** The most that a WebAssembly memory can hold. */
const MAX_PAGES = 0x10000;

/** Matrices of the same size, in memory that threads share. */
export interface SharedMatrices {
  /** To be passed on to the threads that score: see {@link Seat}. Null if they are too large for one memory. */
  readonly memory: Memory | null;
  readonly matrices: readonly Float32Array[];
}

declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => Memory;
};

/**
 * Room for matrices, all 0.
 *
 * @param count how many
 * @param length numbers of each
 */
export function sharedMatrices(count: number, length: number): SharedMatrices {
  const bytes = Math.ceil((4 * length) / 16) * 16;
  const pages = Math.ceil((PAGE + count * bytes + SEATS * SEAT_BYTES) / PAGE);
  const memory =
    pages <= MAX_PAGES ? new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }) : null;
  const matrices = Array.from({ length: count }, (_, i) =>
    memory === null
      ? new Float32Array(new SharedArrayBuffer(4 * length))
      : new Float32Array(memory.buffer, PAGE + i * bytes, length),
  );
  return { memory, matrices };
}

/** A thread's own place in a memory that threads share. */
export interface Seat {
  readonly kernels: Kernels;
  /** In bytes, from the beginning of the memory. */
  readonly from: number;
  readonly to: number;
}

let compiled: object | undefined;

/**
 * @param memory of {@link sharedMatrices}
 * @param number ≥ 0, and of this thread alone as long as it uses the seat
 * @returns null if there is no such seat
 */
export function seatIn(memory: Memory, number: number): Seat | null {
  if (number >= SEATS) return null;
  compiled ??= compile(SHARED_MODULE);
  const to = memory.buffer.byteLength - number * SEAT_BYTES;
  return { kernels: run(compiled, { env: { memory } }) as Kernels, from: to - SEAT_BYTES, to };
}
