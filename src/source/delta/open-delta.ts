import type { DeltaPart } from "../../lens/difference/difference-result.js";
import { FilePool } from "../file-pool.js";
import { InputError, quote } from "../input-error.js";
import { headerLength, lengthBytes, parseHeader, type TensorEntry } from "../safetensors/header.js";
import type { ByteSource } from "../safetensors/stored-tensor.js";
import { deltaFormat, entryOf, inDataOrder, unitBytes, valueDtype } from "./delta-file.js";
import type { ByteReader } from "./gaps.js";

/** A delta; only its header has been read. */
export interface Delta {
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly base: string;
  readonly parts: readonly DeltaPart[];
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly source: ByteSource;
  /** In bytes. */
  readonly size: number;
  close(): Promise<void>;
}

/** A file that the delta rebuilds. */
export interface MadeFile {
  readonly header: Uint8Array;
  readonly tensors: readonly [string, TensorEntry][];
}

/** @throws InputError if it is not a delta, or truncated. */
export async function openDelta(path: string): Promise<Delta> {
  const pool = new FilePool();
  try {
    const source = await pool.source(path);
    const prefix = new Uint8Array(Math.min(lengthBytes, source.size));
    await source.read(0, prefix);
    const bytes = new Uint8Array(lengthBytes + headerLength(prefix, source.size, path));
    await source.read(0, bytes);
    const { tensors, metadata } = parseHeader(bytes, source.size, path);
    const format = metadata.get("format");
    if (format !== deltaFormat) {
      const found = format === undefined ? "none" : `one of format ${quote(format)}`;
      throw new InputError(path, `a delta of format ${quote(deltaFormat)}`, found);
    }
    const kind = metadata.get("kind");
    const base = metadata.get("base");
    if ((kind !== "file" && kind !== "folder") || base === undefined) {
      throw new InputError(path, "the kind and the base of a delta", "none");
    }
    const parts = partsIn(metadata.get("files") ?? "", kind, path);
    return {
      path,
      kind,
      base,
      parts,
      entries: tensors,
      source,
      size: source.size,
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function partsIn(text: string, kind: string, path: string): DeltaPart[] {
  const refuse = () =>
    new InputError(path, "the files that a delta makes, each with its size and digest", "others");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse();
  }
  if (!Array.isArray(value) || value.length === 0 || (kind === "file" && value.length > 1)) throw refuse();
  const names = new Set<unknown>();
  for (const part of value) {
    const { name, bytes, sha256 } = (part ?? {}) as Partial<DeltaPart>;
    // No paths: a delta must not write outside its folder.
    const plain = typeof name === "string" && /^[\w][\w.+=-]{0,200}$/.test(name) && !names.has(name);
    if (!plain || !Number.isSafeInteger(bytes) || bytes! < 0 || !/^[0-9a-f]{64}$/.test(sha256 ?? ""))
      throw refuse();
    names.add(name);
  }
  return value;
}

/** The start of a file that the delta rebuilds, checked like that of any safetensors file. @throws InputError */
export async function madeFile(delta: Delta, file: number): Promise<MadeFile> {
  const { bytes, name } = delta.parts[file];
  const entry = expectEntry(delta, entryOf.header(file), "U8");
  const header = new Uint8Array(entry.end - entry.begin);
  await delta.source.read(entry.begin, header);
  if (header.length === bytes) return { header, tensors: [] };
  const named = `${delta.path} (${name})`;
  if (header.length < lengthBytes) throw new InputError(named, "a header", `${header.length} bytes`);
  const length = lengthBytes + headerLength(header, bytes, named);
  if (length !== header.length) {
    throw new InputError(named, `a header of ${length} bytes`, `${header.length}`);
  }
  return { header, tensors: inDataOrder(parseHeader(header, bytes, named).tensors) };
}

/** The delta's entries of a tensor: the whole, gaps and values, or none. @throws InputError if they do not fit it. */
export function changesOf(
  delta: Delta,
  file: number,
  name: string,
  made: TensorEntry,
): { whole: TensorEntry } | { gaps: TensorEntry; values: TensorEntry } | null {
  const { entries } = delta;
  const whole = entries.get(entryOf.whole(file, name));
  if (whole) {
    expectBytes(delta, name, whole, made.end - made.begin);
    return { whole };
  }
  if (!entries.has(entryOf.gaps(file, name))) return null;
  const gaps = expectEntry(delta, entryOf.gaps(file, name), "U8");
  const values = expectEntry(delta, entryOf.values(file, name), valueDtype(made.dtype).name);
  expectBytes(delta, name, values, values.elements * unitBytes(made.dtype));
  return { gaps, values };
}

function expectEntry({ entries, path }: Delta, name: string, dtype: string): TensorEntry {
  const entry = entries.get(name);
  if (entry?.dtype.name === dtype) return entry;
  throw new InputError(path, `tensor ${quote(name)} of ${dtype}`, entry ? entry.dtype.name : "none");
}

function expectBytes({ path }: Delta, name: string, { begin, end }: TensorEntry, bytes: number): void {
  if (end - begin === bytes) return;
  throw new InputError(path, `${bytes} bytes for tensor ${quote(name)}`, `${end - begin}`);
}

/** Reads the bytes of an entry sequentially. */
export class EntryReader implements ByteReader {
  readonly #delta: Delta;
  #at: number;
  readonly #end: number;

  constructor(delta: Delta, { begin, end }: TensorEntry) {
    this.#delta = delta;
    this.#at = begin;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    await this.#delta.source.read(this.#at, bytes);
    this.#at += count;
    return bytes;
  }
}
