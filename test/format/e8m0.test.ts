import { describe, expect, it } from "vitest";
import { decode, decodeTable, encode } from "../../src/format/encode.js";
import { defineFormat } from "../../src/format/format.js";
import { nextDown, nextUp, ulp } from "../../src/format/neighbours.js";
import { format, formats } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { updateSettings } from "../../src/update/settings.js";

const e8m0 = format("e8m0fnu");

describe("e8m0fnu, the scales of OCP MX 1.0, section 5.4.1", () => {
  it("has 8 bits, no sign, no zero, no Inf, one NaN", () => {
    expect(e8m0).toMatchObject({
      bits: 8,
      signed: false,
      hasInfinity: false,
      hasNaN: true,
      subnormals: false,
    });
    expect([e8m0.minPositive, e8m0.maxFinite, e8m0.epsilon]).toEqual([2 ** -127, 2 ** 127, 1]);
    expect(format("F8_E8M0")).toBe(e8m0);
    expect(format("torch.float8_e8m0fnu")).toBe(e8m0);
  });

  it("every code is 2^(code - 127), but 255, which is NaN", () => {
    const table = decodeTable(e8m0);
    expect(table.length).toBe(256);
    for (let code = 0; code < 255; code++) {
      expect(decode(code, e8m0)).toBe(2 ** (code - 127));
      expect(table[code]).toBe(2 ** (code - 127));
      expect(encode(2 ** (code - 127), e8m0)).toBe(code);
    }
    expect([decode(255, e8m0), table[255]]).toEqual([NaN, NaN]);
    expect(encode(NaN, e8m0)).toBe(255);
    for (const code of [-1, 256, 1.5]) expect(() => decode(code, e8m0)).toThrow("from 0 to 255");
  });

  it("rounds to the nearest power of two, ties up, as torch does", () => {
    for (const e of [-126, -1, 0, 3, 126]) {
      const middle = 1.5 * 2 ** e;
      expect(round(middle, e8m0)).toBe(2 ** (e + 1));
      expect(round(middle * (1 - 2 ** -50), e8m0)).toBe(2 ** e);
      expect(round(middle, e8m0, { rounding: "toward-zero" })).toBe(2 ** e);
      expect(round(2 ** e * 1.0001, e8m0, { rounding: "toward-positive" })).toBe(2 ** (e + 1));
    }
  });

  it("has no zero and no negative numbers", () => {
    for (const x of [0, -0, 2 ** -149, 2 ** -128]) expect(round(x, e8m0)).toBe(2 ** -127);
    for (const x of [-1, -(2 ** -149), -Infinity]) {
      expect(round(x, e8m0)).toBeNaN();
      expect(round(x, e8m0, { overflow: "saturate" })).toBeNaN();
    }
  });

  it("beyond the largest: NaN, or the largest where that is asked for", () => {
    for (const x of [1.5 * 2 ** 127, 2 ** 128, Infinity]) {
      expect(round(x, e8m0)).toBeNaN();
      expect(round(x, e8m0, { overflow: "saturate" })).toBe(2 ** 127);
    }
    expect(round(1.4 * 2 ** 127, e8m0)).toBe(2 ** 127);
  });

  it("neighbours and gaps", () => {
    expect([nextUp(1, e8m0), nextDown(1, e8m0), ulp(1, e8m0)]).toEqual([2, 0.5, 1]);
    expect([nextUp(3, e8m0), nextDown(3, e8m0)]).toEqual([4, 2]);
    expect([nextUp(2 ** -127, e8m0), nextUp(2 ** -128, e8m0)]).toEqual([2 ** -126, 2 ** -127]);
    expect([nextUp(0, e8m0), nextUp(-5, e8m0), nextUp(-Infinity, e8m0)]).toEqual([
      2 ** -127,
      2 ** -127,
      2 ** -127,
    ]);
    expect([nextUp(2 ** 127, e8m0), nextDown(2 ** -127, e8m0), nextDown(0, e8m0)]).toEqual([NaN, NaN, NaN]);
    expect([nextDown(2 ** -126, e8m0), nextDown(Infinity, e8m0)]).toEqual([2 ** -127, 2 ** 127]);
  });

  it("holds scales and no weights", () => {
    expect(formats.has("e8m0fnu")).toBe(false);
    expect(() => updateSettings({ format: "e8m0fnu" })).toThrow(
      "format e8m0fnu holds scales of blocks, and no weights",
    );
  });
});

it("an unsigned format has neither subnormals nor a zero of its own", () => {
  const parameters = { ...e8m0, name: "x", precision: 3, topCodes: 4 };
  expect(defineFormat(parameters).bits).toBe(10);
  expect(() => defineFormat({ ...parameters, subnormals: true })).toThrow("neither subnormals nor a zero");
  expect(() => defineFormat({ ...parameters, signed: true, precision: 1 })).toThrow("1 to 23 stored");
});
