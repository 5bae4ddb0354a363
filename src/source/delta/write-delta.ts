import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { DeltaFile, DeltaPart } from "../../lens/difference/difference-result.js";
import { openCheckpoint } from "../checkpoint.js";
import { FilePool } from "../file-pool.js";
import { InputError } from "../input-error.js";
import { headerLength, lengthBytes, parseHeader, type TensorEntry } from "../safetensors/header.js";
import type { ByteSource } from "../safetensors/stored-tensor.js";
import { encodeHeader, type TensorLayout } from "../safetensors/write.js";
import { BaseDigest, DeltaBase } from "./base.js";
import {
  changedUnits,
  deltaFormat,
  entryOf,
  inDataOrder,
  pieceBytes,
  unitBytes,
  valueDtype,
} from "./delta-file.js";
import { GapEncoder } from "./gaps.js";
import { Output } from "./output-file.js";

/** The files of AFTER: a safetensors file, or a file stored as a whole. */
interface ResultFile {
  readonly name: string;
  readonly source: ByteSource;
  readonly header: Uint8Array;
  readonly tensors: readonly [string, TensorEntry][];
}

interface Planned {
  readonly file: number;
  readonly name: string;
  readonly entry: TensorEntry;
  readonly how: "same" | "changed" | "whole";
  readonly gapBytes: number;
  readonly changes: number;
}

/**
 * Writes the delta that rebuilds the files of AFTER from the tensors of BEFORE, byte for byte. Both are read
 * twice, in pieces: once to know sizes and digests, once to write.
 *
 * @throws InputError if AFTER is not safetensors, or a file cannot be read or written. Then nothing is left behind.
 */
export async function writeDelta(before: string, after: string, path: string): Promise<DeltaFile> {
  const pool = new FilePool();
  const base = await DeltaBase.open(before);
  try {
    const { files, kind } = await resultFiles(after, pool);
    const { plans, parts, digest } = await plan(base, files);
    const layout = layoutOf(files, plans);
    const metadata = { format: deltaFormat, kind, base: digest, files: JSON.stringify(parts) };
    const header = encodeHeader(layout, metadata);
    await write(path, header, base, files, plans, layout);
    const count = (how: Planned["how"]) => plans.filter((planned) => planned.how === how).length;
    return {
      bytes: layout.reduce((sum, { bytes }) => sum + bytes, header.length),
      resultBytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
      same: count("same"),
      changed: count("changed"),
      whole: count("whole"),
      changes: plans.reduce((sum, planned) => sum + (planned.how === "changed" ? planned.changes : 0), 0),
      base: digest,
      files: parts,
    };
  } finally {
    await Promise.all([pool.close(), base.close()]);
  }
}

async function resultFiles(after: string, pool: FilePool) {
  const checkpoint = await openCheckpoint(after);
  const paths = [...checkpoint.files.keys()];
  await checkpoint.close();
  const files: ResultFile[] = [];
  for (const path of paths) files.push(await resultFile(path, await pool.source(path)));
  const isFolder = paths.length > 1 || (await stat(after)).isDirectory();
  return { files, kind: isFolder ? "folder" : "file" };
}

async function resultFile(path: string, source: ByteSource): Promise<ResultFile> {
  const name = basename(path);
  const head = new Uint8Array(Math.min(source.size, lengthBytes + 1));
  await source.read(0, head);
  if (name.endsWith(".json")) {
    const header = new Uint8Array(source.size);
    await source.read(0, header);
    return { name, source, header, tensors: [] };
  }
  // Every header begins with a brace.
  if (head[lengthBytes] !== 0x7b) {
    throw new InputError(path, "a safetensors file, which a delta can make", "another kind of file");
  }
  const header = new Uint8Array(lengthBytes + headerLength(head, source.size, path));
  await source.read(0, header);
  return { name, source, header, tensors: inDataOrder(parseHeader(header, source.size, path).tensors) };
}

