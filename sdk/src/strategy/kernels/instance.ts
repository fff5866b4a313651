import { MODULE } from './generated/module.ts';

/**
 * What sdk/kernels exports. Places are byte offsets into `memory`, at multiples of 16 as {@link allot} gives them; each
 * function says there what room it takes.
 */
export interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
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

/** As much of it as is used here: the library of types that declares it all declares the browser's as well. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Kernels };
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
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(MODULE), (sign) => sign.charCodeAt(0)));
  return new WebAssembly.Instance(compiled).exports;
}

const PAGE = 0x10000;

/**
 * Lays out pieces of a memory one after the other and makes it large enough. Views on its buffer must be taken anew.
 *
 * @param sizes in bytes
 * @returns where each begins
 * @throws {RangeError} all together they are more than a WebAssembly memory can hold, 4 GiB, or the system has
 */
export function allot({ memory, start }: Kernels, sizes: readonly number[]): number[] {
  let end = start();
  const places = sizes.map((size) => {
    const place = Math.ceil(end / 16) * 16;
    end = place + size;
    return place;
  });
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return places;
}
