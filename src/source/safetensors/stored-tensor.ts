import type { Format } from "../../format/format.js";
import type { Values } from "../../lens/input.js";
import type { ScaledCodes } from "../scaled/scaled-codes.js";
import { decodeInto } from "./decode.js";
import { type Dtype, elementsPerGroup } from "./dtype.js";
import { headerLength, lengthBytes, parseHeader, type TensorEntry } from "./header.js";

/** Random access to the bytes of a file. */
export interface ByteSource {
  /** The file's name, for messages. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The file's identity if other threads may read it by name: see StoredBytes. */
  readonly identity?: string;
  /**
   * Fills `into` with the bytes from `position` on.
   *
   * @throws InputError if the file ends before.
   */
  read(position: number, into: Uint8Array): Promise<void>;
}

export interface StoredTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly elements: number;
  /** The name of the file that holds it. */
  readonly file: string;
  /** The offset of its data in that file; null for a view whose elements are not contiguous. */
  readonly begin: number | null;
  /** The source of its bytes, unless `begin` is null. */
  readonly source?: ByteSource;
  /** Its numbers, read on demand; `null` if the dtype is not readable. */
  readonly values: Values | null;
  /** Codes and scales, if its numbers are products of them. */
  readonly scaled?: ScaledCodes;
  /** Why its numbers are not readable if not because of its dtype, and the number of its weights. */
  readonly obstacle?: { readonly reason: string; readonly weights: number };
}

/** A safetensors file; only its header has been read. */
export interface Safetensors {
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** The container of these tensors within the file, if the file has others. */
  readonly within?: string;
}

/** @throws InputError if the header is not valid. */
export async function openSafetensors(source: ByteSource): Promise<Safetensors> {
  const prefix = new Uint8Array(Math.min(lengthBytes, source.size));
  await source.read(0, prefix);
  const bytes = new Uint8Array(lengthBytes + headerLength(prefix, source.size, source.name));
  await source.read(0, bytes);
  const { tensors, metadata } = parseHeader(bytes, source.size, source.name);
  const stored = [...tensors].map(([name, entry]): [string, StoredTensor] => {
    const { dtype, shape, elements, begin } = entry;
    const values = storedValues(entry, source);
    return [name, { name, dtype, shape, elements, file: source.name, begin, source, values }];
  });
  return { tensors: new Map(stored), metadata };
}

/** Bytes read at once before decoding; larger pieces are not faster (measured). */
const pieceBytes = 2 ** 20;

/** The scratch buffer of the last read, for reuse. Concurrent reads allocate their own. */
let spare: Uint8Array | undefined;

/** Contiguous numbers in a file; null for a dtype that is not readable. */
export function storedValues(
  { dtype, elements, begin }: Pick<TensorEntry, "dtype" | "elements" | "begin">,
  source: ByteSource,
): Values | null {
  if (dtype.format === null) return null;
  const width = dtype.bits / 8;
  const group = elementsPerGroup(dtype);
  const piece = 2 ** Math.floor(Math.log2(pieceBytes / width));

  async function read(start: number, into: Float32Array | Float64Array): Promise<void> {
    expectInside(start, into, elements);
    if (width > into.BYTES_PER_ELEMENT) {
      throw new TypeError(`${dtype.name} does not fit into a Float32Array: it would be rounded on the way`);
    }
    if (start % group !== 0 || into.length % group !== 0) return readPart(start, into);
    const position = begin + start * width;
    // F32 into a Float32Array and F64 into a Float64Array need no decoding.
    if (width === into.BYTES_PER_ELEMENT) return source.read(position, bytesOf(into));
    const scratch = spare ?? new Uint8Array(pieceBytes);
    spare = undefined;
    try {
      for (let done = 0; done < into.length; done += piece) {
        const part = into.subarray(done, done + piece);
        const bytes = scratch.subarray(0, part.length * width);
        await source.read(position + done * width, bytes);
        decodeInto(bytes, dtype, part);
      }
    } finally {
      spare = scratch;
    }
  }

  /** Reads whole bytes, with the elements that share the first and last one. */
  async function readPart(start: number, into: Float32Array | Float64Array): Promise<void> {
    const first = start - (start % group);
    const last = Math.min(elements, Math.ceil((start + into.length) / group) * group);
    const whole = new Float32Array(Math.ceil((last - first) / group) * group);
    const bytes = new Uint8Array(Math.ceil((last - first) * width));
    await source.read(begin + first * width, bytes);
    decodeInto(bytes, dtype, whole);
    into.set(whole.subarray(start - first, start - first + into.length));
  }

  const { format } = dtype;
  const readable = source.identity !== undefined && format !== null && format !== "fp64" && isCommon(format);
  if (!readable) return { length: elements, read };
  const stored = { in: source.name, identity: source.identity!, byteOffset: begin, format };
  return { length: elements, read, origin: { kind: "stored", of: stored } };
}

/** Whether engines can read the format themselves: 8, 16 or 32 bits, with a sign and both zeros. */
function isCommon({ bits, signed, unsignedZero }: Format): boolean {
  return [8, 16, 32].includes(bits) && signed && !unsignedZero;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** @throws RangeError if `into` is to be filled with more numbers than a tensor has from `start` on. */
export function expectInside(start: number, { length }: ArrayLike<number>, elements: number): void {
  if (start < 0 || start + length > elements)
    throw new RangeError(`${start} to ${start + length} is outside of a tensor of ${elements} elements`);
}
