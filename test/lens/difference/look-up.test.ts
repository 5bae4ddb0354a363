import { describe, expect, it } from "vitest";
import {
  findOtherCodes,
  lookUpCodes,
  tableBytes,
  tableParts,
  tableParts4,
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

/** Tables of 8-bit codes with every part of its own: what half a code adds can be told from the result. */
function table8(outside = 0): Uint8Array {
  const table = new Uint8Array(tableBytes[8]);
  for (let n = 0; n < 16; n++) {
    table[tableParts.low + n] = 3 * n + 1;
    table[tableParts.high + n] = 5 * n + 2;
    table[tableParts.sign + n] = 16 * n;
    table[tableParts.lowSmall + n] = 0x40 + n;
    table[tableParts.highSmall + n] = 0x80 + n;
    table[tableParts.outside + n] = outside;
  }
  return table;
}

/** What such a table makes of a code, from the text of `tableParts`. */
function fromTable8(code: number): number {
  const lower = code % 16;
  const isSmall = code % 128 < 16;
  const low = isSmall ? (3 * lower + 1) ^ (0x40 + lower) : 3 * lower + 1;
  const high = isSmall ? (5 * lower + 2) ^ (0x80 + lower) : 5 * lower + 2;
  return low + 256 * ((high + 16 * Math.floor(code / 16)) % 256);
}

describe("runs of 8-bit codes", () => {
  const codes = Uint8Array.from({ length: 64 }, (_, i) => (37 * i + 5) % 256);

  it("are looked up code by code, each run in the table of its scale", () => {
    const [into, left] = [new Uint16Array(64), new Uint32Array(3)];
    const second = table8().map((byte, i) => (i < 32 ? byte ^ 0x15 : byte));
    const tables = Uint8Array.of(...table8(), ...second);
    lookUpCodes({ codes, bits: 8, scales: Uint8Array.of(0, 1), bytes: 32 }, tables, into, left);
    expect(into.subarray(0, 32)).toEqual(Uint16Array.from(codes.subarray(0, 32), fromTable8));
    const alone = new Uint16Array(32);
    const of = { codes: codes.subarray(32), bits: 8 as const, scales: Uint8Array.of(0), bytes: 32 };
    lookUpCodes(of, second, alone, left);
    expect(into.subarray(32)).toEqual(alone);
    expect(alone).not.toEqual(Uint16Array.from(codes.subarray(32), fromTable8));
    expect(left[0]).toBe(0);
  });

  it("are left over where one magnitude and what is outside reach 128, in order", () => {
    const runs = Uint8Array.of(
      ...Array(16).fill(3),
      ...Array(15).fill(0),
      126,
      ...Array(15).fill(1),
      128 + 125,
    );
    const found = (outside: number) => {
      const left = new Uint32Array(4);
      const of = { codes: runs, bits: 8 as const, scales: new Uint8Array(3), bytes: 16 };
      lookUpCodes(of, table8(outside), new Uint16Array(48), left);
      return [...left.subarray(1, left[0] + 1)];
    };
    expect(found(1)).toEqual([]);
    expect(found(2)).toEqual([1]);
    expect(found(3)).toEqual([1, 2]);
    expect(found(125)).toEqual([0, 1, 2]);
  });
});

describe("blocks that are not what would be looked up", () => {
  const bytes = 16;
  const runs = 5;
  const codes = Uint8Array.from({ length: runs * bytes }, (_, i) => (11 * i) % 120);
  const of = (bits: 4 | 8, scales = new Uint8Array(runs)) => ({ codes, bits, scales, bytes });
  const tablesOf = { 4: new Uint8Array(tableBytes[4]).map((_, i) => (i < 32 ? 7 * i : 0)), 8: table8() };

  const listed = (
    bits: 4 | 8,
    { perBlock = 1, tables = tablesOf[bits], other = [] as readonly number[], scales = new Uint8Array(runs) },
  ) => {
    const numbers = new Uint16Array((runs * bytes * 8) / bits);
    lookUpCodes(of(bits, scales), tables, numbers, new Uint32Array(runs + 2));
    for (const index of other) numbers[index] ^= 1;
    const list = new Uint32Array(runs + 2).fill(99);
    findOtherCodes(of(bits, scales), tables, numbers, perBlock, list);
    return [...list.subarray(1, list[0] + 1)];
  };

  it.each([4, 8] as const)("are listed where one code of %i bits differs, the last block shorter", (bits) => {
    const run = (bytes * 8) / bits;
    expect(listed(bits, {})).toEqual([]);
    expect(listed(bits, { other: [0, run - 1, 3 * run] })).toEqual([0, 3]);
    expect(listed(bits, { perBlock: 2, other: [3 * run, 4 * run + 1] })).toEqual([1, 2]);
    expect(listed(bits, { perBlock: 2, other: [run] })).toEqual([0]);
    expect(listed(bits, { perBlock: runs, other: [runs * run - 1] })).toEqual([0]);
    expect(listed(bits, { perBlock: 3 })).toEqual([]);
  });

  it("are listed where a number of 4 bits may not be finite, by the scale of a run", () => {
    const notFinite = tablesOf[4].slice().fill(255, tableParts4.notFinite, tableParts4.notFinite + 16);
    const tables = Uint8Array.of(...tablesOf[4], ...notFinite);
    const scales = Uint8Array.of(0, 0, 1, 0, 0);
    expect(listed(4, { tables, scales })).toEqual([2]);
    expect(listed(4, { tables, scales, perBlock: 2 })).toEqual([1]);
  });

  it("are listed where a code of 8 bits is left over", () => {
    // The largest code is 119: 0 + 119 and 9 more are 128.
    const largest = [...codes.keys()].filter((i) => codes[i] === Math.max(...codes));
    expect(listed(8, { tables: table8(8) })).toEqual([]);
    expect(listed(8, { tables: table8(128 - Math.max(...codes)) })).toEqual([
      ...new Set(largest.map((i) => Math.floor(i / bytes))),
    ]);
  });

  it("8 bits read no flag of tables of 4 bits", () => {
    // Byte 32 of this table is `sign` of upper half 0, and `notFinite` in one of 4 bits.
    const tables = table8();
    tables[tableParts4.notFinite] = 0x80;
    expect(listed(8, { tables })).toEqual([]);
  });
});

describe("what is written to a table of 8 bits", () => {
  /** Numbers that are powers of two apart by their upper half, as regular as a table wants them. */
  const regular = () =>
    Uint16Array.from({ length: 129 }, (_, code) =>
      code === 128 ? 0x8000 : code < 16 ? code : 0x100 + 16 * code,
    );
  const outsideOf = (numbers: Uint16Array) => {
    const table = new Uint8Array(tableBytes[8]);
    writeTable8(numbers, table);
    const parts = table.subarray(tableParts.outside, tableParts.outside + 16);
    expect(new Set(parts).size).toBe(1);
    return parts[0];
  };

  it("all is outside unless 16 is normal, finite and 128 a zero", () => {
    expect(outsideOf(regular())).toBe(0);
    const irregular = (index: number, number: number) => outsideOf(regular().fill(number, index, index + 1));
    // 0x80 is the smallest normal number, to which one below it may have been rounded.
    expect(irregular(16, 0x80)).toBe(128);
    expect(irregular(16, 0x81)).toBe(0);
    expect(irregular(16, 0x7f7f)).toBe(0);
    expect(irregular(16, 0x7f80)).toBe(128);
    expect(irregular(128, 0)).toBe(128);
    expect(irregular(128, 0x8001)).toBe(128);
  });

  it("codes from the first that is not finite on are outside", () => {
    const upTo = (end: number, number = 0x7f80) => outsideOf(regular().fill(number, end, 128));
    expect(upTo(127)).toBe(1);
    expect(upTo(120)).toBe(8);
    expect(upTo(120, 0xff80)).toBe(8);
    expect(upTo(120, 0x7f7f)).toBe(0);
    // One that is not finite below others that are: only those from the top count.
    expect(outsideOf(regular().fill(0x7f80, 100, 101))).toBe(0);
    expect(upTo(0)).toBe(128);
  });
});
