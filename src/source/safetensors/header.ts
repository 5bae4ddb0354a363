import { plural } from "../../format/plural.js";
import { InputError, quote } from "../input-error.js";
import { type Dtype, dtypes } from "./dtype.js";
import { JsonReader } from "./json.js";

/** A header's entry for one tensor. */
export interface TensorEntry {
  readonly dtype: Dtype;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  readonly elements: number;
  /** First byte of the data, counted from the start of the file. */
  readonly begin: number;
  /** The byte after the last one. */
  readonly end: number;
}

export interface Header {
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes before the header: its length, as a little-endian unsigned 64-bit integer. */
export const lengthBytes = 8;

/** The limit of the reference implementation (huggingface/safetensors, tensor.rs). */
export const longestHeader = 100_000_000;

/** PyTorch and NumPy allow at most 64 dimensions. */
const mostDimensions = 64;

/**
 * The length of the header from the first {@link lengthBytes} bytes of a file, checked against the file's size.
 *
 * @throws InputError, which names the file `name`.
 */
export function headerLength(bytes: Uint8Array, fileSize: number, name: string): number {
  if (fileSize === 0) throw new InputError(name, "a safetensors file", "an empty file");
  if (fileSize < lengthBytes) {
    throw new InputError(
      name,
      `the ${lengthBytes} bytes of a header length`,
      `a file of ${plural(fileSize, "byte")}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, lengthBytes);
  const length = Number(view.getBigUint64(0, true));
  if (length < 2) throw new InputError(name, "a header of at least 2 bytes", `a header length of ${length}`);
  if (length > longestHeader) {
    throw new InputError(name, `a header of at most ${longestHeader} bytes`, `a header length of ${length}`);
  }
  if (length > fileSize - lengthBytes) {
    const found = `a file that is cut off: ${fileSize} of at least ${lengthBytes + length} bytes`;
    throw new InputError(name, `a header of ${length} bytes, as the file says`, found);
  }
  return length;
}

/**
 * Parses the beginning of a safetensors file: `bytes` holds at least the header length and the header.
 *
 * As strict as the reference implementation (the tensors fill the data exactly, without overlaps, gaps or a rest),
 * and also rejects duplicate keys.
 *
 * @throws InputError, which names the file `name`.
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, name: string): Header {
  const dataStart = lengthBytes + headerLength(bytes, fileSize, name);
  const reader = new JsonReader(bytes.subarray(lengthBytes, dataStart), name);
  const tensors = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  reader.object((key) => {
    if (key === "__metadata__") {
      reader.object((metadataKey) => metadata.set(metadataKey, reader.string()));
    } else {
      tensors.set(key, readEntry(reader, key, dataStart, name));
    }
  });
  reader.end();
  checkLayout(tensors, dataStart, fileSize, name);
  return { tensors, metadata };
}

function readEntry(reader: JsonReader, tensor: string, dataStart: number, name: string): TensorEntry {
  const fields: { dtype?: string; shape?: number[]; data_offsets?: number[] } = {};
  reader.object((key) => {
    if (key === "dtype") fields.dtype = reader.string();
    else if (key === "shape") fields.shape = reader.sizes(mostDimensions);
    else if (key === "data_offsets") fields.data_offsets = reader.sizes(2);
    else reader.skip();
  });
  const { dtype: dtypeName, shape, data_offsets: offsets } = fields;
  if (dtypeName === undefined || shape === undefined || offsets === undefined) {
    const missing = dtypeName === undefined ? "dtype" : shape === undefined ? "shape" : "data_offsets";
    throw new InputError(name, `dtype, shape and data_offsets of tensor ${quote(tensor)}`, `no ${missing}`);
  }
  const dtype = dtypes.get(dtypeName);
  if (dtype === undefined) {
    throw new InputError(name, `a safetensors dtype for tensor ${quote(tensor)}`, quote(dtypeName));
  }
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || begin > end) {
    const expected = `data_offsets [begin, end] with begin <= end for tensor ${quote(tensor)}`;
    throw new InputError(name, expected, shapeText(offsets));
  }
  // NaN from the first product that overflows on, even if a later size is 0.
  const elements = shape.reduce((product, size) => (product * size < 2 ** 53 ? product * size : NaN), 1);
  const bits = elements * dtype.bits;
  if (!Number.isSafeInteger(bits)) {
    const expected = `a shape of fewer than 2^53 bits for tensor ${quote(tensor)}`;
    throw new InputError(name, expected, `${dtype.name} ${shapeText(shape)}`);
  }
  if (bits !== 8 * (end - begin)) {
    const expected = `${plural(bits / 8, "byte")} for tensor ${quote(tensor)} of ${dtype.name} ${shapeText(shape)}`;
    throw new InputError(name, expected, plural(end - begin, "byte"));
  }
  return { dtype, shape, elements, begin: dataStart + begin, end: dataStart + end };
}

/** Checks that the tensors, in data order, fill the data without overlaps, gaps or a rest. */
function checkLayout(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataStart: number,
  fileSize: number,
  name: string,
): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let filled = dataStart;
  for (const [tensor, { begin, end }] of inOrder) {
    if (begin !== filled) {
      const expected = `tensor ${quote(tensor)} to begin at byte ${filled}, where the data before it ends`;
      throw new InputError(name, expected, `byte ${begin} (${begin < filled ? "they overlap" : "a hole"})`);
    }
    filled = end;
  }
  if (filled > fileSize) {
    const found = `a file that is cut off: ${fileSize} of ${filled} bytes`;
    throw new InputError(name, "all bytes that the header speaks of", found);
  }
  if (filled !== fileSize) {
    throw new InputError(
      name,
      `${filled} bytes, header and tensors together`,
      `a file of ${plural(fileSize, "byte")}`,
    );
  }
}

/** A shape as written in a header. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
