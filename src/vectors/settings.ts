import { blockFormat, isBlockFormat } from "../format/block/block-format.js";
import type { Opmath } from "../format/operations.js";
import { format } from "../format/registry.js";
import type { Overflow, Rounding } from "../format/round.js";
import { unknownName } from "../format/unknown-name.js";
import { adamwSubject } from "./adamw-subject.js";
import { numberSource } from "./number-source.js";
import { operationNamed, operationNames } from "./operation.js";
import { operationSubject } from "./operation-subject.js";
import { quantizerSubject } from "./quantizer-subject.js";
import type { Level } from "./rounding-inputs.js";
import { roundingSubject } from "./rounding-subject.js";
import type { Subject } from "./subject.js";

export const askedOperations = ["round", ...operationNames, "quantize", "adamw"] as const;
export type AskedOperation = (typeof askedOperations)[number];

/** The settings of a vector table, written into the table itself. */
export interface VectorSettings {
  readonly format: string;
  readonly operation: AskedOperation;
  readonly rounding: Rounding;
  readonly overflow: Overflow;
  readonly opmath: Opmath;
  /** Of `round`: what the inputs are numbers of. */
  readonly from: string;
  readonly level: Level;
  readonly seed: number;
  /** Of `adamw`. */
  readonly recipe: string;
  readonly step: number;
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
}

export const defaultSettings: VectorSettings = {
  format: "bf16",
  operation: "round",
  rounding: "nearest-even",
  overflow: "ieee",
  opmath: "exact",
  from: "fp32",
  level: "1",
  seed: 0,
  recipe: "torch-2.13-cpu-for-loop",
  step: 10,
  // So large that every line of a recipe shows: in bf16 no weight is changed by a decay below 2^-9, nor v by .999.
  lr: 0.03,
  betas: [0.9, 0.95],
  eps: 1e-6,
  weightDecay: 0.5,
};

/** The settings that an operation uses, which are written to the table. */
export function settingsOf(settings: VectorSettings): Partial<VectorSettings> {
  const { format, operation, rounding, overflow, opmath, from, level, seed } = settings;
  const { recipe, step, lr, betas, eps, weightDecay } = settings;
  const common = { format, operation, level, seed };
  if (operation === "adamw") return { ...common, recipe, step, lr, betas, eps, weightDecay };
  if (operation === "quantize") return common;
  return { ...common, rounding, overflow, ...(operation === "round" ? { from } : { opmath }) };
}

/** Of what type a subject's questions and answers are is its own affair. */
export type AnySubject = Subject<unknown, unknown>;

/** @throws RangeError for unknown names, and for what does not go together. */
export function subjectOf(settings: VectorSettings): AnySubject {
  const { operation, rounding, overflow, opmath } = settings;
  if (!askedOperations.includes(operation)) throw unknownName("operation", operation, askedOperations);
  if (isBlockFormat(settings.format) !== (operation === "quantize")) {
    throw new RangeError(
      operation === "quantize"
        ? `quantize goes to a block format such as mxfp4, found ${settings.format}`
        : `${settings.format} is a block format: expected the operation quantize, found ${operation}`,
    );
  }
  const endless =
    operation === "quantize" || operation === "adamw" || (operation === "round" && isWide(settings));
  if (settings.level === "exhaustive" && endless) {
    const what = operation === "round" ? "round from fp64" : operation;
    throw new RangeError(`${what} has too many inputs for the level exhaustive: expected 1 or 2`);
  }
  if (operation === "quantize") return quantizerSubject(blockFormat(settings.format)) as AnySubject;
  const to = { format: format(settings.format), rounding, overflow };
  if (operation === "round") return roundingSubject(to, numberSource(settings.from)) as AnySubject;
  if (operation === "adamw") {
    const { recipe, step, lr, betas, eps, weightDecay } = settings;
    return adamwSubject({
      recipe,
      format: to.format,
      step,
      settings: { lr, betas, eps, weightDecay },
    }) as AnySubject;
  }
  return operationSubject(operationNamed(operation), to, opmath) as AnySubject;
}

function isWide({ from }: VectorSettings): boolean {
  return numberSource(from).bits > 32;
}
