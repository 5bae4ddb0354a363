import { InputError, quote } from "../input-error.js";
import type { ByteSource } from "../safetensors/stored-tensor.js";

/** An uncompressed file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** The offset of its data in the archive. */
  readonly begin: number;
  readonly size: number;
}

/** Sizes and signatures of the records (APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 to 4.3.16). */
const endRecord = { signature: 0x0605_4b50, bytes: 22 };
const end64Locator = { signature: 0x0706_4b50, bytes: 20 };
const end64Record = { signature: 0x0606_4b50, bytes: 56 };
const centralHeader = { signature: 0x0201_4b50, bytes: 46 };
const localHeader = { signature: 0x0403_4b50, bytes: 30 };

const longestComment = 0xffff;
/** The maximum size of the directory, which takes about 80 bytes per tensor. */
const mostDirectoryBytes = 100_000_000;
/** The value of a field that is stored in the zip64 extra field instead. */
const inZip64 = 0xffff_ffff;

/**
 * The files by name of a zip archive as written by PyTorch: nothing is compressed or encrypted, and files share no
 * data.
 *
 * @throws InputError for any other or a damaged archive.
 */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { name } = source;
  const { offset, size, count } = await findDirectory(source);
  const listed = parseDirectory(await bytesAt(source, offset, size), count, name);
  const entries = new Map<string, ZipEntry>();
  for (const { name: entryName, size: entrySize, header } of listed) {
    if (entries.has(entryName))
      throw new InputError(name, "files with different names", `${quote(entryName)} twice`);
    const begin = await dataBegin(source, entryName, header);
    if (begin + entrySize > offset) {
      throw new InputError(
        name,
        `${quote(entryName)} to end before the directory, at byte ${offset}`,
        `byte ${begin + entrySize}`,
      );
    }
    entries.set(entryName, { name: entryName, begin, size: entrySize });
  }
  expectApart(entries, name);
  return entries;
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

async function findDirectory(source: ByteSource): Promise<Directory> {
  const { name, size: fileSize } = source;
  const from = Math.max(0, fileSize - endRecord.bytes - longestComment);
  const tail = await bytesAt(source, from, fileSize - from);
  const view = viewOf(tail);
  let at = tail.length - endRecord.bytes;
  // The record ends the file, followed only by a comment whose length it states.
  while (
    at >= 0 &&
    !(
      view.getUint32(at, true) === endRecord.signature &&
      view.getUint16(at + 20, true) === tail.length - at - endRecord.bytes
    )
  )
    at -= 1;
  if (at < 0) {
    throw new InputError(
      name,
      "the directory of a zip archive at the end",
      "none: the file is cut off, or damaged",
    );
  }
  const directory = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  const found = (await findDirectory64(source, from + at)) ?? directory;
  const end = found.offset + found.size;
  if (!Number.isSafeInteger(end) || end > from + at) {
    throw new InputError(
      name,
      `a directory that ends before byte ${from + at}`,
      `one from byte ${found.offset} on with ${found.size} bytes`,
    );
  }
  if (found.size > mostDirectoryBytes) {
    throw new InputError(name, `a directory of at most ${mostDirectoryBytes} bytes`, `${found.size} bytes`);
  }
  return found;
}

/** The same for zip64, if the archive has that record. */
async function findDirectory64(source: ByteSource, endAt: number): Promise<Directory | null> {
  const locatorAt = endAt - end64Locator.bytes;
  if (locatorAt < 0) return null;
  const locator = viewOf(await bytesAt(source, locatorAt, end64Locator.bytes));
  if (locator.getUint32(0, true) !== end64Locator.signature) return null;
  const at = Number(locator.getBigUint64(8, true));
  if (at + end64Record.bytes > locatorAt) {
    throw new InputError(source.name, `a zip64 directory record before byte ${locatorAt}`, `byte ${at}`);
  }
  const record = viewOf(await bytesAt(source, at, end64Record.bytes));
  if (record.getUint32(0, true) !== end64Record.signature) {
    throw new InputError(source.name, `a zip64 directory record at byte ${at}`, "something else");
  }
  return {
    count: Number(record.getBigUint64(32, true)),
    size: Number(record.getBigUint64(40, true)),
    offset: Number(record.getBigUint64(48, true)),
  };
}

