import { createHash } from "node:crypto";
import { type Checkpoint, openCheckpoint } from "../checkpoint.js";
import { FilePool } from "../file-pool.js";
import { InputError, quote } from "../input-error.js";
import { shapeText, type TensorEntry } from "../safetensors/header.js";
import type { ByteSource, StoredTensor } from "../safetensors/stored-tensor.js";

/** The tensor bytes of the checkpoint from which a delta is made, or to which it is applied. */
export class DeltaBase {
  readonly #checkpoint: Checkpoint;
  readonly #pool = new FilePool();
  readonly #sources = new Map<string, ByteSource>();

  private constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  /** @throws InputError if it is not a checkpoint. */
  static async open(path: string): Promise<DeltaBase> {
    return new DeltaBase(await openCheckpoint(path));
  }

  get path(): string {
    return this.#checkpoint.path;
  }

  get files(): readonly string[] {
    return [...this.#checkpoint.files.keys()];
  }

  /** The tensor of this name with the same dtype and shape; null if there is none. */
  of(name: string, { dtype, shape }: Pick<TensorEntry, "dtype" | "shape">): StoredTensor | null {
    const tensor = this.#checkpoint.tensors.get(name);
    const isSame = tensor?.dtype === dtype && shapeText(tensor.shape) === shapeText(shape);
    return isSame && tensor.begin !== null ? tensor : null;
  }

  /** The same. @throws InputError if there is none. */
  expect(name: string, entry: Pick<TensorEntry, "dtype" | "shape">): StoredTensor {
    const tensor = this.of(name, entry);
    if (tensor) return tensor;
    const found = this.#checkpoint.tensors.get(name);
    throw new InputError(
      this.path,
      `tensor ${quote(name)} of ${entry.dtype.name} ${shapeText(entry.shape)}, as in the base of the delta`,
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

/** The digest of the tensors used from the base, in order. */
export class BaseDigest {
  readonly #all = createHash("sha256");

  /** Adds a tensor's name, dtype and shape, and the digest of its bytes. */
  add(file: number, name: string, { dtype, shape }: TensorEntry, bytes: string): void {
    this.#all.update(`${JSON.stringify([file, name, dtype.name, shape, bytes])}\n`);
  }

  digest(): string {
    return this.#all.digest("hex");
  }
}
