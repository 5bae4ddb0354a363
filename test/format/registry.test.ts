import { describe, expect, it } from "vitest";
import { encode } from "../../src/format/encode.js";
import { format, formats } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { Mismatches } from "../support/mismatches.js";
import { deterministicRoundings, overflowModes } from "../support/oracle.js";
import { bf16, fp16 } from "../support/oracle-formats.js";
import { criticalPoints } from "../support/points.js";
import { sized } from "../support/tier.js";

/**
 * From IEEE 754-2019, OCP OFP8 1.0, OCP Microscaling Formats 1.0, arXiv 2206.02915 (fnuz) and the NVIDIA A100
 * white paper (tf32); the decimals as numpy and ml_dtypes print them.
 */
const published = [
  {
    name: "fp32",
    bits: 32,
    exponentBits: 8,
    maxFinite: 3.4028234663852886e38,
    minNormal: 1.1754943508222875e-38,
    minPositive: 1.401298464324817e-45,
    epsilon: 1.1920928955078125e-7,
    hasInfinity: true,
    hasNaN: true,
  },
  {
    name: "tf32",
    bits: 19,
    exponentBits: 8,
    maxFinite: 3.4011621342146535e38,
    minNormal: 1.1754943508222875e-38,
    minPositive: 1.1479437019748901e-41,
    epsilon: 0.0009765625,
    hasInfinity: true,
    hasNaN: true,
  },
  {
    name: "bf16",
    bits: 16,
    exponentBits: 8,
    maxFinite: 3.3895313892515355e38,
    minNormal: 1.1754943508222875e-38,
    minPositive: 9.183549615799121e-41,
    epsilon: 0.0078125,
    hasInfinity: true,
    hasNaN: true,
  },
  {
    name: "fp16",
    bits: 16,
    exponentBits: 5,
    maxFinite: 65504,
    minNormal: 6.103515625e-5,
    minPositive: 5.9604644775390625e-8,
    epsilon: 0.0009765625,
    hasInfinity: true,
    hasNaN: true,
  },
  {
    name: "e5m2",
    bits: 8,
    exponentBits: 5,
    maxFinite: 57344,
    minNormal: 6.103515625e-5,
    minPositive: 1.52587890625e-5,
    epsilon: 0.25,
    hasInfinity: true,
    hasNaN: true,
  },
  {
    name: "e4m3fn",
    bits: 8,
    exponentBits: 4,
    maxFinite: 448,
    minNormal: 0.015625,
    minPositive: 0.001953125,
    epsilon: 0.125,
    hasInfinity: false,
    hasNaN: true,
  },
  {
    name: "e5m2fnuz",
    bits: 8,
    exponentBits: 5,
    maxFinite: 57344,
    minNormal: 3.0517578125e-5,
    minPositive: 7.62939453125e-6,
    epsilon: 0.25,
    hasInfinity: false,
    hasNaN: true,
  },
  {
    name: "e4m3fnuz",
    bits: 8,
    exponentBits: 4,
    maxFinite: 240,
    minNormal: 0.0078125,
    minPositive: 0.0009765625,
    epsilon: 0.125,
    hasInfinity: false,
    hasNaN: true,
  },
  {
    name: "e3m2fn",
    bits: 6,
    exponentBits: 3,
    maxFinite: 28,
    minNormal: 0.25,
    minPositive: 0.0625,
    epsilon: 0.25,
    hasInfinity: false,
    hasNaN: false,
  },
  {
    name: "e2m3fn",
    bits: 6,
    exponentBits: 2,
    maxFinite: 7.5,
    minNormal: 1,
    minPositive: 0.125,
    epsilon: 0.125,
    hasInfinity: false,
    hasNaN: false,
  },
  {
    name: "e2m1fn",
    bits: 4,
    exponentBits: 2,
    maxFinite: 6,
    minNormal: 1,
    minPositive: 0.5,
    epsilon: 0.5,
    hasInfinity: false,
    hasNaN: false,
  },
];

describe("built-in formats", () => {
  it("are those of the contract, widest first", () => {
    expect([...formats.keys()]).toEqual(published.map(({ name }) => name));
  });

  it.each(published)("$name has its published constants", (constants) => {
    expect(format(constants.name)).toMatchObject(constants);
  });

  it.each(published)("$name is one frozen record under its own name", ({ name }) => {
    expect(format(name)).toBe(formats.get(name));
    expect(Object.isFrozen(format(name))).toBe(true);
  });

  it("have subnormals, and a sign of zero but in fnuz", () => {
    for (const record of formats.values()) {
      expect(record.subnormals).toBe(true);
      expect(record.unsignedZero).toBe(record.name.endsWith("fnuz"));
    }
  });
});

describe("eXmY", () => {
  it.each([
    { name: "e5m10", oracle: fp16 },
    { name: "e8m7", oracle: bf16 },
  ])("$name is $oracle.name on everything", ({ name, oracle }) => {
    const made = format(name);
    const known = format(oracle.name);
    expect(made).toEqual({ ...known, name });
    const wrong = new Mismatches();
    const settings = deterministicRoundings.flatMap((rounding) =>
      overflowModes.map((overflow) => ({ rounding, overflow })),
    );
    const points = criticalPoints(oracle);
    // Coprime to the points of a number, so that all kinds of them are met.
    const stride = sized({ quick: 7, full: 1 });
    for (let i = 0; i < points.length; i += stride) {
      const x = points[i]!;
      for (const options of settings) {
        const [actual, expected] = [round(-x, made, options), round(-x, known, options)];
        if (!Object.is(actual, expected)) wrong.add(actual, expected, `${options.rounding} of ${-x}`);
      }
      const [code, expected] = [encode(x, made), encode(x, known)];
      if (code !== expected) wrong.add(code, expected, `encode(${x})`);
    }
    wrong.expectNone();
  });

  it("is frozen and IEEE-like, with Inf, NaN and subnormals", () => {
    const e3m4 = format("e3m4");
    expect(Object.isFrozen(e3m4)).toBe(true);
    expect(e3m4).toMatchObject({ name: "e3m4", bits: 8, maxFinite: 15.5, minPositive: 2 ** -6 });
    expect(e3m4).toMatchObject({ hasInfinity: true, hasNaN: true, subnormals: true, unsignedZero: false });
  });

  it("reaches from e2m2 to e8m23", () => {
    expect(format("e2m2")).toMatchObject({ bits: 5, maxFinite: 3.5, minPositive: 0.25 });
    expect(format("e8m23")).toEqual({ ...format("fp32"), name: "e8m23" });
  });

  it("that is built in is the built-in one", () => {
    expect(format("e5m2")).toBe(formats.get("e5m2"));
  });
});

describe("an unknown name", () => {
  it.each([
    "",
    "Bf16",
    "torch.bf16",
    " bf16",
    "bf16 ",
    "bf16\n",
    "e1m2",
    "e9m3",
    "e5m0",
    "e5m24",
    "e05m2",
    "e5m02",
    "e5m2fnu",
    "e5m10fn",
    "e-5m2",
    "xe5m3",
    "fe8m7",
    "constructor",
    "__proto__",
  ])("%j is refused, with the names that are known", (name) => {
    expect(() => format(name)).toThrow(RangeError);
    expect(() => format(name)).toThrow(`unknown format "${name}": `);
    expect(() => format(name)).toThrow(/xpected fp32, tf32, bf16/);
    expect(() => format(name)).toThrow("eXmY");
  });
});
