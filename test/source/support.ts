import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { InputError } from "../../src/source/input-error.js";
import type { ByteSource } from "../../src/source/safetensors/stored-tensor.js";

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file and gives its path. */
export function put(folder: string, name: string, contents: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

/** A safetensors file of any header text, its data zero; `length` is what it says of its header. */
export function rawFile(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

/** The header text of one tensor. */
export function entry(dtype: string, shape: string, offsets: string): string {
  return `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
}

export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(position, into) {
      if (position + into.length > bytes.length) throw new InputError(name, "more bytes", "fewer");
      into.set(bytes.subarray(position, position + into.length));
    },
  };
}

/** Checks that `action` fails with this very sentence. */
export async function expectSentence(
  action: Promise<unknown>,
  file: string,
  expected: string,
  found: string,
): Promise<void> {
  const error = await action.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toBe(`${file}: expected ${expected}, found ${found}`);
  expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
}

/** A generator of numbers from 0 to 2^32 - 1 (xorshift32), so that a failure can be had again. */
export function seeded(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
