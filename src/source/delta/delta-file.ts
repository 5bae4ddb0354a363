import { type Dtype, dtypes } from "../safetensors/dtype.js";
import type { TensorEntry } from "../safetensors/header.js";

/**
 * A delta is a safetensors file. Its metadata has `format`, `kind` (whether it rebuilds a file or a folder), `base`,
 * the digest of its base, and `files`, JSON of DeltaParts (lens/difference/difference-result.ts). For each file i it
 * has
 *
 * - `i/header`: the file up to its data; if it is not safetensors (an index), the whole file;
 * - for a tensor T with changed elements, `i/T.gaps`: their indices (GapEncoder), and `i/T.values`: their new values;
 * - for a tensor that is new, has another dtype or shape, or has too many changes for gaps to be smaller, `i/T.whole`;
 * - nothing for an unchanged tensor.
 *
 * docs/deltas.md specifies the format for other readers.
 */
export const deltaFormat = "precision-lens-delta/1";

export const entryOf = {
  header: (file: number) => `${file}/header`,
  gaps: (file: number, tensor: string) => `${file}/${tensor}.gaps`,
  values: (file: number, tensor: string) => `${file}/${tensor}.values`,
  whole: (file: number, tensor: string) => `${file}/${tensor}.whole`,
};

/** The bytes of a unit: an element, or a byte if elements are not whole bytes. */
export function unitBytes({ bits }: Dtype): number {
  return bits % 8 === 0 ? bits / 8 : 1;
}

/** The dtype of values: that of the tensor if units are elements. */
export function valueDtype(dtype: Dtype): Dtype {
  return dtype.bits % 8 === 0 ? dtype : dtypes.get("U8")!;
}

/** The tensors of a file in the order of their data. */
export function inDataOrder(tensors: ReadonlyMap<string, TensorEntry>): [string, TensorEntry][] {
  return [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
}

/** Bytes read at once: a whole number of units of any width. */
export const pieceBytes = 2 ** 22;

/** The indices of units that differ between two pieces of the same length. */
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

/** Valid if the width divides the byte offset. */
function viewOf({ buffer, byteOffset, byteLength }: Uint8Array, width: number) {
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
