/** Mistakes found in other implementations, each as a test of ours: facts that a rewrite must not unlearn. */

import { describe, expect, it } from "vitest";
import { decode, decodeTable, encode } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { round, roundSum } from "../../src/format/round.js";
import { float32FromBits, float64FromBits } from "../support/bits.js";

const bf16 = format("bf16");
const fp16 = format("fp16");
const e4m3fn = format("e4m3fn");

describe("CPFloat", () => {
  it("CPFloat: bf16 has subnormals without being asked", () => {
    expect(round(2 ** -133, bf16)).toBe(2 ** -133);
    expect(round(-(2 ** -127), bf16)).toBe(-(2 ** -127));
    expect(round(2 ** -134 * 1.5, bf16)).toBe(2 ** -133);
  });

  it("CPFloat: e4m3fn does not keep 480, whose code is NaN", () => {
    expect(round(480, e4m3fn)).toBe(NaN);
    expect(round(480, e4m3fn, { overflow: "saturate" })).toBe(448);
    expect(round(480, e4m3fn, { rounding: "toward-zero" })).toBe(448);
  });

  it("CPFloat: a NaN with its payload in the low 16 bits stays NaN", () => {
    for (const bits of [0x7f80_0001, 0x7f80_ffff, 0x7fff_ffff, 0xff80_0001, 0xffff_ffff]) {
      expect(round(float32FromBits(bits), bf16)).toBe(NaN);
      expect(encode(float32FromBits(bits), bf16)).toBe(0x7fc0);
    }
    for (const bits of [0x7ff0_0000_0000_0001n, 0xfff0_0000_0000_ffffn, 0x7fff_ffff_ffff_ffffn]) {
      expect(round(float64FromBits(bits), bf16)).toBe(NaN);
      expect(encode(float64FromBits(bits), bf16)).toBe(0x7fc0);
    }
  });

  it("CPFloat: 1 - 2^-30 toward zero is rounded once, below 1", () => {
    const exact = 1 - 2 ** -30;
    expect(round(exact, bf16, { rounding: "toward-zero" })).toBe(0.99609375);
    expect(round(exact, bf16, { rounding: "toward-negative" })).toBe(0.99609375);
    expect(round(exact, bf16)).toBe(1);
    expect(roundSum(1, -(2 ** -80), bf16, "toward-zero", "ieee", 0)).toBe(0.99609375);
  });
});

describe("pychop", () => {
  it("pychop: 65520 in fp16 overflows", () => {
    expect(round(65520, fp16)).toBe(Infinity);
    expect(round(65519.999, fp16)).toBe(65504);
    expect(round(65520, fp16, { overflow: "saturate" })).toBe(65504);
    expect(round(65536, fp16, { rounding: "toward-zero" })).toBe(65504);
  });

  it("pychop: 448 in e4m3fn is 448", () => {
    expect(round(448, e4m3fn)).toBe(448);
    expect(decode(encode(-448, e4m3fn), e4m3fn)).toBe(-448);
  });

  it("pychop: fp16 subnormals are numbers", () => {
    for (let count = 1; count < 1024; count++) {
      expect(round(count * 2 ** -24, fp16)).toBe(count * 2 ** -24);
    }
    expect(round(2 ** -25, fp16)).toBe(0);
    expect(round(2 ** -25 * (1 + 2 ** -50), fp16)).toBe(2 ** -24);
    expect(round(3 * 2 ** -25, fp16)).toBe(2 ** -23);
  });
});

describe("QPyTorch and microxcaling", () => {
  it("QPyTorch and microxcaling: nearest breaks ties to even, not away", () => {
    expect(round(1 + 2 ** -8, bf16)).toBe(1);
    expect(round(1 + 3 * 2 ** -8, bf16)).toBe(1 + 2 ** -6);
    expect(round(-1 - 2 ** -8, bf16)).toBe(-1);
    expect(round(17, e4m3fn)).toBe(16);
    expect(round(2.5, format("e2m1fn"))).toBe(2);
    expect(round(5, format("e2m1fn"))).toBe(4);
  });

  it("QPyTorch and microxcaling: their rounding has its own name", () => {
    expect(round(1 + 2 ** -8, bf16, { rounding: "nearest-away" })).toBe(1 + 2 ** -7);
    expect(round(-1 - 2 ** -8, bf16, { rounding: "nearest-away" })).toBe(-1 - 2 ** -7);
    expect(round(2.5, format("e2m1fn"), { rounding: "nearest-away" })).toBe(3);
  });

  it("QPyTorch and microxcaling: the two agree but on ties", () => {
    for (const value of decodeTable(fp16).filter(Number.isFinite)) {
      const even = round(value, e4m3fn, { overflow: "saturate" });
      const away = round(value, e4m3fn, { overflow: "saturate", rounding: "nearest-away" });
      if (!Object.is(even, away)) expect(Math.abs(value - even)).toBe(Math.abs(value - away));
    }
  });
});

describe("ml_dtypes and torch", () => {
  it("ml_dtypes and torch: fp64 goes to bf16 in one rounding, not through fp32", () => {
    const x = 1 + 2 ** -8 + 2 ** -40;
    expect(round(x, bf16)).toBe(1.0078125);
    expect(round(Math.fround(x), bf16)).toBe(1);
    expect(round(-x, bf16)).toBe(-1.0078125);
    expect(round(1 + 3 * 2 ** -8 - 2 ** -40, bf16)).toBe(1.0078125);
  });

  it("ml_dtypes and torch: nor does a subnormal", () => {
    const x = 2 ** -134 + 2 ** -170;
    expect(round(x, bf16)).toBe(2 ** -133);
    expect(round(Math.fround(x), bf16)).toBe(0);
  });

  it("e4m3fn overflow: NaN as ml_dtypes, 448 as torch on a CPU, each by its name", () => {
    for (const x of [464.001, 500, 1e6, 1e308, Infinity]) {
      expect(round(x, e4m3fn)).toBe(NaN);
      expect(round(-x, e4m3fn, { overflow: "ieee" })).toBe(NaN);
      expect(round(x, e4m3fn, { overflow: "saturate" })).toBe(448);
      expect(round(-x, e4m3fn, { overflow: "saturate" })).toBe(-448);
    }
    expect(round(464, e4m3fn)).toBe(448);
    expect(round(464, e4m3fn, { rounding: "nearest-away" })).toBe(NaN);
  });
});

describe("TransformerEngine", () => {
  it("TransformerEngine: a master halfway between two bf16 numbers shows the even one", () => {
    const master = float32FromBits(0x3f80_8000);
    const remainderScheme = (0x3f80_8000 + 0x8000) >>> 16;
    expect(encode(master, bf16)).toBe(0x3f80);
    expect(encode(master, bf16, { rounding: "nearest-away" })).toBe(remainderScheme);
  });
});
