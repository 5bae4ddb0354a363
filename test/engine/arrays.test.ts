import { describe, expect, it } from "vitest";
import { decodeArray, encodeArray, roundArray } from "../../src/engine/arrays.js";
import { decode, encode } from "../../src/format/encode.js";
import { defineFormat, type Format, ieeeFormat } from "../../src/format/format.js";
import { e8m0fnu, formats } from "../../src/format/registry.js";
import { overflows, round, roundings } from "../../src/format/round.js";
import { random32, stepFloat64 } from "../support/bits.js";
import { Mismatches } from "../support/mismatches.js";

/** Numbers, midpoints and what lies beside them over the range of a format and beyond it, and random ones. */
function inputsOf(format: Format, seed: number): Float64Array {
  const random = random32(seed);
  const numbers = [
    0,
    -0,
    Infinity,
    -Infinity,
    2 ** 130,
    -1e300,
    5e-324,
    2 ** -150,
    2 ** -149,
    format.maxFinite * 2,
  ];
  for (let i = 0; i < 700; i++) {
    const code =
      i < 40
        ? Math.max(format.maxFiniteCode - (i >> 1), 0)
        : Math.floor((random() / 2 ** 32) * format.maxFiniteCode);
    const low = decode(code, format);
    const high =
      code < format.maxFiniteCode ? decode(code + 1, format) : format.maxFinite * (1 + format.epsilon);
    const center = i % 3 === 0 ? low : (low + high) / 2;
    const near = stepFloat64(center, (i % 5) - 2);
    numbers.push(i % 2 === 0 ? near : -near);
  }
  return Float64Array.from(numbers);
}

const subjects: readonly Format[] = [
  ...formats.values(),
  e8m0fnu,
  ieeeFormat("e8m22", 8, 22),
  ieeeFormat("e3m8", 3, 8),
  defineFormat({ ...formats.get("bf16")!, name: "bf16-flush", subnormals: false }),
  defineFormat({ ...formats.get("e4m3fn")!, name: "e4m3-flush", subnormals: false }),
];

describe.each(subjects)("arrays of $name", (format) => {
  const wide = inputsOf(format, 3);
  const random = random32(5);
  const randomBits = Uint32Array.from(wide, random);

  it.each(overflows)("are what each number is by itself, %s", (overflow) => {
    const wrong = new Mismatches();
    for (const x of [wide, Float32Array.from(wide)]) {
      for (const rounding of roundings) {
        const options = { rounding, overflow };
        const bits = rounding === "stochastic" ? { randomBits } : {};
        const rounded = roundArray(x, format, { ...options, ...bits });
        // Of scales negative numbers are NaN, which is a code there.
        const codes = encodeArray(x, format, { ...options, ...bits });
        for (let i = 0; i < x.length; i++) {
          const one = { ...options, randomBits: randomBits[i] };
          const what = () => `${x[i]} ${rounding} ${x.constructor.name}`;
          wrong.compare(rounded[i], Math.fround(round(x[i], format, one)), what);
          wrong.compare(codes[i], encode(x[i], format, one), what);
        }
        wrong.compare(
          decodeArray(codes, format).findIndex((n, i) => !Object.is(n, rounded[i])),
          -1,
          () => rounding,
        );
      }
    }
    wrong.expectNone();
  });

  it("keep NaN, or refuse it where there is none", () => {
    const x = Float32Array.of(1, NaN);
    expect(roundArray(x, format)[1]).toBe(NaN);
    if (format.hasNaN) expect(encodeArray(x, format)[1]).toBe(encode(NaN, format));
    else expect(() => encodeArray(x, format)).toThrow("has no code for NaN");
  });
});

describe("arrays", () => {
  it.each([0, 1, 15, 4095, 4096, 4097, 10_000])("of %i numbers end where they end", (length) => {
    const x = Float32Array.from({ length }, (_, i) => Math.sin(i));
    expect(roundArray(x, "bf16")).toEqual(x.map((n) => round(n, "bf16")));
    expect(decodeArray(encodeArray(x, "e5m2"), "e5m2")).toEqual(x.map((n) => round(n, "e5m2")));
  });

  it("go into an array that is given, which may be the numbers themselves", () => {
    const x = Float32Array.of(1.001, 2.002);
    expect(roundArray(x, "bf16", {}, x)).toBe(x);
    expect(x).toEqual(Float32Array.of(1, 2));
    expect(() => roundArray(x, "bf16", {}, new Float32Array(1))).toThrow(
      "into: expected 2 elements, found 1",
    );
  });

  it("of codes go into an array that is given too, if it is of their kind", () => {
    const x = Float32Array.of(1, -2);
    const codes = new Uint16Array(2);
    expect(encodeArray(x, "bf16", {}, codes)).toBe(codes);
    expect(codes).toEqual(Uint16Array.of(0x3f80, 0xc000));
    expect(() => encodeArray(x, "bf16", {}, new Uint16Array(3))).toThrow(
      "into: expected 2 elements, found 3",
    );
    expect(() => encodeArray(x, "bf16", {}, new Uint8Array(2))).toThrow(
      "into: expected a Uint16Array, found Uint8Array",
    );
  });

  it("refuse arrays of another type", () => {
    const x = Float32Array.of(1, 2);
    const stochastic = (randomBits: unknown) => ({ rounding: "sr", randomBits }) as { rounding: "sr" };
    const into = new Float64Array(2) as unknown as Float32Array;
    const refusal = (text: string) => new TypeError(text);
    expect(() => roundArray(x, "bf16", {}, into)).toThrow(
      refusal("into: expected a Float32Array, found Float64Array"),
    );
    expect(() => encodeArray(x, "bf16", {}, new Uint8Array(2))).toThrow(
      refusal("into: expected a Uint16Array, found Uint8Array"),
    );
    for (const of of [roundArray, encodeArray]) {
      expect(() => of(x, "bf16", stochastic(5))).toThrow(
        refusal("randomBits: expected a Uint32Array, found 5"),
      );
      expect(() => of(x, "bf16", stochastic(0))).toThrow(
        refusal("randomBits: expected a Uint32Array, found 0"),
      );
      expect(() => of(x, "bf16", stochastic(Int32Array.of(1, 2)))).toThrow(
        refusal("randomBits: expected a Uint32Array, found Int32Array"),
      );
    }
  });

  it("refuse what a single number would refuse", () => {
    const x = Float32Array.of(1);
    expect(() => roundArray(x, "bf17")).toThrow(RangeError);
    expect(() => roundArray(x, "bf16", { rounding: "stochastic" })).toThrow(TypeError);
    expect(() => roundArray(x, "bf16", { rounding: "sr", randomBits: new Uint32Array(2) })).toThrow(
      "randomBits",
    );
    expect(() => decodeArray(Uint8Array.of(16), "e2m1fn")).toThrow("16 is not a code of e2m1fn");
    expect(() => decodeArray(Uint16Array.of(256), "e5m2")).toThrow("256 is not a code of e5m2");
  });
});
