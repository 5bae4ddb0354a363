import { lengthBytes } from "./header.js";

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The elements as they are stored, little-endian. */
  readonly data: ArrayBufferView;
}

/** A safetensors file in memory, its tensors in the given order. The header is padded to a multiple of 8 bytes. */
export function encodeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let dataBytes = 0;
  for (const { name, dtype, shape, data } of tensors) {
    const entry = { dtype, shape, data_offsets: [dataBytes, dataBytes + data.byteLength] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    dataBytes += data.byteLength;
  }
  const json = new TextEncoder().encode(`{${entries.join()}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(lengthBytes + headerBytes + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, lengthBytes, lengthBytes + headerBytes);
  file.set(json, lengthBytes);
  let at = lengthBytes + headerBytes;
  for (const { data } of tensors) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
