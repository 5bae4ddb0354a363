import { describe, expect, it } from "vitest";
import { format } from "../../src/format/registry.js";
import { overflows, round, roundings, roundSum } from "../../src/format/round.js";
import { allRoundings, overflowModes } from "../support/oracle.js";
import { allSubjects } from "../support/subjects.js";

describe("round", () => {
  const bf16 = format("bf16");

  it("has the roundings and overflow modes of the contract, the default first", () => {
    expect(roundings).toEqual(allRoundings);
    expect(overflows).toEqual(overflowModes);
  });

  it("rounds to nearest-even and overflows as IEEE by default", () => {
    expect(round(1 + 2 ** -8, bf16)).toBe(1);
    expect(round(1 + 3 * 2 ** -8, bf16)).toBe(1 + 2 ** -6);
    expect(round(1e39, bf16)).toBe(Infinity);
    expect(round(1e39, bf16, { rounding: "toward-zero" })).toBe(bf16.maxFinite);
    expect(round(1e39, bf16, { overflow: "saturate" })).toBe(bf16.maxFinite);
  });

  it("throws a TypeError for stochastic rounding without random bits", () => {
    expect(() => round(1, bf16, { rounding: "stochastic" })).toThrow(TypeError);
    expect(() => round(NaN, bf16, { rounding: "stochastic" })).toThrow(/randomBits/);
  });

  it("takes random bits of zero for random bits", () => {
    expect(round(1 + 2 ** -8, bf16, { rounding: "stochastic", randomBits: 0 })).toBe(1);
  });

  it("ignores random bits under every other rounding", () => {
    for (const rounding of allRoundings) {
      if (rounding === "stochastic") continue;
      const without = round(1.2345, bf16, { rounding });
      expect(round(1.2345, bf16, { rounding, randomBits: 0xffff_ffff })).toBe(without);
    }
  });
});

describe.each(allSubjects)("zeros and what is not finite, in $name", ({ oracle, record }) => {
  it.each(allRoundings)("%s", (rounding) => {
    const options = { rounding, randomBits: 0xffff_ffff };
    expect(round(0, record, options)).toBe(0);
    expect(round(-0, record, options)).toBe(oracle.signedZero ? -0 : 0);
    expect(round(NaN, record, options)).toBe(NaN);
    expect(round(NaN, record, { ...options, overflow: "saturate" })).toBe(NaN);
    const infinite = { infinity: Infinity, nan: NaN, nothing: oracle.largest }[oracle.beyond];
    expect(round(Infinity, record, options)).toBe(infinite);
    expect(round(-Infinity, record, options)).toBe(-infinite);
    expect(round(-Infinity, record, { ...options, overflow: "saturate" })).toBe(-oracle.largest);
    expect(roundSum(Infinity, 0, record, rounding, "ieee", 0)).toBe(infinite);
  });
});
