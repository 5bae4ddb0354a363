/** How large an update must be to show, by enumeration: the facts that the lens rests on. */

import { describe, expect, it } from "vitest";
import { decode, decodeTable } from "../../src/format/encode.js";
import { sumTail } from "../../src/format/float64.js";
import { nextDown, nextUp, ulp } from "../../src/format/neighbours.js";
import { format } from "../../src/format/registry.js";
import { round, roundSum } from "../../src/format/round.js";
import { random32 } from "../support/bits.js";
import { Mismatches } from "../support/mismatches.js";

const bf16 = format("bf16");
const bf16Numbers = decodeTable(bf16).subarray(1, 0x7f80);
const bf16Normal = bf16Numbers.filter((w) => w >= 2 ** -126);

/** Smallest and largest half gap above, relative to the number. */
function relativeHalfGaps(numbers: Iterable<number>, name: string): [number, number] {
  let [least, most] = [Infinity, 0];
  for (const x of numbers) {
    const relative = ulp(x, format(name)) / 2 / x;
    least = Math.min(least, relative);
    most = Math.max(most, relative);
  }
  return [least, most];
}

/** A weight after an update, the exact sum rounded once. */
function updated(w: number, u: number): number {
  const sum = w + u;
  return roundSum(sum, sumTail(w, u, sum), bf16, "nearest-even", "saturate", 0);
}

describe("the half gap over the number", () => {
  it("is in (2^-9, 2^-8] for normal bf16", () => {
    const [least, most] = relativeHalfGaps(bf16Normal, "bf16");
    expect(least).toBeGreaterThan(2 ** -9);
    expect(least).toBe(2 ** -8 / (2 - 2 ** -7));
    expect(most).toBe(2 ** -8);
  });

  it("is in (2^-12, 2^-11] for normal fp16, and 2^-25 absolute below", () => {
    const fp16 = format("fp16");
    const positive = decodeTable(fp16).subarray(1, 0x7c00);
    const [least, most] = relativeHalfGaps(
      positive.filter((x) => x >= 2 ** -14),
      "fp16",
    );
    expect(least).toBeGreaterThan(2 ** -12);
    expect(most).toBe(2 ** -11);
    const subnormal = new Set(positive.filter((x) => x < 2 ** -14).map((x) => ulp(x, fp16) / 2));
    expect([...subnormal]).toEqual([2 ** -25]);
  });

  it("is in (2^-25, 2^-24] for fp32, in every binade at its ends", () => {
    const fp32 = format("fp32");
    const ends: number[] = [];
    for (let exponent = 1; exponent < 255; exponent++) {
      for (const significand of [0, 1, 0x40_0000, 0x7f_fffe, 0x7f_ffff]) {
        ends.push(decode(exponent * 2 ** 23 + significand, fp32));
      }
    }
    const [least, most] = relativeHalfGaps(ends, "fp32");
    expect(least).toBeGreaterThan(2 ** -25);
    expect(most).toBe(2 ** -24);
  });

  it("below a power of two is half of that above: bf16 1.0 needs 2^-9 down, 2^-8 up", () => {
    expect((1 - nextDown(1, bf16)) / 2).toBe(2 ** -9);
    expect((nextUp(1, bf16) - 1) / 2).toBe(2 ** -8);
    for (let exponent = -125; exponent <= 127; exponent++) {
      const power = 2 ** exponent;
      expect(nextUp(power, bf16) - power).toBe(2 * (power - nextDown(power, bf16)));
    }
  });
});

describe("an update of a bf16 weight", () => {
  it("by exactly half a gap goes to the even code", () => {
    const wrong = new Mismatches();
    for (let code = 0; code < 0x7f7f; code++) {
      const [w, next] = [decode(code, bf16), decode(code + 1, bf16)];
      const even = code % 2 === 0 ? w : next;
      wrong.compare(updated(w, (next - w) / 2), even, () => `up from ${w}`);
      wrong.compare(updated(next, (w - next) / 2), even, () => `down from ${next}`);
    }
    wrong.expectNone();
  });

  it("surely shows if |w| < 256 |u|", () => {
    const wrong = new Mismatches();
    for (const w of bf16Normal) {
      const u = (w / 256) * (1 + 2 ** -40);
      // Upward from the largest number it overflows, which this saturates.
      wrong.check(w === bf16.maxFinite || updated(w, u) > w, () => `${w} + ${u}`);
      wrong.check(updated(w, -u) < w, () => `${w} - ${u}`);
    }
    wrong.expectNone();
  });

  it("is surely lost if |w| >= 512 |u|", () => {
    const wrong = new Mismatches();
    for (const w of bf16Normal) {
      wrong.compare(updated(w, w / 512), w, () => `${w} + w/512`);
      wrong.compare(updated(w, -w / 512), w, () => `${w} - w/512`);
    }
    wrong.expectNone();
  });

  it("of a size between shows by its significand: neither threshold can be moved", () => {
    // At 256: a power of two loses |w| / 256 upward, a tie. Above 1/512: a full significand shows it.
    expect(updated(1, 1 / 256)).toBe(1);
    const full = 2 - 2 ** -7;
    expect(updated(full, (full / 512) * (1 + 2 ** -6))).toBeGreaterThan(full);
    expect(updated(1, -(1 / 512) * (1 + 2 ** -40))).toBeLessThan(1);
  });
});

describe("AdamW's constants in bf16", () => {
  it("0.999 is 1", () => {
    expect(round(0.999, bf16)).toBe(1);
    expect(round(0.99, bf16)).not.toBe(1);
  });

  it("v *= 0.999 changes no bf16 number, so that v never decays", () => {
    const wrong = new Mismatches();
    for (const v of bf16Numbers) {
      wrong.compare(round(Math.fround(v * Math.fround(0.999)), bf16), v, () => `${v}`);
    }
    wrong.expectNone();
  });

  it("p *= 1 - x changes no weight below x = 2^-9, and some above", () => {
    const wrong = new Mismatches();
    for (const p of bf16Numbers) {
      wrong.compare(round(p * (1 - 2 ** -9 * (1 - 2 ** -20)), bf16), p, () => `${p}`);
    }
    wrong.expectNone();
    expect(round(1 - 2 ** -9 * (1 + 2 ** -20), bf16)).toBe(1 - 2 ** -8);
  });
});

describe("1 + 1e-3 a thousand times in bf16", () => {
  it("stays 1 under nearest-even", () => {
    let sum = 1;
    for (let step = 0; step < 1000; step++) sum = round(sum + 1e-3, bf16);
    expect(sum).toBe(1);
  });

  it("is 2 on average under stochastic rounding", () => {
    const random = random32(1);
    let total = 0;
    for (let repeat = 0; repeat < 100; repeat++) {
      let sum = 1;
      for (let step = 0; step < 1000; step++) {
        sum = round(sum + 1e-3, bf16, { rounding: "stochastic", randomBits: random() });
      }
      total += sum;
    }
    // A step has variance p (1-p) 2^-14 with p = .128, so that the mean of 100 runs has a deviation of .008.
    expect(total / 100).toBeGreaterThan(1.96);
    expect(total / 100).toBeLessThan(2.04);
  });
});
