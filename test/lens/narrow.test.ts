import { expect, test } from "vitest";
import { encode } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { countEqual, narrowToBf16, widenBf16 } from "../../src/lens/narrow.js";
import { seeded } from "../source/support.js";

const float32 = (codes: Uint32Array) => new Float32Array(codes.buffer);

test("narrows every kind of fp32 code to the bf16 code that encode gives", () => {
  const below = seeded(5);
  // Every bf16 number, with what lies about the ties above it, and codes at random.
  const ends = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff];
  const codes = Uint32Array.from({ length: 2 ** 16 * (ends.length + 2) }, (_, i) => {
    const end = ends[i % (ends.length + 2)] ?? below(2 ** 16);
    return Math.floor(i / (ends.length + 2)) * 2 ** 16 + end;
  });
  const into = new Uint16Array(codes.length);
  narrowToBf16(codes, into);
  const bf16 = format("bf16");
  const wrong = float32(codes).filter((x, i) =>
    Number.isNaN(x) ? (into[i] & 0x7fff) <= 0x7f80 : into[i] !== encode(x, bf16),
  );
  expect([...wrong]).toEqual([]);
});

test("widens every bf16 code to the same number", () => {
  const codes = Uint16Array.from({ length: 2 ** 16 }, (_, code) => code);
  const wide = new Uint32Array(codes.length);
  widenBf16(codes, wide);
  const back = new Uint16Array(codes.length);
  narrowToBf16(wide, back);
  const numbers = float32(wide);
  const differ = codes.filter((code, i) => back[i] !== code && !Number.isNaN(numbers[i]));
  expect([...differ]).toEqual([]);
  expect(wide[0x3f80]).toBe(0x3f800000);
});

test("counts equal numbers that bf16 has too", () => {
  // The last two are equal, but too large for bf16, or infinite.
  const a = Float32Array.of(1, 0, -7, 2, NaN, 3.4e38, Infinity);
  const b = Float32Array.of(1, -0, -7, 3, NaN, 3.4e38, Infinity);
  const codes = new Uint16Array(a.length);
  narrowToBf16(new Uint32Array(a.buffer), codes);
  expect(countEqual(a, b, codes)).toBe(3);
});
