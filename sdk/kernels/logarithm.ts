/**
 * Natural logarithms that are the same to the last bit on every machine: they use nothing but the basic operations,
 * which IEEE 754 and WebAssembly define exactly. ECMAScript leaves `Math.log` to the engine.
 */

/** The bits of √½, from which mantissas are counted: they then lie in [√½, √2), as near to 1 as can be. */
const ROOT_HALF: i32 = 0x3f3504f3;
/** Keeps the logarithm finite where a number is zero. */
const EPSILON: f32 = 1e-10;

/*
 * 2·artanh(s)/(s·ln 2) as c0 + c1·s² + c2·s⁴, the polynomial whose largest error is least for |s| ≤ 3 − 2√2: it makes
 * the logarithm wrong by less than 2.1·10⁻⁸, a sixth of what float32 rounds. (Fitted by iteratively reweighted least
 * squares; the series of artanh is 4.1.28 in M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions".)
 */
const C0: f32 = 2.8853913;
const C1: f32 = 0.9614708;
const C2: f32 = 0.59897389;

/** How many numbers {@link terms} works on together: up to so many less one beyond the last are read and written. */
export const TOGETHER = 16;

/**
 * factor·p·log₂(p + 1e−10) of each of some float32.
 *
 * x = m·2ᵉ with m in [√½, √2), and log₂ m = 2·artanh(s)/ln 2 with s = (m − 1)/(m + 1). Sixteen numbers go side by side,
 * for each operation waits for the one before it: one by one they take twice as long.
 *
 * @param from where `numbers` float32 ≥ 0 lie, each 0 or a finite normal number
 * @param to room for as many
 */
export function terms(from: usize, numbers: usize, factor: f32, to: usize): void {
  const half = i32x4.splat(ROOT_HALF);
  const epsilon = f32x4.splat(EPSILON);
  const one = f32x4.splat(1);
  const c0 = f32x4.splat(C0);
  const c1 = f32x4.splat(C1);
  const c2 = f32x4.splat(C2);
  const scale = f32x4.splat(factor);
  for (const end = from + (numbers << 2); from < end; from += 64, to += 64) {
    const pa = v128.load(from);
    const pb = v128.load(from, 16);
    const pc = v128.load(from, 32);
    const pd = v128.load(from, 48);
    const xa = f32x4.add(pa, epsilon);
    const xb = f32x4.add(pb, epsilon);
    const xc = f32x4.add(pc, epsilon);
    const xd = f32x4.add(pd, epsilon);
    const ea = i32x4.shr_s(i32x4.sub(xa, half), 23);
    const eb = i32x4.shr_s(i32x4.sub(xb, half), 23);
    const ec = i32x4.shr_s(i32x4.sub(xc, half), 23);
    const ed = i32x4.shr_s(i32x4.sub(xd, half), 23);
    const ma = i32x4.sub(xa, i32x4.shl(ea, 23));
    const mb = i32x4.sub(xb, i32x4.shl(eb, 23));
    const mc = i32x4.sub(xc, i32x4.shl(ec, 23));
    const md = i32x4.sub(xd, i32x4.shl(ed, 23));
    const sa = f32x4.div(f32x4.sub(ma, one), f32x4.add(ma, one));
    const sb = f32x4.div(f32x4.sub(mb, one), f32x4.add(mb, one));
    const sc = f32x4.div(f32x4.sub(mc, one), f32x4.add(mc, one));
    const sd = f32x4.div(f32x4.sub(md, one), f32x4.add(md, one));
    const za = f32x4.mul(sa, sa);
    const zb = f32x4.mul(sb, sb);
    const zc = f32x4.mul(sc, sc);
    const zd = f32x4.mul(sd, sd);
    let la = f32x4.add(f32x4.mul(za, c2), c1);
    let lb = f32x4.add(f32x4.mul(zb, c2), c1);
    let lc = f32x4.add(f32x4.mul(zc, c2), c1);
    let ld = f32x4.add(f32x4.mul(zd, c2), c1);
    la = f32x4.add(f32x4.mul(la, za), c0);
    lb = f32x4.add(f32x4.mul(lb, zb), c0);
    lc = f32x4.add(f32x4.mul(lc, zc), c0);
    ld = f32x4.add(f32x4.mul(ld, zd), c0);
    la = f32x4.add(f32x4.mul(la, sa), f32x4.convert_i32x4_s(ea));
    lb = f32x4.add(f32x4.mul(lb, sb), f32x4.convert_i32x4_s(eb));
    lc = f32x4.add(f32x4.mul(lc, sc), f32x4.convert_i32x4_s(ec));
    ld = f32x4.add(f32x4.mul(ld, sd), f32x4.convert_i32x4_s(ed));
    v128.store(to, f32x4.mul(f32x4.mul(pa, scale), la));
    v128.store(to, f32x4.mul(f32x4.mul(pb, scale), lb), 16);
    v128.store(to, f32x4.mul(f32x4.mul(pc, scale), lc), 32);
    v128.store(to, f32x4.mul(f32x4.mul(pd, scale), ld), 48);
  }
}

/** Replaces each of `length` doubles at `at` by its natural logarithm. */
export function logarithms(at: usize, length: i32): void {
  for (let i = 0; i < length; i++) {
    const place = at + ((<usize>i) << 3);
    store<f64>(place, NativeMath.log(load<f64>(place)));
  }
}
