/**
 * Natural logarithms that are the same to the last bit on every machine: they use nothing but the basic operations,
 * which IEEE 754 and WebAssembly define exactly. ECMAScript leaves `Math.log` to the engine.
 */

/** The bits of √½, from which mantissas are counted: they then lie in [√½, √2), as near to 1 as can be. */
const ROOT_HALF: i32 = 0x3f3504f3;
const LN_2 = Math.LN2 as f32;

/**
 * ln x in each lane, for finite normal x > 0.
 *
 * x = m·2ᵉ with m in [√½, √2); ln m = 2·artanh s, s = (m − 1) / (m + 1), by the series of artanh (M. Abramowitz and
 * I. Stegun, "Handbook of Mathematical Functions", 4.1.28) to s⁹: as s² < 0.0295, what is left out is below 2·10⁻⁹ of
 * the whole, a thirtieth of float32's own rounding.
 */
export function ln4(x: v128): v128 {
  const bits = i32x4.sub(x, i32x4.splat(ROOT_HALF));
  const exponent = i32x4.shr_s(bits, 23);
  const m = i32x4.sub(x, i32x4.shl(exponent, 23));
  const one = f32x4.splat(1);
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const z = f32x4.mul(s, s);
  let series = f32x4.splat((2.0 / 9.0) as f32);
  series = f32x4.add(f32x4.mul(series, z), f32x4.splat((2.0 / 7.0) as f32));
  series = f32x4.add(f32x4.mul(series, z), f32x4.splat((2.0 / 5.0) as f32));
  series = f32x4.add(f32x4.mul(series, z), f32x4.splat((2.0 / 3.0) as f32));
  series = f32x4.add(f32x4.mul(series, z), f32x4.splat(2));
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(exponent), f32x4.splat(LN_2)), f32x4.mul(series, s));
}

/** Keeps the logarithm finite where a probability is zero. */
const EPSILON: f32 = 1e-10;

/** p·ln(p + 1e−10) in each lane, for p ≥ 0. */
export function plogp4(p: v128): v128 {
  return f32x4.mul(p, ln4(f32x4.add(p, f32x4.splat(EPSILON))));
}

/** Replaces each of `length` doubles at `at` by its natural logarithm. */
export function logarithms(at: usize, length: i32): void {
  for (let i = 0; i < length; i++) {
    const place = at + ((<usize>i) << 3);
    store<f64>(place, NativeMath.log(load<f64>(place)));
  }
}
