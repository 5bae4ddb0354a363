import { describe, expect, it } from "vitest";
import { defineFormat, type FormatParameters, ieeeFormat } from "../../src/format/format.js";
import { nextDown, nextUp, ulp } from "../../src/format/neighbours.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { bf16WithoutSubnormals } from "../support/subjects.js";

const valid: FormatParameters = {
  name: "made",
  exponentBits: 4,
  precision: 4,
  bias: 7,
  topCodes: 1,
  unsignedZero: false,
  subnormals: true,
};

describe("defineFormat", () => {
  it("derives all else from the parameters", () => {
    expect(defineFormat(valid)).toEqual({ ...format("e4m3fn"), name: "made" });
    expect(defineFormat({ ...valid, bias: 8, topCodes: 0, unsignedZero: true })).toEqual({
      ...format("e4m3fnuz"),
      name: "made",
    });
  });

  it("freezes the record", () => {
    const made = defineFormat(valid);
    expect(Object.isFrozen(made)).toBe(true);
    expect(() => Object.assign(made, { bias: 1 })).toThrow(TypeError);
  });

  it("has Inf from the second top code on", () => {
    expect(defineFormat({ ...valid, topCodes: 0 })).toMatchObject({ hasInfinity: false, hasNaN: false });
    expect(defineFormat({ ...valid, topCodes: 1 })).toMatchObject({ hasInfinity: false, hasNaN: true });
    expect(defineFormat({ ...valid, topCodes: 2 })).toMatchObject({ hasInfinity: true, hasNaN: true });
  });

  it.each<[string, Partial<FormatParameters>]>([
    ["one exponent bit", { exponentBits: 1 }],
    ["nine exponent bits", { exponentBits: 9 }],
    ["half an exponent bit", { exponentBits: 4.5 }],
    ["no stored significand bit", { precision: 1 }],
    ["more significand bits than fp32", { precision: 25 }],
    ["a bias of zero", { bias: 0 }],
    ["a bias past that of fp32's range", { bias: 129 }],
    ["a bias that is no number", { bias: NaN }],
    ["fewer than no top codes", { topCodes: -1 }],
    ["more than a binade of top codes", { topCodes: 9 }],
  ])("refuses %s, by name", (_, change) => {
    expect(() => defineFormat({ ...valid, ...change })).toThrow(RangeError);
    expect(() => defineFormat({ ...valid, ...change })).toThrow("format made: expected");
  });

  it.each<[string, Partial<FormatParameters>, string]>([
    ["exponents above those of fp32", { exponentBits: 8, bias: 127 }, "2^-129 to below 2^129"],
    ["exponents far above", { exponentBits: 8, bias: 1 }, "2^-3 to below 2^255"],
    ["numbers below those of fp32", { exponentBits: 8, precision: 24, bias: 128 }, "2^-150 to below 2^128"],
  ])("refuses %s, which it could not hold", (_, change, found) => {
    expect(() => defineFormat({ ...valid, ...change })).toThrow(`as fp32 has them, found ${found}`);
  });

  it("takes the extremes of what it allows", () => {
    expect(defineFormat({ ...valid, exponentBits: 2, precision: 2, bias: 1 }).bits).toBe(4);
    const wide = { exponentBits: 8, precision: 24, bias: 127, topCodes: 2 ** 23 };
    expect(defineFormat({ ...valid, ...wide }).bits).toBe(32);
    const low = { ...wide, precision: 23, bias: 128, topCodes: 0 };
    expect(defineFormat({ ...valid, ...low })).toMatchObject({ minPositive: 2 ** -149, maxExponent: 127 });
    expect(defineFormat({ ...valid, topCodes: 8 }).maxFinite).toBe(240);
  });
});

describe("ieeeFormat", () => {
  it("has the bias and the top exponent of IEEE 754", () => {
    expect(ieeeFormat("half", 5, 10)).toEqual({ ...format("fp16"), name: "half" });
    expect(ieeeFormat("single", 8, 23)).toEqual({ ...format("fp32"), name: "single" });
  });
});

describe("a format without subnormals", () => {
  const { record } = bf16WithoutSubnormals;
  const least = 2 ** -126;

  it("has the smallest normal number as its smallest", () => {
    expect(record.minPositive).toBe(least);
    expect(record.minNormal).toBe(least);
    expect(record.maxFinite).toBe(format("bf16").maxFinite);
  });

  it("rounds to zero or the smallest number below it; zero is even", () => {
    expect(round(least / 2, record)).toBe(0);
    expect(round(-least / 2, record)).toBe(-0);
    expect(round(least * (0.5 + 2 ** -50), record)).toBe(least);
    expect(round(least / 2, record, { rounding: "nearest-away" })).toBe(least);
    expect(round(2 ** -1074, record, { rounding: "toward-positive" })).toBe(least);
    expect(round(-(2 ** -1074), record, { rounding: "toward-positive" })).toBe(-0);
    expect(round(least * 0.99, record, { rounding: "toward-zero" })).toBe(0);
  });

  it("keeps what is not zero from zero under to-odd", () => {
    expect(round(2 ** -1074, record, { rounding: "to-odd" })).toBe(least);
    expect(round(-least * 0.75, record, { rounding: "to-odd" })).toBe(-least);
  });

  it("rounds stochastically in the gap down to zero", () => {
    const quarter = (randomBits: number) => round(least / 4, record, { rounding: "stochastic", randomBits });
    expect(quarter(0xbfff_ffff)).toBe(0);
    expect(quarter(0xc000_0000)).toBe(least);
  });

  it("has zero and the smallest number as neighbours", () => {
    expect(nextUp(0, record)).toBe(least);
    expect(nextDown(0, record)).toBe(-least);
    expect(nextDown(least, record)).toBe(0);
    expect(nextUp(-least, record)).toBe(-0);
    expect(nextUp(least, record)).toBe(least * (1 + 2 ** -7));
    expect(nextUp(least / 3, record)).toBe(least);
    expect(nextDown(least / 3, record)).toBe(0);
    expect(ulp(0, record)).toBe(least);
    expect(ulp(least, record)).toBe(least * 2 ** -7);
  });
});
