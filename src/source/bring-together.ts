import type { SkippedTensor, TensorInput } from "../lens/input.js";
import { InputError, quote } from "./input-error.js";
import { shapeText } from "./safetensors/header.js";
import type { StoredTensor } from "./safetensors/stored-tensor.js";
import { firstSkipped, SkipList } from "./skip-list.js";

/** The content of a recording per step: updates, or gradients to compute them from. */
export type Recorded = "update" | "gradient";

/** The weights or the updates of a run, wherever their files lie. */
export interface RecordedPart {
  /** Its path in messages. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly skipped: readonly SkippedTensor[];
}

export interface WeightsAndUpdates {
  /** In the order of the weights file; every one has an update for every step. */
  readonly tensors: readonly TensorInput[];
  /** Ascending; the step of each of a tensor's updates. */
  readonly stepNumbers: readonly number[];
  readonly skipped: readonly SkippedTensor[];
  /** The number of weights in all tensors. */
  readonly elements: number;
  /** By tensor, the file that holds its update of each step. */
  readonly stepFiles: ReadonlyMap<string, readonly string[]>;
}

/** The updates of one weight by step. */
type UpdatesByStep = Map<number, StoredTensor>;

/** Lists a tensor of a file as excluded. */
type Skip = (file: string, name: string, reason: string, elements?: number) => void;

/**
 * Pairs weights and updates by name and step. Unusable tensors are excluded and listed with the reason.
 *
 * @throws InputError if nothing can be used, or, with `strict`, if anything cannot.
 */
export function bringTogether(
  weights: RecordedPart,
  updates: RecordedPart,
  strict: boolean,
  recorded: Recorded,
): WeightsAndUpdates {
  const list = new SkipList(strict);
  const skip: Skip = (...args) => list.add(...args);
  for (const part of [weights, updates]) list.addUnnamed(part, false);

  const { byWeight, stepNumbers } = groupUpdates(updates, recorded, skip);
  const tensors: TensorInput[] = [];
  const stepFiles = new Map<string, readonly string[]>();
  let elements = 0;
  for (const weight of weights.tensors.values()) {
    const byStep = byWeight.get(weight.name);
    const reason = weight.obstacle?.reason ?? obstacle(weight, byStep, stepNumbers, recorded);
    if (reason !== undefined) {
      skip(weight.file, weight.name, reason, weight.obstacle?.weights ?? weight.elements);
      continue;
    }
    const { name, shape } = weight;
    const ofSteps = stepNumbers.map((step) => byStep!.get(step)!);
    tensors.push({ name, shape, weights: weight.values!, updates: ofSteps.map(({ values }) => values!) });
    stepFiles.set(
      name,
      ofSteps.map(({ file }) => file),
    );
    elements += weight.elements;
  }
  for (const [weight, byStep] of byWeight) {
    if (weights.tensors.has(weight)) continue;
    const [update] = byStep.values();
    skip(update.file, weight, `has ${recorded}s, but is not among the weights`);
  }
  for (const part of [weights, updates]) list.addUnnamed(part, true);

  const skipped = list.tensors;
  if (tensors.length === 0) {
    const found = `none${firstSkipped(skipped)}`;
    throw new InputError(updates.path, `${recorded}s that fit at least one weight`, found);
  }
  return { tensors, stepNumbers, skipped, elements, stepFiles };
}

/** The updates of every weight, and the steps of the run, ascending. */
function groupUpdates(
  updates: RecordedPart,
  recorded: Recorded,
  skip: Skip,
): { byWeight: Map<string, UpdatesByStep>; stepNumbers: number[] } {
  const byWeight = new Map<string, UpdatesByStep>();
  const steps = new Set<number>();
  for (const update of updates.tensors.values()) {
    const parsed = parseUpdateName(update.name);
    if (parsed === undefined) {
      skip(update.file, update.name, "is not named step<digits>/<weight name>");
      continue;
    }
    const [step, weight] = parsed;
    const byStep = byWeight.get(weight) ?? new Map<number, StoredTensor>();
    const twin = byStep.get(step);
    if (twin !== undefined) {
      const expected = `one ${recorded} of ${quote(weight)} for step ${step}`;
      throw new InputError(update.file, expected, `${quote(twin.name)} and ${quote(update.name)}`);
    }
    byWeight.set(weight, byStep.set(step, update));
    steps.add(step);
  }
  return { byWeight, stepNumbers: [...steps].sort((a, b) => a - b) };
}

/** The step and the weight of `step<digits>/<weight name>`; undefined for any other name. */
export function parseUpdateName(name: string): [step: number, weight: string] | undefined {
  const fields = /^step(\d+)\/(.+)$/s.exec(name);
  if (fields === null) return undefined;
  const step = Number(fields[1]);
  return Number.isSafeInteger(step) ? [step, fields[2]] : undefined;
}

/** Why a weight cannot be used; undefined if it can. */
function obstacle(
  weight: StoredTensor,
  byStep: UpdatesByStep | undefined,
  stepNumbers: readonly number[],
  recorded: Recorded,
): string | undefined {
  if (weight.values === null) return `its dtype is ${weight.dtype.name}, which holds no floats`;
  if (byStep === undefined) return `has no ${recorded}s`;
  for (const step of stepNumbers) {
    const update = byStep.get(step);
    if (update === undefined) {
      // A missing update is unknown, not zero: the classes of this step cannot be counted.
      return `has ${recorded}s for ${byStep.size} of ${stepNumbers.length} steps, none for step ${step}`;
    }
    const { dtype, shape, values } = update;
    if (values === null) return `its ${recorded} of step ${step} is ${dtype.name}, which holds no floats`;
    if (dtype.format === "fp64") {
      return `its ${recorded} of step ${step} is F64, but ${recorded === "update" ? "an update" : "a gradient"} is an fp32 number: rounded, it might become zero`;
    }
    if (shapeText(shape) !== shapeText(weight.shape)) {
      return `its shape is ${shapeText(weight.shape)}, that of its ${recorded} of step ${step} ${shapeText(shape)}`;
    }
  }
  return undefined;
}
