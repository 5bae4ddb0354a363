import { createHash } from "node:crypto";
import { type Checkpoint, openCheckpoint } from "../checkpoint.js";
import { FilePool } from "../file-pool.js";
import { InputError, quote } from "../input-error.js";
import { shapeText, type TensorEntry } from "../safetensors/header.js";
import type { ByteSource, StoredTensor } from "../safetensors/stored-tensor.js";

/** The bytes of the tensors of a checkpoint that a delta is made from or applied to. */
export class DeltaBase {
  readonly #checkpoint: Checkpoint;
  readonly #pool = new FilePool();
  readonly #sources = new Map<string, ByteSource>();

  private constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  /** @throws InputError if it is no checkpoint. */
  static async open(path: string): Promise<DeltaBase> {
    return new DeltaBase(await openCheckpoint(path));
  }

  get path(): string {
    return this.#checkpoint.path;
  }

  get files(): readonly string[] {
    return [...this.#checkpoint.files.keys()];
  }

  /** The tensor of this name whose bytes can be compared with those of another; null if there is none. */
  of(name: string, { dtype, shape }: Pick<TensorEntry, "dtype" | "shape">): StoredTensor | null {
    const tensor = this.#checkpoint.tensors.get(name);
    const isSame = tensor?.dtype === dtype && shapeText(tensor.shape) === shapeText(shape);
    return isSame && tensor.begin !== null ? tensor : null;
  }

  /** The same, where there must be one. @throws InputError if there is none. */
  expect(name: string, entry: Pick<TensorEntry, "dtype" | "shape">): StoredTensor {
    const tensor = this.of(name, entry);
    if (tensor) return tensor;
    const found = this.#checkpoint.tensors.get(name);
    throw new InputError(
      this.path,
      `tensor ${quote(name)} of ${entry.dtype.name} ${shapeText(entry.shape)}, as in what the delta was made from`,
      found ? `${found.dtype.name} ${shapeText(found.shape)}` : "none of that name",
    );
  }

  /** Fills `into` with bytes of a tensor. */
  async read({ file, begin }: StoredTensor, position: number, into: Uint8Array): Promise<void> {
    const source = this.#sources.get(file) ?? (await this.#pool.source(file));
    this.#sources.set(file, source);
    await source.read(begin! + position, into);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#checkpoint.close()]);
  }
}

/** The digest of the tensors that are taken from the base, one after the other. */
export class BaseDigest {
  readonly #all = createHash("sha256");

  /** Adds a tensor by what it is and the digest of its bytes. */
  add(file: number, name: string, { dtype, shape }: TensorEntry, bytes: string): void {
    this.#all.update(`${JSON.stringify([file, name, dtype.name, shape, bytes])}\n`);
  }

  digest(): string {
    return this.#all.digest("hex");
  }
}
