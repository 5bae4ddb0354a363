import { describe, expect, it } from "vitest";
import { comparerOf, provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { format } from "../../../src/format/registry.js";
import { compareNumbers, DifferenceTally } from "../../../src/lens/difference/difference.js";
import { codeComparer } from "../../../src/lens/difference/difference-codes.js";
import { FileReader, fileIdentity } from "../../../src/source/file-reader.js";
import { RangeComparison } from "../../../src/source/pair/range.js";
import type { ScaledCodes } from "../../../src/source/scaled/scaled-codes.js";
import { e4m3, fp4 } from "../scaled/make.js";
import { put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
const kernel = await provenKernel();
const files = new FileReader();
const comparisons = [comparerOf(kernel), codeComparer()].map((each) => new RangeComparison(files, each));

const block = 32;

interface Kind {
  readonly element: string;
  readonly bits: 4 | 8;
  readonly numberOf: (code: number) => number;
  /** The first scale of which every number is a bf16 number or beyond all of them. */
  readonly least: number;
  /** Of the scales every so many-th. */
  readonly step: number;
}

const kinds: readonly Kind[] = [
  { element: "e2m1fn", bits: 4, numberOf: fp4, least: 0, step: 1 },
  {
    element: "e4m3fn",
    bits: 8,
    numberOf: (code) => ((code & 127) === 127 ? NaN : e4m3(code)),
    least: 20,
    step: 5,
  },
];

/** Which elements share a scale: blocks of matrices, of which the last ones of a matrix may be smaller. */
interface Blocks {
  readonly rows: number;
  readonly columns: number;
  readonly height: number;
  readonly width: number;
}

/** Codes, a byte for each, under a scale a block, and the bf16 codes of their numbers. */
interface Drawn {
  readonly codes: Uint8Array;
  readonly scales: Uint8Array;
  readonly bf16: Uint16Array;
}

/** Of 32 elements of a row each. */
function rowsOf32({ length }: Uint8Array): Blocks {
  const width = 8 * block;
  return { rows: 1, columns: block, height: length / width, width };
}

function numbersOf(
  { numberOf }: Kind,
  codes: Uint8Array,
  scales: Uint8Array,
  { rows, columns, height, width }: Blocks = rowsOf32(codes),
): Float32Array {
  return Float32Array.from(codes, (code, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    const blockRow = Math.floor(row / height) * Math.ceil(height / rows) + Math.floor((row % height) / rows);
    const scale = scales[blockRow * Math.ceil(width / columns) + Math.floor(column / columns)];
    return scale === 255 ? NaN : numberOf(code) * 2 ** (scale - 127);
  });
}

function bf16Of(numbers: Float32Array): Uint16Array {
  const words = new Uint32Array(numbers.buffer);
  return Uint16Array.from(words, (word, i) => {
    if (Number.isNaN(numbers[i])) return 0x7fc0;
    if ((word & 0xffff) !== 0) throw new Error(`${numbers[i]} is no bf16 number`);
    return word >>> 16;
  });
}

/** Every code under every scale, some scales to a block of 4096; and 37 rows of the common ones that end within a block. */
function everyCode(kind: Kind): Drawn {
  const codesOfElement = 2 ** kind.bits;
  const perScale = Math.max(1, codesOfElement / block);
  const every = Array.from({ length: 256 }, (_, scale) => scale)
    .filter((scale) => scale >= kind.least && (255 - scale) % kind.step === 0)
    .flatMap((scale) => new Array<number>(perScale).fill(scale));
  // Whole blocks of what is finite follow those with a NaN in them.
  const common = new Array<number>(37 * 8).fill(120);
  const scales = Uint8Array.from([...every, ...common]);
  const codes = Uint8Array.from({ length: scales.length * block }, (_, i) => i % codesOfElement);
  const below = seeded(5);
  for (let i = every.length * block; i < codes.length; i++) codes[i] = below(kind.bits === 8 ? 126 : 16);
  return { codes, scales, bf16: bf16Of(numbersOf(kind, codes, scales)) };
}

function packed(codes: Uint8Array, bits: 4 | 8): Uint8Array {
  if (bits === 8) return codes;
  return Uint8Array.from({ length: codes.length / 2 }, (_, i) => codes[2 * i] | (codes[2 * i + 1] << 4));
}

/** By both comparers, and both ways round. */
function expectAsSpecified(
  kind: Kind,
  { codes, scales }: Drawn,
  stored: Uint16Array,
  blocks = rowsOf32(codes),
  start = 0,
): void {
  const { rows, columns, height, width } = blocks;
  const paths = [packed(codes, kind.bits), scales, new Uint8Array(stored.slice().buffer)].map((bytes, i) =>
    put(folder, `part ${i}`, bytes),
  );
  const across = Math.ceil(width / columns);
  const layout: ScaledCodes = {
    format: kind.element,
    element: kind.element,
    bits: kind.bits,
    codes: { file: paths[0], begin: 0 },
    height,
    width,
    elements: codes.length,
    scales: [
      {
        file: paths[1],
        begin: 0,
        name: "scales",
        dtype: "F8_E8M0",
        format: "e8m0fnu",
        count: scales.length,
        rows,
        columns,
        across,
        perMatrix: Math.ceil(height / rows) * across,
        divides: false,
      },
    ],
  };
  const [codesFile, scalesFile, storedFile] = paths.map((path) => fileIdentity(path));
  const coded = {
    file: codesFile,
    position: 0,
    dtype: "F32",
    scaled: { layout, start, codes: codesFile, scales: [scalesFile] },
  };
  const plain = { file: storedFile, position: 2 * start, dtype: "BF16" };
  const numbers = numbersOf(kind, codes, scales, blocks).slice(start);
  const found = { numbers: Float64Array.from(numbers), codes: bf16Of(numbers) };
  const rest = stored.slice(start);
  const words = Uint32Array.from(rest, (code) => code << 16);
  const given = { numbers: Float64Array.from(new Float32Array(words.buffer)), codes: rest };
  for (const [from, to, before, after] of [
    [found, given, coded, plain],
    [given, found, plain, coded],
  ] as const) {
    const expected = new DifferenceTally();
    const pair = {
      before: from.numbers,
      after: to.numbers,
      codes: { before: from.codes, after: to.codes },
    };
    compareNumbers(pair, format("bf16"), expected);
    for (const comparison of comparisons) {
      const range = { before, after, elements: codes.length - start, compared: "bf16", hidden: false };
      expect(comparison.compare(range).toJSON()).toEqual(expected.toJSON());
    }
  }
}

describe.each(kinds)("codes of $element with scales against bf16", (kind) => {
  const drawn = everyCode(kind);

  it("are counted as specified under every scale where both are the same", () => {
    expectAsSpecified(kind, drawn, drawn.bf16);
  });

  it("are counted as specified where one bit of one number differs in a block", () => {
    const below = seeded(kind.bits);
    for (let round = 0; round < 4; round++) {
      const stored = drawn.bf16.slice();
      for (let at = below(4096); at < stored.length; at += 4096 * (1 + below(3)))
        stored[at] ^= 1 << below(16);
      expectAsSpecified(kind, drawn, stored);
    }
  });

  it("tell zeros of both signs by their bytes alone", () => {
    const stored = drawn.bf16.map((code) => (code === 0 ? 0x8000 : code));
    expectAsSpecified(kind, drawn, stored);
  });

  it("are counted as specified where everything differs", () => {
    expectAsSpecified(
      kind,
      drawn,
      drawn.bf16.map((code) => code ^ 0x55),
    );
  });
});

it("counts on over pieces of 2^17 of which the first differs everywhere and a later one nowhere", () => {
  const [kind] = kinds;
  const below = seeded(2);
  const codes = Uint8Array.from({ length: 2 ** 18 + 2 ** 16 }, () => below(16));
  const scales = new Uint8Array(codes.length / block).map(() => 110 + below(9));
  const bf16 = bf16Of(numbersOf(kind, codes, scales));
  const stored = bf16.map((code, i) => (i < 2 ** 17 ? code ^ 1 : code));
  expectAsSpecified(kind, { codes, scales, bf16 }, stored);
});

it.each([
  { rows: 4, columns: 32, height: 10, width: 96, matrices: 20 },
  { rows: 64, columns: 16, height: 70, width: 16, matrices: 12 },
  { rows: 3, columns: 64, height: 3, width: 160, matrices: 31 },
])("takes the scale of $rows x $columns blocks of $matrices matrices of $height x $width", (shape) => {
  const { rows, columns, height, width, matrices } = shape;
  const below = seeded(height);
  for (const kind of kinds) {
    const codes = Uint8Array.from({ length: matrices * height * width }, () =>
      below(kind.bits === 8 ? 126 : 16),
    );
    const count = matrices * Math.ceil(height / rows) * Math.ceil(width / columns);
    const scales = new Uint8Array(count).map(() => 110 + below(20));
    const stored = bf16Of(numbersOf(kind, codes, scales, shape));
    // All the same, from the start and from within a row.
    for (const start of [0, 4096])
      expectAsSpecified(kind, { codes, scales, bf16: stored }, stored, shape, start);
    const other = stored.slice();
    other[stored.length - 1 - below(4096)] ^= 1;
    expectAsSpecified(kind, { codes, scales, bf16: stored }, other, shape);
  }
});
