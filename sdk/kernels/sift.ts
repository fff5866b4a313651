/**
 * Finds the scores that may be among the highest: those that are not below `floor`.
 *
 * @param scores where `length` float64 lie; up to seven more are read, and what they hold does not matter
 * @param least no score may be below it
 * @param into room for `length` int32: the places found, ascending
 * @returns how many were found; or −1 − the first place whose score is not finite or is below `least`
 */
export function sift(scores: usize, length: i32, floor: f64, least: f64, into: usize): i32 {
  const floors = f64x2.splat(floor);
  const leasts = f64x2.splat(least);
  let found = 0;
  for (let i = 0; i < length; i += 8, scores += 64) {
    // Nearly all are sound and below the floor: then eight are done with at once.
    const low = v128.and(
      v128.and(between(scores, leasts, floors), between(scores + 16, leasts, floors)),
      v128.and(between(scores + 32, leasts, floors), between(scores + 48, leasts, floors)),
    );
    if (i64x2.all_true(low)) continue;
    for (let place = i, end = min(i + 8, length); place < end; place++) {
      const score = load<f64>(scores + ((<usize>(place - i)) << 3));
      if (!(abs(score) < Infinity && score >= least)) return -1 - place;
      if (score < floor) continue;
      store<i32>(into + ((<usize>found) << 2), place);
      found++;
    }
  }
  return found;
}

/** Which of two are at least `least` and below `floor`. */
function between(at: usize, least: v128, floor: v128): v128 {
  const pair = v128.load(at);
  return v128.and(f64x2.ge(pair, least), f64x2.lt(pair, floor));
}
