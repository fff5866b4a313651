/**
 * The arithmetic that strategies share, compiled to WebAssembly with SIMD. `npm run generate` writes it to
 * sdk/src/strategy/kernels/generated; sdk/src/strategy/kernels hands it out.
 *
 * It is AssemblyScript: TypeScript's syntax over WebAssembly's own types. Nothing here allocates: the caller lays out
 * the memory from `start` on.
 */
export { approach } from './distances';
export { farthest } from './farthest';
export { gather } from './gather';
export { logarithms } from './logarithm';
export { bald, voteEntropy } from './passes';
export { entropy, leastConfident, margin } from './probabilities';
export { sift } from './sift';

/** The first byte of the memory that is free. */
export function start(): usize {
  return __heap_base;
}
