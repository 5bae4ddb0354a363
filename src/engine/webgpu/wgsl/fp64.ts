/**
 * Sums of products as defined by lens/sum.ts: fp64 additions in WGSL on integers. Products of fp32 numbers and sums of
 * 2^40 of them are normal fp64 numbers, so the range of exponents does not matter here.
 *
 * A `Sum` is (hi:lo) 2^(q - 315) with 53 bits of which bit 62 leads; the sign is in bit 0 of `lo`, below these. Zero is
 * hi = lo = 0. A product is the result of `product32` times 2^(k - 315), where k is the sum of the factors' exponents.
 */
export const fp64Text = /* wgsl */ `
struct Sum { q: i32, hi: u32, lo: u32 }

fn zeroSum() -> Sum { return Sum(-1000, 0u, 0u); }

// Rounds (hi:lo), bit 62 or 63 leading, to 53 bits, ties to even.
fn roundSum64(q: i32, hi: u32, lo: u32) -> Sum {
  let top = hi >> 31u;
  let tl = lo + (0x1ffu + (top << 9u)) + ((lo >> (10u + top)) & 1u);
  let th = hi + select(0u, 1u, tl < lo);
  let kept = tl & (0xfffffc00u << top);
  let up = th >> 31u;
  return Sum(q + bitcast<i32>(up), th >> up, (kept >> up) | ((th & up) << 31u));
}

// a plus a number (hi:lo) 2^(k - 315) below 2^63 that has at most 53 bits.
fn add64(a: Sum, negative: bool, hi: u32, lo: u32, k: i32) -> Sum {
  var sum = a;
  if ((hi | lo) != 0u) {
    var n = select(countLeadingZeros(hi), 32u + countLeadingZeros(lo), hi == 0u) - 1u;
    let bq = k - bitcast<i32>(n);
    let far = n >= 32u;
    let h = select(hi, lo, far); let l = select(lo, 0u, far);
    n = n & 31u;
    let bh = (h << n) | ((l >> 1u) >> (31u - n)); let bl = l << n;
    let below = (a.lo & 1u) == 1u;
    let al = a.lo & 0xfffffc00u;
    let swapped = (bq > a.q) | ((bq == a.q) & ((bh > a.hi) | ((bh == a.hi) & (bl > al))));
    let xq = select(a.q, bq, swapped); let xh = select(a.hi, bh, swapped); let xl = select(al, bl, swapped);
    let yh = select(bh, a.hi, swapped); let yl = select(bl, al, swapped);
    let d = min(bitcast<u32>(xq - select(bq, a.q, swapped)), 63u);
    let wide = d >= 32u;
    let zh = select(yh, 0u, wide); let zl = select(yl, yh, wide);
    let by = d & 31u;
    let sticky = select(0u, yl, wide) | (zl & ((1u << by) - 1u));
    let tl = (zl >> by) | ((zh << 1u) << (31u - by)) | select(0u, 1u, sticky != 0u);
    let th = zh >> by;
    let minus = below != negative;
    let sl = select(xl + tl, xl - tl, minus);
    let sh = select(xh + th + select(0u, 1u, sl < xl), xh - th - select(0u, 1u, xl < tl), minus);
    sum = zeroSum();
    if ((sh | sl) != 0u) {
      var m = max(select(countLeadingZeros(sh), 32u + countLeadingZeros(sl), sh == 0u), 1u) - 1u;
      let q = xq - bitcast<i32>(m);
      let deep = m >= 32u;
      let gh = select(sh, sl, deep); let gl = select(sl, 0u, deep);
      m = m & 31u;
      sum = roundSum64(q, (gh << m) | ((gl >> 1u) >> (31u - m)), gl << m);
      sum.lo |= select(0u, 1u, select(below, negative, swapped));
    }
  }
  return sum;
}

// The same for a product not larger than a, both >= 0. Returns hi = 0 if it is larger, or if the sum looks like a
// tie that the bits shifted out may break; then use add64.
fn addQuickly64(a: Sum, p: Wide, k: i32) -> Sum {
  let d = a.q - k;
  let shift = min(bitcast<u32>(d), 63u);
  let wide = shift >= 32u;
  let h = select(p.hi, 0u, wide); let l = select(p.lo, p.hi, wide);
  let by = shift & 31u;
  let tl = (l >> by) | ((h << 1u) << (31u - by));
  let sl = a.lo + tl;
  let sh = a.hi + (h >> by) + select(0u, 1u, sl < tl);
  let top = sh >> 31u;
  let half = 0x200u << top;
  let mask = 0xfffffc00u << top;
  let rl = sl + half;
  let rh = sh + select(0u, 1u, rl < half);
  let up = rh >> 31u;
  let kept = rl & mask;
  let done = (d >= 0) & ((sl & ~mask) != half);
  return Sum(a.q + bitcast<i32>(up), select(0u, rh >> up, done), (kept >> up) | ((rh & up) << 31u));
}

// The same for any signs; returns hi = 0 also if the signs differ.
fn addSignedQuickly64(a: Sum, p: Wide, k: i32, negative: bool) -> Sum {
  let sign = a.lo & 1u;
  var sum = addQuickly64(Sum(a.q, a.hi, a.lo & 0xfffffc00u), p, k);
  sum.lo |= sign;
  sum.hi = select(0u, sum.hi, (sign == 1u) == negative);
  return sum;
}
`;
