import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextDown, nextUp, ulp, ulpExponent } from "../../src/format/neighbours.js";
import { format } from "../../src/format/registry.js";
import { anyInput, numberOf } from "../support/arbitraries.js";
import { stepFloat32, stepFloat64 } from "../support/bits.js";
import { expectSame, Mismatches } from "../support/mismatches.js";
import { fp32, valueTable } from "../support/oracle-formats.js";
import { allSubjects, subjects } from "../support/subjects.js";
import { sized } from "../support/tier.js";

const runs = { numRuns: sized({ quick: 500, full: 2000 }) };

describe.each(subjects)("the table of $name", ({ oracle, record }) => {
  const { values } = valueTable(oracle);
  const largestAt = values.length - 2;
  // An odd one, so that even and odd codes are met; in a binade's 1024 numbers of tf32, then in the next one others.
  const stride = sized({ quick: oracle.bits > 16 ? 13 : 1, full: 1 });
  const beyond = oracle.beyond === "infinity" ? Infinity : NaN;
  const above = (at: number): number => (at === largestAt ? beyond : values[at + 1]!);
  const minusZero = oracle.signedZero ? -0 : 0;
  const minus = (magnitude: number): number => (magnitude === 0 ? minusZero : -magnitude);

  it("gives the neighbours of every number", () => {
    const wrong = new Mismatches();
    for (let at = 0; at <= largestAt; at += stride) {
      const value = values[at]!;
      const below = at === 0 ? minus(values[1]!) : values[at - 1]!;
      wrong.compare(nextUp(value, record), above(at), () => `nextUp(${value})`);
      wrong.compare(nextDown(value, record), below, () => `nextDown(${value})`);
      wrong.compare(nextDown(-value, record), -above(at), () => `nextDown(${-value})`);
      const up = at === 0 ? values[1]! : minus(values[at - 1]!);
      wrong.compare(nextUp(-value, record), up, () => `nextUp(${-value})`);
    }
    wrong.expectNone();
  });

  it("gives the neighbours of numbers between", () => {
    const wrong = new Mismatches();
    for (let at = 0; at <= largestAt; at += stride) {
      const [low, high] = [values[at]!, values[at + 1]!];
      for (const x of [stepFloat64(low, 1), (low + high) / 2, stepFloat64(high, -1)]) {
        wrong.compare(nextUp(x, record), above(at), () => `nextUp(${x})`);
        wrong.compare(nextDown(x, record), low, () => `nextDown(${x})`);
        wrong.compare(nextUp(-x, record), minus(low), () => `nextUp(${-x})`);
        wrong.compare(nextDown(-x, record), -above(at), () => `nextDown(${-x})`);
      }
    }
    wrong.expectNone();
  });

  it("gives the gap at and above every number, and below it", () => {
    const wrong = new Mismatches();
    for (let at = 0; at <= largestAt; at += stride) {
      const [low, high] = [values[at]!, values[at + 1]!];
      for (const x of [low, (low + high) / 2, stepFloat64(high, -1)]) {
        wrong.compare(ulp(x, record), high - low, () => `ulp(${x})`);
        wrong.compare(ulp(-x, record), high - low, () => `ulp(${-x})`);
        wrong.compare(2 ** ulpExponent(x, record), high - low, () => `ulpExponent(${x})`);
      }
    }
    wrong.expectNone();
  });

  it("ends at the largest number", () => {
    const { largest } = oracle;
    const gap = values[largestAt + 1]! - largest;
    for (const x of [largest * 4, 1e308, Infinity]) {
      expect(nextUp(x, record)).toBe(beyond);
      expect(nextDown(-x, record)).toBe(-beyond);
      expect(nextUp(-x, record)).toBe(-largest);
      expect(nextDown(x, record)).toBe(largest);
      expect(ulp(x, record)).toBe(gap);
      expect(ulp(-x, record)).toBe(gap);
    }
  });
});

describe.each(allSubjects)("laws of $name", ({ oracle, record }) => {
  it("nextUp and nextDown undo each other on numbers of the format", () => {
    fc.assert(
      fc.property(numberOf(oracle), (x) => {
        // Both zeros are one number.
        if (x < oracle.largest) expectSame(nextDown(nextUp(x, record), record) + 0, x + 0);
        if (x > -oracle.largest) expectSame(nextUp(nextDown(x, record), record) + 0, x + 0);
      }),
      runs,
    );
  });

  it("nextUp is greater, nextDown its mirror image", () => {
    fc.assert(
      fc.property(anyInput(oracle), (x) => {
        const up = nextUp(x, record);
        if (x < oracle.largest && !(up > x)) expect(up).toBeGreaterThan(x);
        expectSame(nextDown(-x, record), up === 0 && !oracle.signedZero ? 0 : -up);
      }),
      runs,
    );
  });

  it("ulp is even in x and at most that of a larger number", () => {
    fc.assert(
      fc.property(anyInput(oracle), anyInput(oracle), (a, b) => {
        expectSame(ulp(-a, record), ulp(a, record));
        fc.pre(Math.abs(a) <= Math.abs(b));
        // Without subnormals the gap next to zero is wider than those of the first binades.
        fc.pre(record.subnormals || Math.abs(a) >= record.minNormal);
        if (!(ulp(a, record) <= ulp(b, record))) expect(ulp(a, record)).toBeLessThanOrEqual(ulp(b, record));
      }),
      runs,
    );
  });

  it("NaN has neither", () => {
    for (const law of [nextUp, nextDown, ulp]) expect(law(NaN, record)).toBe(NaN);
  });
});

describe("fp32", () => {
  it("neighbours are those of Float32Array's bits", () => {
    const record = format("fp32");
    fc.assert(
      fc.property(numberOf(fp32), (x) => {
        fc.pre(x !== 0);
        expectSame(nextUp(x, record) + 0, stepFloat32(x, 1) + 0);
        expectSame(nextDown(x, record) + 0, stepFloat32(x, -1) + 0);
        if (Math.abs(x) < fp32.largest) expectSame(ulp(x, record), stepFloat32(Math.abs(x), 1) - Math.abs(x));
      }),
      runs,
    );
  });
});
