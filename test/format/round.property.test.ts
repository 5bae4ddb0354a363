import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextDown, nextUp } from "../../src/format/neighbours.js";
import { format } from "../../src/format/registry.js";
import { type Rounding, round } from "../../src/format/round.js";
import { anyInput, anyOptions, finiteInput, randomBits } from "../support/arbitraries.js";
import { expectSame } from "../support/mismatches.js";
import { deterministicRoundings, expectedRound, expectedUnits, placeIn, toUnits } from "../support/oracle.js";
import {
  bf16,
  e2m1fn,
  e2m3fn,
  e3m2fn,
  e4m3fn,
  e4m3fnuz,
  e5m2,
  e5m2fnuz,
  fp16,
  fp32,
  type OracleFormat,
  tf32,
} from "../support/oracle-formats.js";
import { allSubjects } from "../support/subjects.js";
import { sized } from "../support/tier.js";

const runs = { numRuns: sized({ quick: 500, full: 2000 }) };
/** For properties that try 2^10 random bits on each number. */
const fewRuns = { numRuns: sized({ quick: 25, full: 100 }) };

/** The order of results: an overflow to NaN stands where Inf would. */
function order(result: number, x: number): number {
  return Number.isNaN(result) ? Math.sign(x) * Infinity : result;
}

/** -x, but without a sign of zero where the format has none. */
function negated(x: number, oracle: OracleFormat): number {
  return x === 0 && !oracle.signedZero ? 0 : -x;
}

const mirrored: Partial<Record<Rounding, Rounding>> = {
  "toward-positive": "toward-negative",
  "toward-negative": "toward-positive",
};

describe.each(allSubjects)("rounding to $name", ({ oracle, record }) => {
  const input = anyInput(oracle);
  const finite = finiteInput(oracle);

  it("is that of the exact number", () => {
    fc.assert(
      fc.property(finite, anyOptions, (x, options) => {
        fc.pre(x !== 0);
        const { rounding, overflow, randomBits } = options;
        const expected = expectedUnits(toUnits(x), oracle, rounding, overflow, randomBits);
        expectSame(round(x, record, options), expected);
      }),
      runs,
    );
  });

  it("is that of the table of values, NaN and infinities included", () => {
    fc.assert(
      fc.property(input, anyOptions, (x, options) => {
        const { rounding, overflow, randomBits } = options;
        expectSame(round(x, record, options), expectedRound(x, oracle, rounding, overflow, randomBits));
      }),
      runs,
    );
  });

  it("is monotone, stochastic rounding with the same bits too", () => {
    fc.assert(
      fc.property(input, input, anyOptions, (a, b, options) => {
        fc.pre(!Number.isNaN(a) && !Number.isNaN(b));
        const [low, high] = a <= b ? [a, b] : [b, a];
        const lowRounded = order(round(low, record, options), low);
        const highRounded = order(round(high, record, options), high);
        if (!(lowRounded <= highRounded)) expect(lowRounded).toBeLessThanOrEqual(highRounded);
      }),
      runs,
    );
  });

  it("is idempotent", () => {
    fc.assert(
      fc.property(input, anyOptions, (x, options) => {
        const once = round(x, record, options);
        expectSame(round(once, record, options), once);
      }),
      runs,
    );
  });

  it("is odd, and the directed roundings mirror each other", () => {
    fc.assert(
      fc.property(input, anyOptions, (x, options) => {
        const mirror = { ...options, rounding: mirrored[options.rounding] ?? options.rounding };
        expectSame(round(-x, record, options), negated(round(x, record, mirror), oracle));
      }),
      runs,
    );
  });

  it("gives the number itself or one of its two neighbours", () => {
    fc.assert(
      fc.property(finite, anyOptions, (x, options) => {
        const result = round(x, record, options);
        if (placeIn(Math.abs(x), oracle).exact && Math.abs(x) <= oracle.largest) {
          expectSame(result, negated(-x, oracle));
        } else if (!Object.is(result, nextDown(x, record))) {
          expectSame(result, nextUp(x, record));
        }
      }),
      runs,
    );
  });
});

