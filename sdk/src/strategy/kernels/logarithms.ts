import { allot, shared } from './instance.ts';

/** The natural logarithm of each number > 0, correctly rounded or next to it: unlike `Math.log`, alike everywhere. */
export function logarithms(values: Float64Array): Float64Array {
  const kernels = shared();
  const [at] = allot(kernels, [values.byteLength]) as [number];
  const view = new Float64Array(kernels.memory.buffer, at, values.length);
  view.set(values);
  kernels.logarithms(at, values.length);
  return view.slice();
}
