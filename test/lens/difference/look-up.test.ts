import { describe, expect, it } from "vitest";
import {
  findOtherCodes,
  lookUpCodes,
  tableBytes,
  writeTable4,
  writeTable8,
} from "../../../src/lens/difference/look-up.js";
import { e4m3, fp4 } from "../../source/scaled/make.js";
import { seeded } from "../../source/support.js";

/** A number of fp32 to the nearest bf16 code, ties to even, by comparing it with its two neighbours. */
function bf16Code(x: number): number {
  const word = new Uint32Array(Float32Array.of(x).buffer)[0];
  if (Number.isNaN(x)) return 0x7fc0;
  const numberOf = (code: number) => {
    // Beyond the largest exponent Inf stands for the next number that there would be.
    if ((code & 0x7fff) === 0x7f80) return (code >> 15 ? -1 : 1) * 2 ** 128;
    return new Float32Array(Uint32Array.of(code << 16).buffer)[0];
  };
  const below = word >>> 16;
  if (!Number.isFinite(x)) return below;
  const [down, up] = [Math.abs(x - numberOf(below)), Math.abs(numberOf(below + 1) - x)];
  return down < up || (down === up && below % 2 === 0) ? below : below + 1;
}

function e5m2(code: number): number {
  const [sign, exponent, m] = [code >> 7 ? -1 : 1, (code >> 2) & 31, code & 3];
  if (exponent === 31) return m === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? m * 2 ** -16 : (4 + m) * 2 ** (exponent - 17));
}

const e4m3fn = (code: number) => ((code & 127) === 127 ? NaN : e4m3(code));

/** Scales of all sizes, and the hard ones. */
const scales = (() => {
  const below = seeded(3);
  const drawn = Array.from({ length: 150 }, () => (1 + below(2 ** 23) / 2 ** 23) * 2 ** (below(276) - 149));
  const powers = Array.from({ length: 277 }, (_, i) => 2 ** (i - 149));
  // By which code 16 is rounded up to the smallest normal number, and the codes above it are not.
  const rounded = [-121, -115].map((exponent) => (1 - 1.5 * 2 ** -9) * 2 ** exponent);
  const hard = [
    ...rounded,
    0,
    -0,
    NaN,
    Infinity,
    -1,
    -3e-5,
    3.4028234663852886e38,
    1e-45,
    2 ** 120 * (1 + 2 ** -8),
  ];
  return Float32Array.from([...drawn, ...powers, ...hard]);
})();

const code = (scale: number, number: number) => bf16Code(Math.fround(number * scale));
const isNaN16 = (number: number) => (number & 0x7fff) > 0x7f80;

describe.each([
  { name: "e4m3fn", numberOf: e4m3fn, finite: 0x7e },
  { name: "e5m2", numberOf: e5m2, finite: 0x7b },
])("tables of $name", ({ numberOf, finite }) => {
  it("give every code times every scale as bf16, or say that they do not", () => {
    const table = new Uint8Array(tableBytes[8]);
    const codes = Uint8Array.from({ length: 256 * 16 }, (_, i) => i >> 4);
    const into = new Uint16Array(codes.length);
    const left = new Uint32Array(258);
    for (const scale of scales) {
      const expected = Uint16Array.from({ length: 256 }, (_, i) => code(scale, numberOf(i)));
      writeTable8(expected, table);
      lookUpCodes({ codes, bits: 8, scales: new Uint8Array(256), bytes: 16 }, table, into, left);
      const outside = new Set(left.subarray(1, left[0] + 1));
      const ordinary = scale > 2 ** -110 && scale < 2 ** 111;
      for (let i = 0; i < 256; i++) {
        if (!outside.has(i) && into[16 * i] !== expected[i]) {
          expect({ scale, i, found: into[16 * i] }).toEqual({ scale, i, found: expected[i] });
        }
        // Only what no scale makes finite is left under ordinary ones, and NaN always is.
        if (ordinary && outside.has(i) !== (i & 127) > finite) expect({ scale, left: i }).toBe(null);
        if (isNaN16(expected[i]) && !outside.has(i)) expect({ scale, nan: i }).toBe(null);
      }
    }
  });
});

describe("tables of e2m1fn", () => {
  it("give every code times every scale as bf16, the lower half of a byte first", () => {
    const table = new Uint8Array(tableBytes[4]);
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const into = new Uint16Array(512);
    const left = new Uint32Array(2);
    for (const scale of scales) {
      const numbers = Uint16Array.from({ length: 16 }, (_, i) => code(scale, fp4(i)));
      writeTable4(numbers, table);
      lookUpCodes({ codes, bits: 4, scales: Uint8Array.of(0), bytes: 256 }, table, into, left);
      expect(left[0]).toBe(0);
      expect(into).toEqual(
        Uint16Array.from({ length: 512 }, (_, i) => numbers[i % 2 ? i >> 5 : (i >> 1) & 15]),
      );
    }
  });

  it("say of every scale whether a number is not finite", () => {
    const table = new Uint8Array(tableBytes[4]);
    const codes = Uint8Array.from({ length: 8 }, (_, i) => i * 17);
    const into = new Uint16Array(16);
    const other = new Uint32Array(3);
    for (const scale of scales) {
      const numbers = Uint16Array.from({ length: 16 }, (_, i) => code(scale, fp4(i)));
      writeTable4(numbers, table);
      const runs = { codes, bits: 4 as const, scales: Uint8Array.of(0), bytes: 8 };
      lookUpCodes(runs, table, into, other);
      findOtherCodes(runs, table, into, 1, other);
      const allFinite = [...numbers].every((number) => (number & 0x7f80) !== 0x7f80);
      if (other[0] !== (allFinite ? 0 : 1)) expect({ scale, listed: other[0] }).toBe(null);
    }
  });
});
