/**
 * Copies some rows of a matrix, in the order given, one after the other.
 *
 * @param rows the matrix, float32, row by row; up to one vector beyond a row's end is read
 * @param numbers of a row, ≥ 1
 * @param places `length` int32: which rows, each in the matrix
 * @param to room for them, and for a vector more
 */
export function gather(rows: usize, numbers: i32, places: usize, length: i32, to: usize): void {
  const stride = (<usize>numbers) << 2;
  for (const end = places + ((<usize>length) << 2); places < end; places += 4, to += stride) {
    const from = rows + <usize>load<u32>(places) * stride;
    // What is written beyond the end is written over by the next row.
    for (let at: usize = 0; at < stride; at += 16) v128.store(to + at, v128.load(from + at));
  }
}
