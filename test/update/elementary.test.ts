import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosPi, exp, log } from "../../src/update/elementary.js";
import { random32 } from "../support/bits.js";

const random = random32(2024);
const uniform = () => (random() + 0.5) / 2 ** 32;

/** |a - b| in units of 2^-53 |b|; 0 where both are the same. */
const unitsOff = (a: number, b: number) => (a === b ? 0 : Math.abs((a - b) / b) * 2 ** 53);

/** The largest of f over many x. */
function worst(draw: () => number, error: (x: number) => number): number {
  let most = 0;
  for (let i = 0; i < 100_000; i++) most = Math.max(most, error(draw()));
  return most;
}

describe("log", () => {
  it.each([
    ["probabilities", uniform],
    ["small probabilities", () => uniform() ** 8],
    ["around 1", () => 1 + (uniform() - 0.5) * 2 ** -10],
    ["around the square root of 2, where the branches meet", () => Math.SQRT2 * (1 + (uniform() - 0.5) / 64)],
    ["any exponent", () => (1 + uniform()) * 2 ** Math.floor(2044 * uniform() - 1022)],
  ])("is Math.log to 4 units of the last place: %s", (_, draw) => {
    expect(worst(draw, (x) => unitsOff(log(x), Math.log(x)))).toBeLessThan(4);
  });

  it("is exact at 1, and whole multiples of ln 2 at powers of two", () => {
    expect(log(1)).toBe(0);
    for (let e = -1022; e <= 1023; e++) expect(log(2 ** e)).toBe(e * Math.LN2);
  });

  it("takes the smallest number that it is valid for", () => {
    expect(unitsOff(log(2 ** -1022), -1022 * Math.LN2)).toBeLessThan(2);
  });
});

describe("exp", () => {
  it("is Math.exp to 10^-14 where it says so", () => {
    const error = (x: number) => Math.abs(exp(x) / Math.exp(x) - 1);
    expect(worst(() => 100 * uniform() - 50, error)).toBeLessThan(1e-14);
    // Where the multiples of ln 2 change.
    expect(
      worst(
        () => (Math.round(140 * uniform() - 70) + 0.5) * Math.LN2 * (1 + 1e-9 * (uniform() - 0.5)),
        error,
      ),
    ).toBeLessThan(1e-14);
    expect(exp(0)).toBe(1);
  });

  it("undoes log", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-20, max: 1e20, noNaN: true }), (x) => {
        expect(Math.abs(exp(log(x)) / x - 1)).toBeLessThan(2e-14);
      }),
    );
  });
});

describe("cosPi", () => {
  it("is Math.cos(pi x) to 2^-51", () => {
    expect(worst(uniform, (x) => Math.abs(cosPi(x) - Math.cos(Math.PI * x)))).toBeLessThan(2 ** -51);
  });

  it("is right to 8 units of the last place beside its zero, where Math.cos(pi x) is not", () => {
    // cos(pi (1/2 - e)) = sin(pi e) = pi e to the last place below 10^-9.
    const draw = () => 2 ** -(30 + Math.floor(22 * uniform()));
    expect(worst(draw, (e) => unitsOff(cosPi(0.5 - e), Math.PI * e))).toBeLessThan(8);
    expect(worst(draw, (e) => unitsOff(cosPi(0.5 + e), -Math.PI * e))).toBeLessThan(8);
  });

  it("is exact at 0, 1/2 and 1, and odd about 1/2", () => {
    expect([0, 0.5, 1].map(cosPi)).toEqual([1, 0, -1]);
    for (let i = 0; i <= 64; i++) expect(cosPi(1 - i / 64) + cosPi(i / 64)).toBe(0);
  });

  it("falls everywhere", () => {
    for (let i = 1; i <= 4096; i++) expect(cosPi(i / 4096)).toBeLessThan(cosPi((i - 1) / 4096));
  });
});

// What makes tables and schedules the same bits in every JavaScript engine: no function whose last place is its own.
describe.each(["elementary", "distribution", "steady-state", "weight-draws", "simulated-adamw", "quantiles"])(
  "the text of %s.ts",
  (name) => {
    const text = readFileSync(new URL(`../../src/update/${name}.ts`, import.meta.url), "utf8")
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/\/\/.*/g, "");

    it("calls no Math but what is exact or rounded correctly", () => {
      const called = [...text.matchAll(/Math\.(\w+)/g)].map(([, member]) => member);
      const exact = ["fround", "sqrt", "abs", "min", "max", "floor", "ceil", "round", "PI", "LN2", "SQRT2"];
      expect(called.filter((member) => !exact.includes(member))).toEqual([]);
    });

    it("raises nothing but 2 to a power: exact everywhere", () => {
      const powers = [...text.matchAll(/(\S+) \*\*=? ?(\S+)/g)].map(([whole]) => whole);
      expect(powers.filter((power) => !/^\(?2 \*\* -?(\d+|restBits)[),;]*$/.test(power))).toEqual([]);
    });
  },
);