/** Formats wide enough, two more bits and a finer subnormal gap, for a rounding to odd to lose nothing. */
const narrowings: [OracleFormat, OracleFormat][] = [
  ...[tf32, bf16, fp16, e5m2, e4m3fn, e5m2fnuz, e4m3fnuz, e3m2fn, e2m3fn, e2m1fn].map(
    (narrow): [OracleFormat, OracleFormat] => [fp32, narrow],
  ),
  ...[bf16, e5m2, e4m3fn].map((narrow): [OracleFormat, OracleFormat] => [tf32, narrow]),
  ...[e5m2, e4m3fn, e5m2fnuz, e4m3fnuz, e3m2fn].map((narrow): [OracleFormat, OracleFormat] => [fp16, narrow]),
  ...[e5m2, e4m3fn, e4m3fnuz, e2m3fn, e2m1fn].map((narrow): [OracleFormat, OracleFormat] => [bf16, narrow]),
];

describe("to-odd first, then narrower, is one rounding", () => {
  it.each(narrowings.map(([wide, narrow]) => ({ from: wide.name, to: narrow.name, narrow })))(
    "$from to $to",
    ({ from, to, narrow }) => {
      fc.assert(
        fc.property(anyInput(narrow), fc.constantFrom(...deterministicRoundings), (x, rounding) => {
          const odd = round(x, format(from), { rounding: "to-odd" });
          const direct = round(x, format(to), { rounding });
          expectSame(round(odd, format(to), { rounding }), direct);
        }),
        runs,
      );
    },
  );

  it("is not so without to-odd", () => {
    const x = 1 + 2 ** -8 + 2 ** -40;
    expect(round(round(x, format("fp32")), format("bf16"))).not.toBe(round(x, format("bf16")));
  });
});

describe.each(allSubjects)("stochastic rounding to $name", ({ oracle, record }) => {
  const stochastic = (x: number, randomBits: number): number =>
    round(x, record, { rounding: "stochastic", overflow: "saturate", randomBits });

  it("goes away from zero for exactly floor(2^10 r) of 2^10 evenly spaced bits", () => {
    fc.assert(
      fc.property(finiteInput(oracle), (x) => {
        const place = placeIn(Math.abs(x), oracle);
        fc.pre(!place.exact && place.above <= oracle.largest);
        let away = 0;
        for (let residue = 0; residue < 2 ** 10; residue++) {
          const magnitude = Math.abs(stochastic(x, residue * 2 ** 22));
          if (magnitude === place.above) away += 1;
          else if (magnitude !== place.below) away = NaN;
        }
        expect(away).toBe(Math.floor(place.fraction / 2 ** 22));
      }),
      fewRuns,
    );
  });

  it("has the number as its exact mean where 2^10 r is an integer", () => {
    fc.assert(
      fc.property(finiteInput(oracle), fc.integer({ min: 0, max: 1023 }), (x, tenBits) => {
        const { exact, below, above } = placeIn(Math.abs(x), oracle);
        fc.pre(!exact && above <= oracle.largest);
        const inside = below + ((above - below) / 1024) * tenBits;
        let excess = 0;
        for (let residue = 0; residue < 2 ** 10; residue++) {
          excess += (stochastic(inside, residue * 2 ** 22) - below) / (above - below);
        }
        expect(excess).toBe(tenBits);
      }),
      fewRuns,
    );
  });

  it("is deterministic and monotone in its bits", () => {
    fc.assert(
      fc.property(finiteInput(oracle), randomBits, randomBits, (x, a, b) => {
        const nearer = Math.abs(stochastic(x, Math.min(a, b)));
        expectSame(Math.abs(stochastic(x, Math.min(a, b))), nearer);
        const farther = Math.abs(stochastic(x, Math.max(a, b)));
        if (!(nearer <= farther)) expect(nearer).toBeLessThanOrEqual(farther);
      }),
      runs,
    );
  });
});
