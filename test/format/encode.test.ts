import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, decodeTable, encode } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { anyInput, anyOptions } from "../support/arbitraries.js";
import { expectSame, Mismatches } from "../support/mismatches.js";
import { allSubjects, bf16WithoutSubnormals, e4m3OneInfinity } from "../support/subjects.js";
import { sized } from "../support/tier.js";

/** Codes as printed in the formats' publications, or known from the bits of IEEE numbers. */
const published: [string, number, number][] = [
  ["fp32", 1, 0x3f80_0000],
  ["fp32", -0, 0x8000_0000],
  ["fp32", -Infinity, 0xff80_0000],
  ["fp32", NaN, 0x7fc0_0000],
  ["tf32", 1, 0x1_fc00],
  ["tf32", Infinity, 0x3_fc00],
  ["bf16", 1, 0x3f80],
  ["bf16", -2, 0xc000],
  ["bf16", 2 ** -133, 0x0001],
  ["bf16", 3.3895313892515355e38, 0x7f7f],
  ["bf16", NaN, 0x7fc0],
  ["fp16", 65504, 0x7bff],
  ["fp16", 2 ** -24, 0x0001],
  ["fp16", -Infinity, 0xfc00],
  ["e5m2", 57344, 0x7b],
  ["e5m2", Infinity, 0x7c],
  ["e5m2", NaN, 0x7e],
  ["e4m3fn", 448, 0x7e],
  ["e4m3fn", -448, 0xfe],
  ["e4m3fn", NaN, 0x7f],
  ["e4m3fn", 2 ** -9, 0x01],
  ["e5m2fnuz", 57344, 0x7f],
  ["e5m2fnuz", NaN, 0x80],
  ["e5m2fnuz", -0, 0x00],
  ["e4m3fnuz", 240, 0x7f],
  ["e4m3fnuz", NaN, 0x80],
  ["e4m3fnuz", -0, 0x00],
  ["e3m2fn", 28, 0x1f],
  ["e3m2fn", -28, 0x3f],
  ["e2m3fn", 7.5, 0x1f],
  ["e2m3fn", 1, 0x08],
  ["e2m1fn", 6, 0x7],
  ["e2m1fn", -6, 0xf],
];

describe("encode", () => {
  it.each(published)("%s encodes %s as published", (name, x, code) => {
    expect(encode(x, format(name))).toBe(code);
  });

  it("rounds first, by the options", () => {
    const bf16 = format("bf16");
    const x = 1 + 2 ** -9;
    expect(encode(x, bf16)).toBe(0x3f80);
    expect(encode(x, bf16, { rounding: "toward-positive" })).toBe(0x3f81);
    expect(encode(x, bf16, { rounding: "stochastic", randomBits: 0xffff_ffff })).toBe(0x3f81);
    expect(encode(1e6, format("e4m3fn"))).toBe(0x7f);
    expect(encode(1e6, format("e4m3fn"), { overflow: "saturate" })).toBe(0x7e);
    expect(() => encode(x, bf16, { rounding: "stochastic" })).toThrow(TypeError);
  });

  it.each(["e3m2fn", "e2m3fn", "e2m1fn"])("of NaN throws in %s, which has none", (name) => {
    expect(() => encode(NaN, format(name))).toThrow(RangeError);
    expect(() => encode(NaN, format(name))).toThrow(`${name} has no code for NaN`);
    expect(() => encode(NaN, format(name), { overflow: "saturate" })).toThrow(RangeError);
  });

  it("gives the one NaN beside the one Inf its own code", () => {
    const { record } = e4m3OneInfinity;
    expect(encode(Infinity, record)).toBe(0x7e);
    expect(encode(NaN, record)).toBe(0x7f);
    expect(encode(-Infinity, record)).toBe(0xfe);
  });
});

describe.each(allSubjects)("a code of $name", ({ oracle, record }) => {
  it("stands for what its number rounds to", () => {
    fc.assert(
      fc.property(anyInput(oracle), anyOptions, (x, options) => {
        const rounded = round(x, record, options);
        fc.pre(record.hasNaN || !Number.isNaN(rounded));
        expectSame(decode(encode(x, record, options), record), rounded);
      }),
      { numRuns: sized({ quick: 500, full: 2000 }) },
    );
  });

  it("is an unsigned integer of as many bits as the format has", () => {
    const codes = 2 ** oracle.bits;
    for (const code of [-1, codes, codes + 1, 0.5, NaN, Infinity]) {
      expect(() => decode(code, record), `${code}`).toThrow(RangeError);
    }
    expect(() => decode(codes, record)).toThrow(`${codes} is not a code of ${record.name}`);
    expect(() => decode(codes, record)).toThrow(`from 0 to ${codes - 1}`);
    expect(() => decode(codes - 1, record)).not.toThrow();
  });
});

describe("a format without subnormals", () => {
  const { record } = bf16WithoutSubnormals;

  it("decodes the codes of subnormal numbers to zero", () => {
    for (let code = 0; code < 0x80; code++) {
      expect(decode(code, record)).toBe(0);
      expect(decode(0x8000 + code, record)).toBe(-0);
    }
    expect(decode(0x80, record)).toBe(2 ** -126);
  });

  it("decodes and encodes all other codes as with them", () => {
    const bf16 = format("bf16");
    const wrong = new Mismatches();
    for (let code = 0x80; code <= 0x7f80; code++) {
      const value = decode(code, record);
      wrong.compare(value, decode(code, bf16), () => `decode(${code})`);
      wrong.compare(encode(value, record), code, () => `encode(${value})`);
    }
    wrong.expectNone();
    expect(encode(NaN, record)).toBe(0x7fc0);
    expect(encode(2 ** -126 * 0.5, record)).toBe(0);
    expect(encode(-(2 ** -126) * 0.75, record)).toBe(0x8080);
  });
});

describe("decodeTable", () => {
  it("of fp4 is the eight numbers of OCP Microscaling Formats 1.0, twice", () => {
    const positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
    expect([...decodeTable(format("e2m1fn"))]).toEqual([...positive, ...positive.map((x) => -x)]);
  });
});
