import { exponentOf, type Kernel, overLane, plain } from "./kernel.js";

/**
 * Sums of products as defined by lens/sum.ts, with fp64 addition emulated on devices without fp64. A number is a sign,
 * three integers of 16, 20 and 20 bits, and an exponent. The integers form one of 56 bits, at least 2^55: the 53 bits
 * of the fp64 significand, then guard, round and sticky bit, which are zero except during an addition. Every operation
 * is exact; the rounding is explicit.
 */

/** Limbs t2, t1, t0 and exponent te of the product of a and b, both nonzero. */
const product = `const ea = exponentOf(Math.abs(a));
      const eb = exponentOf(Math.abs(b));
      const ma = Math.abs(a) * this.constants.powers[149 - ea];
      const mb = Math.abs(b) * this.constants.powers[149 - eb];
      const ah = Math.floor(ma * 0.000244140625);
      const al = ma - ah * 4096;
      const bh = Math.floor(mb * 0.000244140625);
      const bl = mb - bh * 4096;
      const hh = ah * bh;
      const hl = ah * bl;
      const lh = al * bh;
      const ll = al * bl;
      const hhTop = Math.floor(hh * 0.00390625);
      const hlTop = Math.floor(hl * 9.5367431640625e-7);
      const lhTop = Math.floor(lh * 9.5367431640625e-7);
      const llTop = Math.floor(ll * 0.000244140625);
      let t0 = (ll - llTop * 4096) * 256;
      let t1 = (hh - hhTop * 256) * 4096 + (hl - hlTop * 1048576) + (lh - lhTop * 1048576) + llTop;
      const carried = Math.floor(t1 * 9.5367431640625e-7);
      t1 = t1 - carried * 1048576;
      let t2 = hhTop + hlTop + lhTop + carried;
      let te = ea + eb - 54;
      if (t2 < 32768) {
        const up0 = t0 >= 524288 ? 1 : 0;
        const up1 = t1 >= 524288 ? 1 : 0;
        t2 = t2 * 2 + up1;
        t1 = t1 * 2 - up1 * 1048576 + up0;
        t0 = t0 * 2 - up0 * 1048576;
        te = te - 1;
      }`;

/** Orders the two terms by magnitude: x is the larger one. */
const order = `let x2 = s2;
        let x1 = s1;
        let x0 = s0;
        let xe = se;
        let xs = sign;
        let y2 = t2;
        let y1 = t1;
        let y0 = t0;
        let ye = te;
        if (te > se || (te === se && (t2 > s2 || (t2 === s2 && (t1 > s1 || (t1 === s1 && t0 > s0)))))) {
          x2 = t2;
          x1 = t1;
          x0 = t0;
          xe = te;
          xs = ts;
          y2 = s2;
          y1 = s1;
          y0 = s0;
          ye = se;
        }`;

/** Shifts y right to the exponent of x; bits shifted out set the sticky bit. Valid for shifts up to 57. */
const align = `let shift = xe - ye;
          let sticky = 0;
          if (shift >= 40) {
            sticky = y0 + y1;
            y0 = y2;
            y1 = 0;
            y2 = 0;
            shift = shift - 40;
          } else if (shift >= 20) {
            sticky = y0;
            y0 = y1;
            y1 = y2;
            y2 = 0;
            shift = shift - 20;
          }
          const down = this.constants.powers[126 - shift];
          const back = this.constants.powers[126 + shift];
          const across = this.constants.powers[146 - shift];
          const d2 = Math.floor(y2 * down);
          const d1 = Math.floor(y1 * down);
          const d0 = Math.floor(y0 * down);
          sticky = sticky + (y0 - d0 * back);
          y0 = d0 + (y1 - d1 * back) * across;
          y1 = d1 + (y2 - d2 * back) * across;
          y2 = d2;
          if (sticky > 0 && y0 - 2 * Math.floor(y0 * 0.5) === 0) {
            y0 = y0 + 1;
          }`;

const addSameSign = `x0 = x0 + y0;
            x1 = x1 + y1;
            x2 = x2 + y2;
            if (x0 >= 1048576) {
              x0 = x0 - 1048576;
              x1 = x1 + 1;
            }
            if (x1 >= 1048576) {
              x1 = x1 - 1048576;
              x2 = x2 + 1;
            }
            if (x2 >= 65536) {
              const h2 = Math.floor(x2 * 0.5);
              const h1 = Math.floor(x1 * 0.5);
              const h0 = Math.floor(x0 * 0.5);
              const lowest = x0 - h0 * 2;
              x0 = h0 + (x1 - h1 * 2) * 524288;
              x1 = h1 + (x2 - h2 * 2) * 524288;
              x2 = h2;
              xe = xe + 1;
              if (lowest === 1 && x0 - 2 * Math.floor(x0 * 0.5) === 0) {
                x0 = x0 + 1;
              }
            }`;

const subtract = `x0 = x0 - y0;
            x1 = x1 - y1;
            x2 = x2 - y2;
            if (x0 < 0) {
              x0 = x0 + 1048576;
              x1 = x1 - 1;
            }
            if (x1 < 0) {
              x1 = x1 + 1048576;
              x2 = x2 - 1;
            }
            if (x2 + x1 + x0 > 0) {
              for (let n = 0; n < 56; n++) {
                if (x2 < 32768) {
                  const up0 = x0 >= 524288 ? 1 : 0;
                  const up1 = x1 >= 524288 ? 1 : 0;
                  x2 = x2 * 2 + up1;
                  x1 = x1 * 2 - up1 * 1048576 + up0;
                  x0 = x0 * 2 - up0 * 1048576;
                  xe = xe - 1;
                }
              }
            }`;

/** Rounds to nearest-even at the bit above the three. */
const round = `const low = x0 - 8 * Math.floor(x0 * 0.125);
          const odd = Math.floor(x0 * 0.125) - 2 * Math.floor(x0 * 0.0625);
          x0 = x0 - low;
          if (low > 4 || (low === 4 && odd === 1)) {
            x0 = x0 + 8;
          }
          if (x0 >= 1048576) {
            x0 = x0 - 1048576;
            x1 = x1 + 1;
          }
          if (x1 >= 1048576) {
            x1 = x1 - 1048576;
            x2 = x2 + 1;
          }
          if (x2 >= 65536) {
            x2 = 32768;
            xe = xe + 1;
          }`;

/**
 * The sum of first[i] x second[i] over one lane of one block: the three integers, the first with the sum's sign, and
 * the exponent of the lowest bit. All zero for zero.
 */
export const laneSumKernel: Kernel = {
  name: "sums of products",
  functions: [plain, exponentOf],
  source: `function (first, second) {
    let s2 = 0;
    let s1 = 0;
    let s0 = 0;
    let se = 0;
    let sign = 1;
    ${overLane(`const a = plain(first[i]);
      const b = plain(second[i]);
      if (a !== 0 && b !== 0) {
      ${product}
      const ts = (a < 0 && b > 0) || (a > 0 && b < 0) ? -1 : 1;
      if (s2 === 0) {
        s2 = t2;
        s1 = t1;
        s0 = t0;
        se = te;
        sign = ts;
      } else {
        ${order}
        if (xe - ye <= 57) {
          ${align}
          if (sign === ts) {
            ${addSameSign}
          } else {
            ${subtract}
          }
          ${round}
        }
        s2 = x2;
        s1 = x1;
        s0 = x0;
        se = xe;
        sign = xs;
      }
      }`)}
    return [sign * s2, s1, s0, se];
  }`,
};
