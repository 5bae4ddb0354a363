import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { codeOf } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import type { TensorInput } from "../../lens/input.js";
import { InputError } from "../input-error.js";
import { systemError } from "../system-error.js";
import { temporaryName } from "../temporary-name.js";
import { type Dtype, dtypes } from "./dtype.js";
import { encodeHeader } from "./write.js";

/**
 * Writes the final weights of a run piece by piece, in any order, into one safetensors file in the storage format. The
 * file has a temporary name until {@link finish}.
 */
export class WeightsWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: number;
  readonly #format: Format;
  #open = true;
  /** The data offset of each tensor. */
  readonly #begins: readonly number[];

  /** @throws InputError if safetensors has no dtype for the format, or the file cannot be created. */
  constructor(
    path: string,
    tensors: readonly Pick<TensorInput, "name" | "shape" | "weights">[],
    format: Format,
    metadata: Readonly<Record<string, string>>,
  ) {
    const known = [...dtypes.values()].filter(isWritten);
    const dtype = known.find((each) => each.format === format);
    if (!dtype) {
      const names = known.map((each) => each.format.name).join(", ");
      throw new InputError(path, `a format that --write-weights can store (${names})`, format.name);
    }
    const layout = tensors.map(({ name, shape, weights }) => ({
      name,
      shape,
      dtype: dtype.name,
      bytes: (weights.length * dtype.bits) / 8,
    }));
    const header = encodeHeader(layout, metadata);
    let begin = header.length;
    this.#begins = layout.map(({ bytes }) => {
      begin += bytes;
      return begin - bytes;
    });
    this.#path = path;
    this.#format = format;
    this.#temporary = temporaryName(path);
    try {
      this.#file = openSync(this.#temporary, "wx");
      writeSync(this.#file, header, 0, header.length, 0);
    } catch (error) {
      this.#discard();
      throw systemError(path, "a file that can be written", error, "write");
    }
    process.on("exit", this.#discard);
  }

  /** @param weights numbers of the format. @throws InputError if writing fails, for example on a full disk. */
  write(tensor: number, start: number, weights: Float32Array): void {
    const bytes = this.#encode(weights);
    try {
      let position = this.#begins[tensor] + start * (this.#format.bits / 8);
      for (let at = 0; at < bytes.length; ) {
        const written = writeSync(this.#file, bytes, at, bytes.length - at, position);
        at += written;
        position += written;
      }
    } catch (error) {
      throw systemError(this.#path, "room for the weights", error, "write");
    }
  }

  #encode(weights: Float32Array): Uint8Array {
    const { bits } = this.#format;
    if (bits === 32) return new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
    const codes = bits === 16 ? new Uint16Array(weights.length) : new Uint8Array(weights.length);
    for (let i = 0; i < weights.length; i++) codes[i] = codeOf(weights[i], this.#format);
    return new Uint8Array(codes.buffer);
  }

  /**
   * Gives the file its final name.
   *
   * @throws InputError if that fails; then nothing is left behind.
   */
  finish(): void {
    this.#close();
    try {
      renameSync(this.#temporary, this.#path);
    } catch (error) {
      this.#discard();
      throw systemError(this.#path, "a file that can be written", error, "write");
    }
  }

  /** Removes the file; does nothing after {@link finish}. */
  abandon(): void {
    if (!this.#open) return;
    this.#close();
    this.#discard();
  }

  #close(): void {
    this.#open = false;
    closeSync(this.#file);
    process.off("exit", this.#discard);
  }

  /** Also called when the process ends in the middle. */
  readonly #discard = (): void => {
    rmSync(this.#temporary, { force: true });
  };
}

/** Only dtypes whose elements are whole bytes, so that chunks start at bytes. */
function isWritten(dtype: Dtype): dtype is Dtype & { readonly format: Format } {
  return dtype.format !== null && dtype.format !== "fp64" && dtype.bits >= 8 && dtype.format.signed !== false;
}
