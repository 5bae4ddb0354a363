import { roundBy } from "../../format/round.js";
import type { TensorInput } from "../../lens/input.js";
import type { MergedComparison } from "../../lens/run/merge-lens.js";
import { type Checkpoint, openCheckpoint } from "../checkpoint.js";
import { type FileIdentity, FileReader, fileIdentity } from "../file-reader.js";
import { decodeInto } from "../safetensors/decode.js";
import { shapeText } from "../safetensors/header.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";
import type { AdapterOnBase } from "./open-adapter.js";

/** A merged checkpoint, compared with a case's merged weights while counting. */
export class MergedCheckpoint {
  readonly #merged: Checkpoint;
  readonly #tensors: readonly (StoredTensor | null)[];
  readonly #identities = new Map<string, FileIdentity>();
  readonly #reader = new FileReader();
  readonly #skipped: { name: string; reason: string }[] = [];
  #elements = 0;
  #differ = 0;

  private constructor(merged: Checkpoint, tensors: readonly TensorInput[], stored: string) {
    this.#merged = merged;
    this.#tensors = tensors.map(({ name, shape }) => {
      const mergedTensor = merged.tensors.get(name);
      const reason = whyNot(mergedTensor, shape, stored);
      if (reason !== null) this.#skipped.push({ name, reason });
      return reason === null ? mergedTensor! : null;
    });
    for (const file of new Set(this.#tensors.flatMap((mergedTensor) => mergedTensor?.file ?? []))) {
      this.#identities.set(file, fileIdentity(file));
    }
  }

  /**
   * @param tensors the tensors of the job.
   * @param stored the name of the format in which the case stores them.
   * @throws InputError if it is not a checkpoint.
   */
  static async open(
    path: string,
    tensors: readonly TensorInput[],
    stored: string,
  ): Promise<MergedCheckpoint> {
    return new MergedCheckpoint(await openCheckpoint(path), tensors, stored);
  }

  get files(): readonly string[] {
    return [...this.#merged.files.keys()];
  }

  /** Compares a piece of a tensor, each piece once. @throws InputError if the file cannot be read. */
  compare(tensor: number, start: number, weights: Float32Array): void {
    const mergedTensor = this.#tensors[tensor];
    if (mergedTensor === null) return;
    const width = mergedTensor.dtype.bits / 8;
    const bytes = new Uint8Array(weights.length * width);
    this.#reader.read(this.#identities.get(mergedTensor.file)!, mergedTensor.begin! + start * width, bytes);
    const numbers = new Float32Array(weights.length);
    decodeInto(bytes, mergedTensor.dtype, numbers);
    const [ours, theirs] = [weights, numbers].map(
      ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length),
    );
    for (let i = 0; i < ours.length; i++) {
      // All NaN codes are equal.
      if (ours[i] !== theirs[i] && !(Number.isNaN(weights[i]) && Number.isNaN(numbers[i]))) this.#differ += 1;
    }
    this.#elements += weights.length;
  }

  /** The result once all pieces are compared; this also compares the tensors that are not merged. */
  async end(ofCase: number, { untouched, replaced }: AdapterOnBase): Promise<MergedComparison> {
    const others = { tensors: 0, differ: 0, replaced: { tensors: 0, differ: 0 } };
    for (const [name, given] of [...untouched.map((tensor) => [tensor.name, tensor] as const), ...replaced]) {
      const theirs = this.#merged.tensors.get(name);
      const reason =
        whyNot(theirs, given.shape, null) ?? (given.values === null ? "its numbers are not read" : null);
      if (reason !== null) {
        this.#skipped.push({ name, reason });
        continue;
      }
      const isSame = await sameNumbers(given, theirs!);
      for (const counts of replaced.has(name) ? [others, others.replaced] : [others]) {
        counts.tensors += 1;
        if (!isSame) counts.differ += 1;
      }
    }
    return {
      case: ofCase,
      tensors: this.#tensors.filter((mergedTensor) => mergedTensor !== null).length,
      elements: this.#elements,
      differ: this.#differ,
      others,
      skipped: this.#skipped,
    };
  }

  async close(): Promise<void> {
    this.#reader.close();
    await this.#merged.close();
  }
}

/** @param stored the required storage format; null for any. */
function whyNot(
  mergedTensor: StoredTensor | undefined,
  shape: readonly number[],
  stored: string | null,
): string | null {
  if (mergedTensor === undefined) return "is not in the merged checkpoint";
  const { dtype, begin } = mergedTensor;
  if (shapeText(mergedTensor.shape) !== shapeText(shape)) {
    return `its shape is ${shapeText(mergedTensor.shape)} in the merged checkpoint, not ${shapeText(shape)}`;
  }
  if (mergedTensor.values === null)
    return `its dtype in the merged checkpoint is ${dtype.name}, which is not read`;
  if (stored === null) return null;
  if (dtype.format === "fp64" || dtype.format?.name !== stored) {
    return `the merged checkpoint stores it as ${dtype.name}, not as ${stored}`;
  }
  return begin === null ? "is a view in the merged checkpoint" : null;
}

const piece = 2 ** 18;

/** Whether the numbers of a tensor, rounded to the other's storage format, equal the other's. */
async function sameNumbers(given: StoredTensor, stored: StoredTensor): Promise<boolean> {
  const { format } = stored.dtype;
  const isSame = format === given.dtype.format;
  for (let start = 0; start < given.elements; start += piece) {
    const count = Math.min(piece, given.elements - start);
    const [ours, theirs] = [new Float64Array(count), new Float64Array(count)];
    await Promise.all([given.values!.read(start, ours), stored.values!.read(start, theirs)]);
    for (let i = 0; i < count; i++) {
      const number = isSame || format === null || format === "fp64" ? ours[i] : roundBy(ours[i], format);
      if (!Object.is(number, theirs[i])) return false;
    }
  }
  return true;
}
