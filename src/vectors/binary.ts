import { type Column, wordsOf } from "./subject.js";

/** How codes of a column lie in a file: in bytes that are a power of two. */
export function bytesOfCode({ bits }: Column): 1 | 2 | 4 | 8 {
  if (bits <= 8) return 1;
  if (bits <= 16) return 2;
  return bits <= 32 ? 4 : 8;
}

/** The codes of one column of whole rows as little-endian integers. */
export function columnBytes(words: Uint32Array, columns: readonly Column[], index: number): Uint8Array {
  const column = columns[index];
  const stride = wordsOf(columns);
  const first = wordsOf(columns.slice(0, index));
  const rows = words.length / stride;
  const size = bytesOfCode(column);
  const bytes = new Uint8Array(rows * column.width * size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    let word = row * stride + first;
    for (let i = 0; i < column.width; i++, at += size) {
      if (size === 1) bytes[at] = words[word++];
      else if (size === 2) view.setUint16(at, words[word++], true);
      else if (size === 4) view.setUint32(at, words[word++], true);
      else {
        view.setUint32(at + 4, words[word++], true);
        view.setUint32(at, words[word++], true);
      }
    }
  }
  return bytes;
}

/** The words of rows from the bytes of their columns, in their order. */
export function wordsOfColumns(
  parts: readonly Uint8Array[],
  columns: readonly Column[],
  rows: number,
): Uint32Array {
  const stride = wordsOf(columns);
  const words = new Uint32Array(rows * stride);
  let first = 0;
  for (const [index, column] of columns.entries()) {
    const size = bytesOfCode(column);
    const view = new DataView(parts[index].buffer, parts[index].byteOffset, parts[index].byteLength);
    for (let row = 0; row < rows; row++) {
      let word = row * stride + first;
      for (let i = 0; i < column.width; i++) {
        const at = (row * column.width + i) * size;
        if (size === 1) words[word++] = view.getUint8(at);
        else if (size === 2) words[word++] = view.getUint16(at, true);
        else if (size === 4) words[word++] = view.getUint32(at, true);
        else {
          words[word++] = view.getUint32(at + 4, true);
          words[word++] = view.getUint32(at, true);
        }
      }
    }
    first += column.width * (size === 8 ? 2 : 1);
  }
  return words;
}
