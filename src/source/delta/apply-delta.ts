import { createHash, type Hash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { DeltaFile } from "../../lens/difference/difference-result.js";
import { InputError, quote } from "../input-error.js";
import type { TensorEntry } from "../safetensors/header.js";
import { BaseDigest, DeltaBase } from "./base.js";
import { pieceBytes, unitBytes } from "./delta-file.js";
import { GapDecoder } from "./gaps.js";
import { changesOf, type Delta, EntryReader, madeFile, openDelta } from "./open-delta.js";
import { Output } from "./output-file.js";

/**
 * Rebuilds a checkpoint from another one and a delta, byte for byte. The output gets its name only after the
 * digests of the base and of all output match those in the delta.
 *
 * @param into the file or folder to create; it must not exist.
 * @throws InputError if BEFORE is not the base of the delta, if the delta is invalid, or if `into` exists.
 */
export async function applyDelta(before: string, path: string, into: string): Promise<DeltaFile> {
  const there = await stat(into).catch(() => null);
  if (there) throw new InputError(into, "a new path for the delta's result", "something there");
  const delta = await openDelta(path);
  let base: DeltaBase | null = null;
  let output: Output | null = null;
  try {
    base = await DeltaBase.open(before);
    output = new Output(into, delta.kind === "folder");
    const making = new Making(delta, base, output);
    for (const file of delta.parts.keys()) await making.file(file);
    making.expectDigests();
    output.finish();
    return making.summary();
  } catch (error) {
    output?.abandon();
    throw error;
  } finally {
    await Promise.all([delta.close(), base?.close()]);
  }
}

class Making {
  readonly #delta: Delta;
  readonly #base: DeltaBase;
  readonly #output: Output;
  readonly #ofBase = new BaseDigest();
  readonly #made: string[] = [];
  readonly #count = { same: 0, changed: 0, whole: 0, changes: 0 };

  constructor(delta: Delta, base: DeltaBase, output: Output) {
    this.#delta = delta;
    this.#base = base;
    this.#output = output;
  }

  async file(file: number): Promise<void> {
    const { header, tensors } = await madeFile(this.#delta, file);
    this.#output.begin(this.#delta.parts[file].name);
    this.#output.write(header, 0);
    const hash = createHash("sha256").update(header);
    for (const [name, entry] of tensors) await this.#tensor(file, name, entry, hash);
    this.#made.push(hash.digest("hex"));
  }

  async #tensor(file: number, name: string, entry: TensorEntry, hash: Hash): Promise<void> {
    const changes = changesOf(this.#delta, file, name, entry);
    const put = (bytes: Uint8Array, at: number) => {
      hash.update(bytes);
      this.#output.write(bytes, entry.begin + at);
    };
    if (changes && "whole" in changes) {
      this.#count.whole += 1;
      const all = new EntryReader(this.#delta, changes.whole);
      for (let at = 0; all.left > 0; at += pieceBytes)
        put(await all.take(Math.min(pieceBytes, all.left)), at);
      return;
    }
    this.#count[changes ? "changed" : "same"] += 1;
    const before = this.#base.expect(name, entry);
    const ofBase = createHash("sha256");
    const patch = changes ? new Patch(this.#delta, name, entry, changes) : null;
    const bytes = entry.end - entry.begin;
    for (let at = 0; at < bytes; at += pieceBytes) {
      const piece = new Uint8Array(Math.min(pieceBytes, bytes - at));
      await this.#base.read(before, at, piece);
      ofBase.update(piece);
      await patch?.apply(piece, at);
      put(piece, at);
    }
    await patch?.end();
    this.#count.changes += patch?.applied ?? 0;
    this.#ofBase.add(file, name, entry, ofBase.digest("hex"));
  }

  /** @throws InputError if the digest of the base or of the output differs from that in the delta. */
  expectDigests(): void {
    const { base, parts, path } = this.#delta;
    const found = this.#ofBase.digest();
    if (found !== base) {
      throw new InputError(
        this.#base.path,
        `the base of the delta (SHA-256 of its tensors ${base.slice(0, 16)}…)`,
        `another checkpoint (${found.slice(0, 16)}…)`,
      );
    }
    const wrong = parts.findIndex(({ sha256 }, i) => sha256 !== this.#made[i]);
    if (wrong < 0) return;
    const { name, sha256 } = parts[wrong];
    throw new InputError(
      path,
      `a delta that makes ${quote(name)} of SHA-256 ${sha256.slice(0, 16)}…`,
      `one that makes ${this.#made[wrong].slice(0, 16)}…: it is damaged`,
    );
  }

  summary(): DeltaFile {
    const { size, parts, base } = this.#delta;
    const resultBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    return { bytes: size, resultBytes, ...this.#count, base, files: parts };
  }
}

/** The changes of one tensor, applied piece by piece from its first to its last. */
class Patch {
  readonly #width: number;
  readonly #elements: number;
  readonly #gaps: GapDecoder;
  readonly #values: EntryReader;
  readonly #damaged: (found: string) => InputError;
  #next: number | null | undefined;
  #pending = new Uint8Array(0) as Uint8Array;
  #at = 0;
  applied = 0;

  constructor(
    delta: Delta,
    name: string,
    { dtype, begin, end }: TensorEntry,
    { gaps, values }: { readonly gaps: TensorEntry; readonly values: TensorEntry },
  ) {
    this.#width = unitBytes(dtype);
    this.#elements = (end - begin) / this.#width;
    this.#damaged = (found) =>
      new InputError(delta.path, `as many changes of ${quote(name)} as values, all within it`, found);
    this.#gaps = new GapDecoder(new EntryReader(delta, gaps), this.#damaged);
    this.#values = new EntryReader(delta, values);
  }

  /** @param position of the piece in its tensor, in bytes. */
  async apply(piece: Uint8Array, position: number): Promise<void> {
    const start = position / this.#width;
    const end = start + piece.length / this.#width;
    if (this.#next === undefined) await this.#advance();
    while (this.#next !== null && this.#next! < end) {
      piece.set(await this.#value(), (this.#next! - start) * this.#width);
      this.applied += 1;
      await this.#advance();
    }
  }

  /** @throws InputError if changes are left over. */
  async end(): Promise<void> {
    if (this.#next === undefined) await this.#advance();
    if (this.#next !== null || this.#values.left > 0 || this.#at < this.#pending.length) {
      throw this.#damaged("some left over");
    }
  }

  async #advance(): Promise<void> {
    this.#next = await this.#gaps.next();
    if (this.#next !== null && this.#next >= this.#elements) throw this.#damaged("one outside");
  }

  async #value(): Promise<Uint8Array> {
    if (this.#at === this.#pending.length) {
      // These are whole values: the width divides both.
      this.#pending = await this.#values.take(Math.min(this.#values.left, 2 ** 16));
      this.#at = 0;
      if (this.#pending.length === 0) throw this.#damaged("fewer values");
    }
    this.#at += this.#width;
    return this.#pending.subarray(this.#at - this.#width, this.#at);
  }
}
