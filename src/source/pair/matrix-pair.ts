import type { Format } from "../../format/format.js";
import { round } from "../../format/round.js";
import type { MatrixPair, RowPair } from "../../geometry/matrix.js";
import type { FileReader } from "../file-reader.js";
import { decodeInto } from "../safetensors/decode.js";
import type { Dtype } from "../safetensors/dtype.js";
import type { TensorPair } from "./pair-up.js";
import { dtypeOf, type StoredRange } from "./range.js";

/** Codes that are read between two turns of others: milliseconds of work. */
const codesOfATurn = 2 ** 21;

/** A matrix of two files, read into reused memory. Numbers are rounded to the compared format. */
export function storedMatrix(
  name: string,
  [rows, columns]: readonly [number, number],
  before: StoredRange,
  after: StoredRange,
  compared: Format,
  files: FileReader,
): MatrixPair {
  const sides = [before, after].map((range) => reader(range, columns, compared, files));
  const areCodes = compared.name === "bf16" && [before, after].every(({ dtype }) => dtype === "BF16");
  const readInto = ({ file, position }: StoredRange, start: number, count: number, into: Uint16Array) => {
    files.read(file, position + 2 * start, new Uint8Array(into.buffer, into.byteOffset, 2 * count));
  };
  let readSince = 0;
  return {
    name,
    rows,
    columns,
    read: async (first, count) => {
      // Yield between tiles, so that signals are handled.
      await new Promise((resolve) => setImmediate(resolve));
      const [base, tuned] = sides.map((read) => read(first, count));
      return { base, tuned };
    },
    ...(areCodes && {
      readCodes: async (start: number, count: number, base: Uint16Array, tuned: Uint16Array | null) => {
        // And here between some: turns between all take 2 % of the whole (measured).
        readSince += count;
        if (readSince > codesOfATurn) {
          readSince = 0;
          await new Promise((resolve) => setImmediate(resolve));
        }
        readInto(before, start, count, base);
        if (tuned) readInto(after, start, count, tuned);
      },
    }),
  };
}

function reader(range: StoredRange, columns: number, compared: Format, files: FileReader) {
  const dtype = dtypeOf(range);
  let bytes = new Uint8Array(0);
  let numbers = new Float32Array(0);
  return (first: number, count: number): Float32Array => {
    const length = count * columns;
    if (numbers.length < length) {
      bytes = new Uint8Array((length * dtype.bits) / 8);
      numbers = new Float32Array(length);
    }
    const part = bytes.subarray(0, (length * dtype.bits) / 8);
    files.read(range.file, range.position + (first * columns * dtype.bits) / 8, part);
    const into = numbers.subarray(0, length);
    decodeMatrix(part, dtype, into);
    roundTo(into, dtype.format, compared);
    return into;
  };
}

function decodeMatrix(bytes: Uint8Array, dtype: Dtype, into: Float32Array): void {
  if (dtype.name !== "BF16") {
    decodeInto(bytes, dtype, into);
    return;
  }
  const codes = new Uint16Array(bytes.buffer, bytes.byteOffset, into.length);
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < bits.length; i++) bits[i] = codes[i] << 16;
}

/** Computed matrices of up to this size are kept (both sides take 32 MB): a spectrum reads them about 100 times. */
const mostKept = 2 ** 22;

/** A computed matrix, such as the end of a recorded run. Yields between pieces. */
export function computedMatrix(tensor: TensorPair, compared: Format): MatrixPair {
  const [rows, columns] = tensor.shape;
  async function rowsOf(first: number, count: number): Promise<RowPair> {
    const { before, after } = await tensor.read(first * columns, count * columns);
    const [base, tuned] = [before, after].map((numbers) => Float32Array.from(numbers));
    roundTo(base, tensor.before.format, compared);
    roundTo(tuned, tensor.after.format, compared);
    return { base, tuned };
  }
  let kept: Promise<RowPair> | null = null;
  return {
    name: tensor.name,
    rows,
    columns,
    read: async (first, count) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (rows * columns > mostKept) return rowsOf(first, count);
      kept ??= rowsOf(0, rows);
      const { base, tuned } = await kept;
      const [begin, end] = [first * columns, (first + count) * columns];
      return { base: base.subarray(begin, end), tuned: tuned.subarray(begin, end) };
    },
  };
}

/** Rounds numbers of one format to another, to nearest-even. */
function roundTo(numbers: Float32Array, from: Dtype["format"], compared: Format): void {
  if (from === compared) return;
  if (compared.name === "bf16" && from !== "fp64" && from?.name === "fp32") {
    const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
    // NaN stays NaN: only its lower bits are lost, and its quiet bit is set.
    for (let i = 0; i < bits.length; i++) {
      if ((bits[i] & 0x7fffffff) <= 0x7f800000) bits[i] += 0x7fff + ((bits[i] >>> 16) & 1);
      else bits[i] |= 0x400000;
      bits[i] &= 0xffff0000;
    }
    return;
  }
  for (let i = 0; i < numbers.length; i++) numbers[i] = round(numbers[i], compared);
}