interface Listed {
  readonly name: string;
  readonly size: number;
  /** The offset of its local header. */
  readonly header: number;
}

function parseDirectory(bytes: Uint8Array, count: number, archive: string): Listed[] {
  const view = viewOf(bytes);
  const listed: Listed[] = [];
  let at = 0;
  while (at + centralHeader.bytes <= bytes.length && view.getUint32(at, true) === centralHeader.signature) {
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    );
    const nameAt = at + centralHeader.bytes;
    const next = nameAt + nameLength + extraLength + commentLength;
    if (next > bytes.length) break;
    const name = new TextDecoder().decode(bytes.subarray(nameAt, nameAt + nameLength));
    const fields = {
      compressed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      header: view.getUint32(at + 42, true),
    };
    const extra = viewOf(bytes.subarray(nameAt + nameLength, nameAt + nameLength + extraLength));
    const { compressed, size, header } = withZip64(fields, extra);
    if ((flags & 1) !== 0)
      throw new InputError(archive, "an archive without passwords", `${quote(name)} encrypted`);
    if (method !== 0 || compressed !== size) {
      throw new InputError(
        archive,
        "files that are stored as they are, as PyTorch does",
        `${quote(name)} compressed`,
      );
    }
    listed.push({ name, size, header });
    at = next;
  }
  if (at !== bytes.length || listed.length !== count) {
    throw new InputError(
      archive,
      `a directory of ${count} files in ${bytes.length} bytes`,
      `${listed.length} in ${at} bytes`,
    );
  }
  return listed;
}

/** The fields of a file in the directory. */
type Sizes = Record<"compressed" | "size" | "header", number>;

/** Fields that do not fit into 32 bits are in extra field 1, in this order; the others are omitted there. */
function withZip64(fields: Sizes, extra: DataView): Sizes {
  const found = { ...fields };
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const [id, length] = [extra.getUint16(at, true), extra.getUint16(at + 2, true)];
    if (id === 1) {
      let place = at + 4;
      for (const field of ["size", "compressed", "header"] as const) {
        if (fields[field] !== inZip64 || place + 8 > Math.min(at + 4 + length, extra.byteLength)) continue;
        found[field] = Number(extra.getBigUint64(place, true));
        place += 8;
      }
    }
    at += 4 + length;
  }
  return found;
}

async function dataBegin(source: ByteSource, entry: string, headerAt: number): Promise<number> {
  if (headerAt + localHeader.bytes > source.size) {
    throw new InputError(
      source.name,
      `${quote(entry)} within the ${source.size} bytes of the file`,
      `byte ${headerAt}`,
    );
  }
  const header = viewOf(await bytesAt(source, headerAt, localHeader.bytes));
  if (header.getUint32(0, true) !== localHeader.signature) {
    throw new InputError(source.name, `the header of ${quote(entry)} at byte ${headerAt}`, "something else");
  }
  return headerAt + localHeader.bytes + header.getUint16(26, true) + header.getUint16(28, true);
}

function expectApart(entries: ReadonlyMap<string, ZipEntry>, archive: string): void {
  const inOrder = [...entries.values()].sort((a, b) => a.begin - b.begin || a.size - b.size);
  for (const [i, { name, begin, size }] of inOrder.entries()) {
    const next = inOrder[i + 1];
    if (next && next.begin < begin + size) {
      throw new InputError(
        archive,
        `${quote(name)} to end before ${quote(next.name)} begins`,
        "data that they share",
      );
    }
  }
}

async function bytesAt(source: ByteSource, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await source.read(position, bytes);
  return bytes;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
