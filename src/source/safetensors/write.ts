import { lengthBytes } from "./header.js";

export interface TensorLayout {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface TensorToWrite extends Omit<TensorLayout, "bytes"> {
  /** The stored elements, little-endian. */
  readonly data: ArrayBufferView;
}

/** The start of a safetensors file, up to its data. The header is padded to a multiple of 8 bytes. */
export function encodeHeader(
  tensors: readonly TensorLayout[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let dataBytes = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    const entry = { dtype, shape, data_offsets: [dataBytes, dataBytes + bytes] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    dataBytes += bytes;
  }
  const json = new TextEncoder().encode(`{${entries.join()}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(lengthBytes + headerBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.set(json, lengthBytes);
  return header;
}

/** A safetensors file in memory, with its tensors in the given order. */
export function encodeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const layout = tensors.map(({ data, ...tensor }) => ({ ...tensor, bytes: data.byteLength }));
  const header = encodeHeader(layout, metadata);
  const file = new Uint8Array(layout.reduce((sum, { bytes }) => sum + bytes, header.length));
  file.set(header);
  let at = header.length;
  for (const { data } of tensors) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
