import type { LearnRun } from "../lens/learning/learning.js";
import { parameters } from "./decoder/shape.js";
import { largestNorm, optimizerSettings, type Training } from "./training.js";

/** An fp32 tensor by its name in a recorded run. */
export interface RecordedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Collects the updates of a training, step by step, as the tensors of a recorded run. */
export class RunRecorder {
  readonly updates: RecordedTensor[] = [];
  readonly gradients: RecordedTensor[] = [];

  /** Takes the step that was taken last. */
  readonly observe = ({ step, updates, gradient }: Training): void => {
    for (const { name, shape, at, length } of parameters) {
      const key = `step${String(step).padStart(4, "0")}/${name}`;
      this.updates.push({ name: key, shape, data: updates.slice(at, at + length) });
      this.gradients.push({ name: key, shape, data: gradient.slice(at, at + length) });
    }
  };
}

/** The metadata of a recorded run's files, in the recorder's vocabulary. */
export function metadataOf({
  run,
  lr,
  seed,
  format,
  scheme,
  rounding,
  steps,
}: LearnRun): Record<string, string> {
  const { betas, eps, weightDecay } = optimizerSettings;
  return {
    run,
    optimizer: "AdamW",
    lr: String(lr),
    betas: betas.join(),
    eps: String(eps),
    weight_decay: String(weightDecay),
    grad_clip: String(largestNorm),
    steps: String(steps.length),
    seed: String(seed),
    stored_as: [format, scheme, rounding].join(" "),
  };
}

/** The parameters of a model as tensors. */
export function tensorsOf(model: ArrayLike<number>): RecordedTensor[] {
  return parameters.map(({ name, shape, at, length }) => ({
    name,
    shape,
    data: Float32Array.from({ length }, (_, i) => model[at + i]),
  }));
}
