/**
 * IEEE 754 fp32 arithmetic in WGSL on integers: WGSL defines these exactly, while its floats may flush subnormals,
 * assume that NaN and Inf do not occur, and fuse operations. Numbers are bits in a u32. All functions accept all
 * numbers, rounding is nearest-even, and every NaN result is 0x7fc00000.
 *
 * A magnitude is s 2^(e - 150), where e is the exponent field (1 for subnormal numbers) and s the significand, below
 * 2^24.
 */
export const fp32Text = /* wgsl */ `
fn exponent32(m: u32) -> u32 { return max(m >> 23u, 1u); }
fn significand32(m: u32) -> u32 { return m - ((max(m >> 23u, 1u) - 1u) << 23u); }
fn isNaN32(a: u32) -> bool { return (a & 0x7fffffffu) > 0x7f800000u; }

// An integer in the order of the numbers, with -0 as +0. Invalid for NaN.
fn order32(a: u32) -> i32 {
  let m = bitcast<i32>(a & 0x7fffffffu);
  return select(m, -m, a >= 0x80000000u);
}
fn eq32(a: u32, b: u32) -> bool { return ((a == b) | (((a | b) & 0x7fffffffu) == 0u)) & !isNaN32(a); }
fn lt32(a: u32, b: u32) -> bool { return (order32(a) < order32(b)) & !isNaN32(a) & !isNaN32(b); }
fn min32(a: u32, b: u32) -> u32 { return select(a, b, order32(b) < order32(a)); }
fn max32(a: u32, b: u32) -> u32 { return select(a, b, order32(a) < order32(b)); }

// The sum if one of the terms is NaN or Inf.
fn addSpecial32(a: u32, b: u32) -> u32 {
  let ma = a & 0x7fffffffu; let mb = b & 0x7fffffffu;
  let nan = (max(ma, mb) > 0x7f800000u) | ((ma == mb) & (a != b));
  return select(select(a, b, mb > ma), 0x7fc00000u, nan);
}

// Three bits below the last place, the lowest of them sticky, suffice for one rounding.
fn add32(a: u32, b: u32) -> u32 {
  let ma = a & 0x7fffffffu; let mb = b & 0x7fffffffu;
  let swapped = mb > ma;
  let x = select(a, b, swapped);
  let mx = select(ma, mb, swapped); let my = select(mb, ma, swapped);
  let ex = exponent32(mx);
  let sx = significand32(mx) << 3u; let sy = significand32(my) << 3u;
  let d = min(ex - exponent32(my), 31u);
  let shifted = sy >> d;
  let y = shifted | select(0u, 1u, (shifted << d) != sy);
  let minus = (a ^ b) >= 0x80000000u;
  let s = select(sx + y, sx - y, minus);
  let zeros = min(countLeadingZeros(s), ex + 4u);
  let t = s << (zeros & 31u);
  let r = t >> 8u;
  let up = ((t & 0xffu) + 0x7fu + (r & 1u)) >> 8u;
  let m = min(((ex + 4u - zeros) << 23u) + r + up, 0x7f800000u);
  var sum = select(m | (x & 0x80000000u), 0u, minus & (s == 0u));
  if (mx >= 0x7f800000u) { sum = addSpecial32(a, b); }
  return sum;
}

// A 64-bit integer.
struct Wide { hi: u32, lo: u32 }

// a b 2^15 for integers below 2^24.
fn product32(a: u32, b: u32) -> Wide {
  let al = a & 0xfffu; let ah = a >> 12u; let bl = b & 0xfffu; let bh = b >> 12u;
  let t = ah * bl + al * bh + ((al * bl) >> 12u);
  return Wide((ah << 7u) * bh + (t >> 5u), (a << 15u) * b);
}

// The number (hi:lo) 2^(e - 190), rounded. If bit 63 is set, e is its exponent field.
fn pack32(sign: u32, e: i32, hi: u32, lo: u32) -> u32 {
  if ((hi | lo) == 0u) { return sign; }
  let far = hi == 0u;
  let n = countLeadingZeros(select(hi, lo, far));
  let h = select(hi, lo, far); let l = select(lo, 0u, far);
  let field = e - bitcast<i32>(n) - select(0, 32, far);
  let top = (h << n) | ((l >> 1u) >> (31u - n));
  let sticky = select(0u, 1u, (l << n) != 0u);
  let d = bitcast<u32>(clamp(1 - field, 0, 31));
  let whole = top | sticky;
  let kept = whole >> d;
  let t = kept | select(0u, 1u, (kept << d) != whole);
  let r = t >> 8u;
  let up = ((t & 0xffu) + 0x7fu + (r & 1u)) >> 8u;
  let m = (bitcast<u32>(clamp(field, 1, 256) - 1) << 23u) + r + up;
  return sign | min(m, 0x7f800000u);
}

fn mul32(a: u32, b: u32) -> u32 {
  let ma = a & 0x7fffffffu; let mb = b & 0x7fffffffu;
  let sign = (a ^ b) & 0x80000000u;
  if (max(ma, mb) >= 0x7f800000u) {
    let nan = (max(ma, mb) > 0x7f800000u) | (min(ma, mb) == 0u);
    return select(sign | 0x7f800000u, 0x7fc00000u, nan);
  }
  let p = product32(significand32(ma), significand32(mb));
  return pack32(sign, bitcast<i32>(exponent32(ma) + exponent32(mb)) - 125, p.hi, p.lo);
}

// Multiplies by a normal power of two.
fn scale32(a: u32, power: u32) -> u32 {
  let m = a & 0x7fffffffu;
  let e = bitcast<i32>(exponent32(m) + (power >> 23u)) - 127;
  let scaled = pack32(a & 0x80000000u, e, significand32(m) << 8u, 0u);
  return select(scaled, a, m >= 0x7f800000u);
}

// Divides the significands in steps of eight bits, and a last one of six: 31 bits and a remainder.
fn div32(a: u32, b: u32) -> u32 {
  let ma = a & 0x7fffffffu; let mb = b & 0x7fffffffu;
  let sign = (a ^ b) & 0x80000000u;
  if (max(ma, mb) >= 0x7f800000u) {
    let nan = (max(ma, mb) > 0x7f800000u) | (ma == mb);
    return select(select(sign, sign | 0x7f800000u, ma > mb), 0x7fc00000u, nan);
  }
  if (mb == 0u) { return select(sign | 0x7f800000u, 0x7fc00000u, ma == 0u); }
  if (ma == 0u) { return sign; }
  let sa = significand32(ma); let sb = significand32(mb);
  let na = countLeadingZeros(sa) - 8u; let nb = countLeadingZeros(sb) - 8u;
  let divisor = sb << nb;
  var rest = sa << na;
  var q = rest / divisor;
  rest -= q * divisor;
  for (var i = 0u; i < 4u; i++) {
    let bits = select(8u, 6u, i == 3u);
    rest <<= bits;
    let digit = rest / divisor;
    rest -= digit * divisor;
    q = (q << bits) | digit;
  }
  let e = bitcast<i32>(exponent32(ma) + nb) - bitcast<i32>(exponent32(mb) + na) + 127;
  return pack32(sign, e, q << 1u, rest);
}

// In two halves of 13 bits: 26 bits and a remainder.
fn sqrt32(a: u32) -> u32 {
  let m = a & 0x7fffffffu;
  if (m > 0x7f800000u) { return 0x7fc00000u; }
  if (m == 0u) { return a; }
  if (a >= 0x80000000u) { return 0x7fc00000u; }
  if (m == 0x7f800000u) { return a; }
  let s = significand32(m);
  let n = countLeadingZeros(s) - 8u;
  let exponent = bitcast<i32>(exponent32(m)) - bitcast<i32>(n) - 127;
  let odd = bitcast<u32>(exponent) & 1u;
  // 26 bits: 4 to 16 in units of 2^24, halved.
  let radicand = (s << n) << (1u + odd);
  // The upper half by Newton's method, which ends at the root or one above it (all radicands were tried).
  var upper = ((radicand >> 12u) + 8192u) / 3u + 1u;
  upper = (upper + radicand / upper) >> 1u;
  upper = (upper + radicand / upper) >> 1u;
  upper -= select(0u, 1u, upper * upper > radicand);
  // The lower half by one division (Zimmermann, "Karatsuba square root", 1999), one too high if its square exceeds
  // the rest.
  let left = (radicand - upper * upper) << 12u;
  let lower = left / upper;
  let rest = ((left - lower * upper) << 14u) - lower * lower;
  let high = rest >= 0x80000000u;
  let root = (upper << 13u) + lower - select(0u, 1u, high);
  return pack32(0u, 127 + (exponent - bitcast<i32>(odd)) / 2, root << 6u, rest + select(0u, 2u * root + 1u, high));
}

fn fma32(a: u32, b: u32, c: u32) -> u32 {
  let ma = a & 0x7fffffffu; let mb = b & 0x7fffffffu; let mc = c & 0x7fffffffu;
  let sign = (a ^ b) & 0x80000000u;
  if (max(max(ma, mb), mc) >= 0x7f800000u) {
    let product = max(ma, mb) >= 0x7f800000u;
    let nan = (max(max(ma, mb), mc) > 0x7f800000u) | (product & (min(ma, mb) == 0u))
      | (product & (mc == 0x7f800000u) & (sign != (c & 0x80000000u)));
    return select(select(c, sign | 0x7f800000u, product), 0x7fc00000u, nan);
  }
  let p = product32(significand32(ma), significand32(mb));
  let kp = bitcast<i32>(exponent32(ma) + exponent32(mb)) - 125;
  let signs = sign != (c & 0x80000000u);
  if ((p.hi | p.lo) == 0u) {
    if (mc != 0u) { return c; }
    return select(sign, 0u, signs);
  }
  if (mc == 0u) { return pack32(sign, kp, p.hi, p.lo); }
  // Both with leading bit 62.
  let np = select(countLeadingZeros(p.hi), 32u + countLeadingZeros(p.lo), p.hi == 0u) - 1u;
  let far = np >= 32u;
  let by = np & 31u;
  let h = select(p.hi, p.lo, far); let l = select(p.lo, 0u, far);
  let ph = (h << by) | ((l >> 1u) >> (31u - by)); let pl = l << by;
  let ep = kp - bitcast<i32>(np);
  let sc = significand32(mc);
  let nc = countLeadingZeros(sc) - 1u;
  let ch = sc << nc;
  let ec = bitcast<i32>(exponent32(mc)) + 8 - bitcast<i32>(nc);
  let swapped = (ec > ep) | ((ec == ep) & ((ch > ph) | ((ch == ph) & (pl == 0u))));
  let xh = select(ph, ch, swapped); let xl = select(pl, 0u, swapped);
  let yh = select(ch, ph, swapped); let yl = select(0u, pl, swapped);
  let ex = select(ep, ec, swapped);
  let d = bitcast<u32>(min(ex - select(ec, ep, swapped), 63));
  let wide = d >= 32u;
  let zh = select(yh, 0u, wide); let zl = select(yl, yh, wide);
  let s = d & 31u;
  let lost = select(0u, yl, wide) | (zl & ((1u << s) - 1u));
  let ah = zh >> s;
  let al = (zl >> s) | ((zh << 1u) << (31u - s)) | select(0u, 1u, lost != 0u);
  let lo = select(xl + al, xl - al, signs);
  let hi = select(xh + ah + select(0u, 1u, lo < xl), xh - ah - select(0u, 1u, xl < al), signs);
  if ((hi | lo) == 0u) { return 0u; }
  return pack32(select(sign, c & 0x80000000u, swapped), ex, hi, lo);
}

// Integers from 0 to 2^24.
fn convert32(x: u32) -> u32 { return pack32(0u, 158, x, 0u); }
fn truncate32(a: u32) -> u32 {
  let e = a >> 23u;
  let s = significand32(a);
  return select(select(s << min(e - 150u, 31u), s >> min(150u - e, 31u), e < 150u), 0xffffffffu, e > 158u);
}
fn floor32(a: u32) -> u32 {
  let e = a >> 23u;
  let fraction = (1u << min(150u - min(e, 150u), 23u)) - 1u;
  return select(a & ~fraction, 0u, e < 127u);
}
fn nearest32(a: u32) -> u32 {
  let e = a >> 23u;
  let drop = clamp(150u - min(e, 150u), 1u, 23u);
  let unit = 1u << drop;
  let rounded = (a + (unit >> 1u) - 1u + ((a >> drop) & 1u)) & ~(unit - 1u);
  let whole = select(rounded, a, e >= 150u);
  // Below 1: numbers above one half round up, and one half to 0.
  return select(whole, select(0u, 0x3f800000u, a > 0x3f000000u), e < 127u);
}
`;
