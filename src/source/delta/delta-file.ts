import { type Dtype, dtypes } from "../safetensors/dtype.js";
import type { TensorEntry } from "../safetensors/header.js";

/**
 * A delta is a safetensors file. Its metadata has `format`, what it makes (`kind`: a file, or a folder of them), `base`, the
 * digest of what it was made from, and `files`, JSON of DeltaParts (lens/difference/difference-result.ts). For each file i it has the tensors
 *
 * - `i/header`: the file up to its data; of a file that is no safetensors (an index) all of it;
 * - for a tensor T of the file whose elements changed `i/T.gaps`, where (GapEncoder), and `i/T.values`, to what;
 * - for one that is new, of another dtype or shape, or changed so much that this is less, `i/T.whole`;
 * - nothing for a tensor none of whose bytes changed.
 *
 * docs/deltas.md has the same for those who read deltas elsewhere.
 */
export const deltaFormat = "precision-lens-delta/1";

export const entryOf = {
  header: (file: number) => `${file}/header`,
  gaps: (file: number, tensor: string) => `${file}/${tensor}.gaps`,
  values: (file: number, tensor: string) => `${file}/${tensor}.values`,
  whole: (file: number, tensor: string) => `${file}/${tensor}.whole`,
};

/** Bytes that change together: an element, or a byte where elements are smaller or are not whole bytes. */
export function unitBytes({ bits }: Dtype): number {
  return bits % 8 === 0 ? bits / 8 : 1;
}

/** The dtype of values: that of the tensor where units are elements. */
export function valueDtype(dtype: Dtype): Dtype {
  return dtype.bits % 8 === 0 ? dtype : dtypes.get("U8")!;
}

/** The tensors of a file in the order of their data. */
export function inDataOrder(tensors: ReadonlyMap<string, TensorEntry>): [string, TensorEntry][] {
  return [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
}

/** Bytes that are read at once: a whole number of units of any width. */
export const pieceBytes = 2 ** 22;

/** Places of units that differ, within two pieces of the same length. */
export function changedUnits(before: Uint8Array, after: Uint8Array, width: number): number[] {
  const changed: number[] = [];
  const viewed = (bytes: Uint8Array) => viewOf(bytes, width);
  const [a, b] = [viewed(before), viewed(after)];
  const perUnit = width / a.BYTES_PER_ELEMENT;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    const unit = Math.floor(i / perUnit);
    if (changed[changed.length - 1] !== unit) changed.push(unit);
  }
  return changed;
}

/** Valid for a buffer of its own, or an offset that the width divides. */
function viewOf({ buffer, byteOffset, byteLength }: Uint8Array, width: number) {
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
