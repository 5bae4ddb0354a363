import fc, { type Arbitrary } from "fast-check";
import { describe, expect, it } from "vitest";
import { sumTail } from "../../src/format/float64.js";
import { format } from "../../src/format/registry.js";
import { type Rounding, roundSum } from "../../src/format/round.js";
import {
  finiteFloat64,
  finiteInput,
  nearNumberOf,
  numberOf,
  powerOfTwo,
  randomBits,
} from "../support/arbitraries.js";
import { expectSame } from "../support/mismatches.js";
import { allRoundings, overflowModes, placeOfUnits, roundPlaced, toUnits } from "../support/oracle.js";
import { bf16, fp32, type OracleFormat } from "../support/oracle-formats.js";
import { allSubjects } from "../support/subjects.js";
import { sized } from "../support/tier.js";

const runs = { numRuns: sized({ quick: 1000, full: 4000 }) };

/** Rounds the exact a + b as a caller does. */
function roundExactSum(a: number, b: number, name: string, rounding: Rounding, bits = 0): number {
  const sum = a + b;
  return roundSum(sum, sumTail(a, b, sum), format(name), rounding, "ieee", bits);
}

/** Second terms small against most first ones, so that the sum has a tail. */
const farTerm: Arbitrary<number> = fc.oneof(powerOfTwo, finiteFloat64, numberOf(fp32));

function terms(oracle: OracleFormat): Arbitrary<[number, number]> {
  return fc.oneof(
    fc.tuple(nearNumberOf(oracle), farTerm),
    fc.tuple(numberOf(oracle), farTerm),
    fc.tuple(finiteInput(oracle), finiteInput(oracle)),
    fc.tuple(numberOf(fp32), numberOf(fp32)),
  );
}

describe.each(allSubjects)("the exact sum of two numbers, rounded once to $name", ({ oracle, record }) => {
  const pair = terms(oracle).filter(([a, b]) => a + b !== 0 && Number.isFinite(a + b));

  it("is right under every rounding, stochastic on both sides of the random bits that decide", () => {
    fc.assert(
      fc.property(pair, fc.constantFrom(...overflowModes), randomBits, ([a, b], overflow, someBits) => {
        const exact = toUnits(a) + toUnits(b);
        const place = placeOfUnits(exact < 0n ? -exact : exact, oracle);
        const sum = a + b;
        const tail = sumTail(a, b, sum);
        const deciding = 2 ** 32 - place.fraction;
        for (const rounding of allRoundings) {
          for (const bits of rounding === "stochastic" ? [someBits, deciding - 1, deciding] : [0]) {
            if (bits < 0 || bits > 0xffff_ffff) continue;
            const actual = roundSum(sum, tail, record, rounding, overflow, bits);
            const expected = roundPlaced(place, exact < 0n, oracle, rounding, overflow, bits);
            expectSame(actual, expected, rounding);
          }
        }
      }),
      runs,
    );
  });
});

describe("the tail of a sum", () => {
  const tiny = 2 ** -149;

  it("breaks a tie", () => {
    const tie = 1 + 2 ** -8;
    expect(roundExactSum(tie, tiny, "bf16", "nearest-even")).toBe(1 + 2 ** -7);
    expect(roundExactSum(tie, -tiny, "bf16", "nearest-even")).toBe(1);
    expect(roundExactSum(tie, -tiny, "bf16", "nearest-away")).toBe(1);
    const tieToOdd = 1 + 3 * 2 ** -8;
    expect(roundExactSum(tieToOdd, -tiny, "bf16", "nearest-even")).toBe(1 + 2 ** -7);
    expect(roundExactSum(-tieToOdd, tiny, "bf16", "nearest-even")).toBe(-1 - 2 ** -7);
  });

  it("below a power of two counts in the gap below", () => {
    expect(roundExactSum(1, -tiny, "bf16", "toward-zero")).toBe(1 - 2 ** -8);
    expect(roundExactSum(1, -tiny, "bf16", "toward-negative")).toBe(1 - 2 ** -8);
    expect(roundExactSum(1, -tiny, "bf16", "toward-positive")).toBe(1);
    expect(roundExactSum(1, -tiny, "bf16", "to-odd")).toBe(1 - 2 ** -8);
    expect(roundExactSum(-1, tiny, "bf16", "toward-positive")).toBe(-1 + 2 ** -8);
    expect(roundExactSum(1, -tiny, "bf16", "stochastic", 0)).toBe(1 - 2 ** -8);
    expect(roundExactSum(1, -tiny, "bf16", "stochastic", 1)).toBe(1);
  });

  it("makes an exact number inexact", () => {
    expect(roundExactSum(1, tiny, "bf16", "toward-positive")).toBe(1 + 2 ** -7);
    expect(roundExactSum(1, tiny, "bf16", "to-odd")).toBe(1 + 2 ** -7);
    expect(roundExactSum(1, tiny, "bf16", "stochastic", 0xffff_ffff)).toBe(1);
  });

  it("counts however small it is against the gap", () => {
    expect(roundExactSum(2 ** 100, 2 ** -1074, "bf16", "toward-positive")).toBe(2 ** 100 + 2 ** 93);
    expect(roundExactSum(2 ** 100, -(2 ** -1074), "bf16", "toward-zero")).toBe(2 ** 100 - 2 ** 92);
  });

  it("decides whether the largest number overflows", () => {
    const threshold = bf16.largest + 2 ** 119;
    expect(roundExactSum(threshold, tiny, "bf16", "nearest-even")).toBe(Infinity);
    expect(roundExactSum(threshold, -tiny, "bf16", "nearest-even")).toBe(bf16.largest);
    expect(roundExactSum(threshold, -tiny, "bf16", "nearest-away")).toBe(bf16.largest);
  });
});