async function plan(base: DeltaBase, files: readonly ResultFile[]) {
  const plans: Planned[] = [];
  const parts: DeltaPart[] = [];
  const all = new BaseDigest();
  for (const [file, { name, source, header, tensors }] of files.entries()) {
    const ofFile = createHash("sha256").update(header);
    for (const [tensor, entry] of tensors) {
      const ofBase = createHash("sha256");
      const gaps = new GapEncoder();
      let [gapBytes, changes] = [0, 0];
      const before = await eachPiece(base, source, tensor, entry, (was, is, units, start) => {
        ofFile.update(is);
        if (was === null) return;
        ofBase.update(was);
        for (const unit of units) gaps.add(start + unit);
        gapBytes += gaps.take().length;
        changes += units.length;
      });
      const bytes = entry.end - entry.begin;
      const isLess = gapBytes + changes * unitBytes(entry.dtype) < bytes || changes === 0;
      const how = before === null || !isLess ? "whole" : changes === 0 ? "same" : "changed";
      if (how !== "whole") all.add(file, tensor, entry, ofBase.digest("hex"));
      plans.push({ file, name: tensor, entry, how, gapBytes, changes });
    }
    parts.push({ name, bytes: source.size, sha256: ofFile.digest("hex") });
  }
  return { plans, parts, digest: all.digest() };
}

/** Receives pieces of a tensor before and after, and the indices of units that differ; `start` in units. */
type Visit = (was: Uint8Array | null, is: Uint8Array, units: readonly number[], start: number) => void;

async function eachPiece(
  base: DeltaBase,
  source: ByteSource,
  name: string,
  entry: TensorEntry,
  visit: Visit,
) {
  const before = base.of(name, entry);
  const width = unitBytes(entry.dtype);
  const bytes = entry.end - entry.begin;
  for (let at = 0; at < bytes; at += pieceBytes) {
    const length = Math.min(pieceBytes, bytes - at);
    const is = new Uint8Array(length);
    const was = before && new Uint8Array(length);
    await Promise.all([source.read(entry.begin + at, is), before && base.read(before, at, was!)]);
    visit(was, is, was ? changedUnits(was, is, width) : [], at / width);
  }
  return before;
}

function layoutOf(files: readonly ResultFile[], plans: readonly Planned[]): TensorLayout[] {
  return [
    ...files.map(({ header }, file) => bytesEntry(entryOf.header(file), header.length)),
    ...plans.flatMap(({ file, name, entry, how, gapBytes, changes }): TensorLayout[] => {
      const { dtype, shape } = entry;
      if (how === "same") return [];
      if (how === "whole") {
        const bytes = entry.end - entry.begin;
        return [{ name: entryOf.whole(file, name), dtype: dtype.name, shape, bytes }];
      }
      return [
        bytesEntry(entryOf.gaps(file, name), gapBytes),
        {
          name: entryOf.values(file, name),
          dtype: valueDtype(dtype).name,
          shape: [changes],
          bytes: changes * unitBytes(dtype),
        },
      ];
    }),
  ];
}

function bytesEntry(name: string, bytes: number): TensorLayout {
  return { name, dtype: "U8", shape: [bytes], bytes };
}

async function write(
  path: string,
  header: Uint8Array,
  base: DeltaBase,
  files: readonly ResultFile[],
  plans: readonly Planned[],
  layout: readonly TensorLayout[],
): Promise<void> {
  let place = header.length;
  const places = new Map(
    layout.map(({ name, bytes }) => {
      place += bytes;
      return [name, { at: place - bytes, end: place }];
    }),
  );
  const output = new Output(path, false);
  const put = (name: string, bytes: Uint8Array) => {
    const span = places.get(name)!;
    if (span.at + bytes.length > span.end) throw changedMeanwhile(path);
    output.write(bytes, span.at);
    span.at += bytes.length;
  };
  try {
    output.begin("");
    output.write(header, 0);
    for (const [file, result] of files.entries()) put(entryOf.header(file), result.header);
    for (const { file, name, entry, how } of plans) {
      if (how === "same") continue;
      const gaps = new GapEncoder();
      const width = unitBytes(entry.dtype);
      await eachPiece(base, files[file].source, name, entry, (_, is, units, start) => {
        if (how === "whole") return put(entryOf.whole(file, name), is);
        for (const unit of units) gaps.add(start + unit);
        put(entryOf.gaps(file, name), gaps.take());
        const values = new Uint8Array(units.length * width);
        for (const [n, unit] of units.entries()) {
          values.set(is.subarray(unit * width, (unit + 1) * width), n * width);
        }
        put(entryOf.values(file, name), values);
      });
    }
    if ([...places.values()].some(({ at, end }) => at !== end)) throw changedMeanwhile(path);
    output.finish();
  } catch (error) {
    output.abandon();
    throw error;
  }
}

function changedMeanwhile(path: string): InputError {
  return new InputError(
    path,
    "checkpoints that do not change while a delta is written",
    "other bytes the second time",
  );
}
