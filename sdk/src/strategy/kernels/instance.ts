import { MODULE } from './generated/module.ts';

/**
 * What sdk/kernels exports. Places are byte offsets into `memory`, at multiples of 16 as {@link allot} gives them; each
 * function says there what room it takes.
 */
export interface Kernels {
  readonly memory: Memory;
  start(): number;
  entropy: ScoreKernel;
  margin: ScoreKernel;
  leastConfident: ScoreKernel;
  bald(
    rows: number,
    next: number,
    length: number,
    passes: number,
    classes: number,
    scores: number,
    terms: number,
    tile: number,
  ): void;
  voteEntropy(
    rows: number,
    next: number,
    length: number,
    passes: number,
    classes: number,
    scores: number,
    votes: number,
    counts: number,
    surprise: number,
  ): void;
  approach(
    rows: number,
    length: number,
    dimensions: number,
    centre: number,
    nearest: number,
    which: number,
    index: number,
  ): void;
  farthest(
    rows: number,
    length: number,
    dimensions: number,
    centres: number,
    count: number,
    bounds: number,
    looked: number,
  ): number;
  gather(rows: number, numbers: number, places: number, length: number, to: number): void;
  logarithms(at: number, length: number): void;
  sift(scores: number, length: number, floor: number, least: number, into: number): number;
}

/** Only entropy writes terms. */
export type ScoreKernel = (
  rows: number,
  length: number,
  classes: number,
  scores: number,
  terms: number,
) => void;

/** A memory of WebAssembly. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** As much of it as is used here: the library of types that declares it all declares the browser's as well. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: object };
};

let compiled: object | undefined;
let common: Kernels | undefined;

/** The kernels for work that leaves nothing in their memory: whoever comes next writes over it. */
export function shared(): Kernels {
  common ??= instantiate();
  return common;
}

/** The kernels with a memory of their own, which is given back when nobody holds them any more. */
export function instantiate(): Kernels {
  compiled ??= compile(MODULE);
  return run(compiled) as Kernels;
}

/** @param module in base64 */
export function compile(module: string): object {
  return new WebAssembly.Module(Uint8Array.from(atob(module), (sign) => sign.charCodeAt(0)));
}

/** What a compiled module exports. */
export function run(module: object, imports?: object): object {
  return new WebAssembly.Instance(module, imports).exports;
}

/** Bytes: memories grow by pages. */
export const PAGE = 0x10000;

/**
 * Lays out pieces of a memory one after the other and makes it large enough. Views on its buffer must be taken anew.
 *
 * @param sizes in bytes
 * @returns where each begins
 * @throws {RangeError} all together they are more than a WebAssembly memory can hold, 4 GiB, or the system has
 */
export function allot({ memory, start }: Kernels, sizes: readonly number[]): number[] {
  const { places, end } = layOut(start(), sizes);
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return places;
}

/** Where pieces begin, at multiples of 16, that lie one after the other; and where the last ends. */
export function layOut(from: number, sizes: readonly number[]): { places: number[]; end: number } {
  let end = from;
  const places = sizes.map((size) => {
    const place = Math.ceil(end / 16) * 16;
    end = place + size;
    return place;
  });
  return { places, end };
}
