import type { TensorInput } from "../lens/input.js";
import {
  changes,
  type Forecast,
  judgedRules,
  reachDeviations,
  type StepPrediction,
} from "../lens/study/prediction.js";
import { AdamwStep, learningRate, type SimulatedRun } from "../update/simulated-adamw.js";
import type { LensJob, Observer } from "./engine.js";
import { type PredictedFormat, predictionEnds, viewOf } from "./predict-view.js";

/** The number of weights processed at once. */
const chunkLength = 2 ** 16;

/** What is counted of a step, of finite weight-steps but for `nonfinite`. */
export interface StepCount extends StepPrediction {
  changed: number;
  /** Weights that are NaN or Inf before or after the step, or whose update is. */
  nonfinite: number;
  readonly predicted: number[];
  readonly right: number[];
}

/**
 * Runs AdamW with an fp32 master on gradients. Before each step from the second on, evaluates every rule's prediction
 * of which stored weights the step will change. Weight-steps that are not finite are counted apart, as in a run: they are
 * no change, and no prediction counts. Scalar code on the calling thread.
 *
 * @param tensors whose updates are gradients, one for each step of the run.
 */
export async function predict(
  { tensors, stepNumbers }: Pick<LensJob, "tensors" | "stepNumbers">,
  run: SimulatedRun,
  format: PredictedFormat,
  { progress }: Pick<Observer, "progress"> = {},
): Promise<StepCount[]> {
  const counts = stepNumbers.slice(1).map((step): StepCount => {
    const none = () => judgedRules.map(() => 0);
    return { step, changed: 0, nonfinite: 0, predicted: none(), right: none() };
  });
  const total = tensors.reduce((sum, { weights }) => sum + weights.length, 0) * stepNumbers.length;
  let done = 0;
  for (const tensor of tensors) {
    const ends = predictionEnds(tensor.shape, tensor.weights.length, chunkLength, format);
    for (const [k, end] of ends.entries()) {
      const start = ends[k - 1] ?? 0;
      const length = end - start;
      await predictChunk(tensor, start, length, run, format, counts);
      done += length * stepNumbers.length;
      progress?.(done, total);
      // Yield, so that the progress bar and interrupts are handled.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return counts;
}

async function predictChunk(
  { weights, updates, shape }: TensorInput,
  start: number,
  length: number,
  run: SimulatedRun,
  format: PredictedFormat,
  counts: readonly StepCount[],
): Promise<void> {
  const master = new Float32Array(length);
  await weights.read(start, master);
  const [m, v] = [new Float32Array(length), new Float32Array(length)];
  const gradients = new Float32Array(length);
  const step = new AdamwStep(run);
  const view = viewOf(format, shape, start, length);
  const elements = new Float32Array(length);
  /** For each weight, a bit per rule that predicts a change. */
  const named = new Uint8Array(length);
  const stored = new Float64Array(length);
  /** For each weight, whether it and its update are finite before the step: 0 or 1. */
  const finite = new Uint8Array(length);
  const store = () => {
    view.renew(master);
    for (let j = 0; j < length; j++) stored[j] = view.number(j, master[j]);
  };
  store();
  for (const [i, values] of updates.entries()) {
    await values.read(start, gradients);
    const t = i + 1;
    step.begin(t);
    const count = counts[i - 1];
    const forecast = count === undefined ? null : forecaster(run, t);
    for (let j = 0; j < length; j++) {
      const before = { stored: stored[j], master: master[j] };
      const meant = forecast?.(m[j], v[j], master[j]);
      const update = step.apply(j, gradients[j], before.master, m, v);
      master[j] += update;
      if (meant === undefined) continue;
      elements[j] = view.element(j, before.master);
      named[j] = 0;
      finite[j] = Number(Number.isFinite(before.stored) && Number.isFinite(update));
      const made = { update, least: update, most: update };
      for (const [r, { rule, knows }] of judgedRules.entries()) {
        const forecast = knows === "gradient" ? made : meant;
        if (changes(rule, before, forecast, (sum) => view.number(j, sum))) named[j] |= 1 << r;
      }
    }
    store();
    if (count === undefined) continue;
    for (let j = 0; j < length; j++) {
      if (finite[j] === 0 || !Number.isFinite(stored[j])) {
        count.nonfinite += 1;
        continue;
      }
      const changed = view.element(j, master[j]) !== elements[j];
      if (changed) count.changed += 1;
      for (let r = 0; r < judgedRules.length; r++) {
        if ((named[j] & (1 << r)) === 0) continue;
        count.predicted[r] += 1;
        if (changed) count.right[r] += 1;
      }
    }
  }
}

/**
 * The update of step t as predicted from the moments before it: -lr m^ / (sqrt(v^) + eps) if the gradient equals m^,
 * and from `least` to `most` for gradients within a multiple of their root mean square sqrt(v^). All include weight
 * decay.
 */
function forecaster(run: SimulatedRun, t: number): (m: number, v: number, weight: number) => Forecast {
  const { betas, eps = 1e-8, weightDecay = 0 } = run.optimizer;
  const [b1, b2] = betas!;
  const lr = learningRate(run, t);
  const [known1, known2] = [1 - b1 ** (t - 1), 1 - b2 ** (t - 1)];
  const next = 1 - b1 ** t;
  const reach = (reachDeviations * (1 - b1)) / next;
  return (m, v, weight) => {
    const deviation = Math.sqrt(v / known2);
    const update = (momentum: number) =>
      Math.fround(-lr * (momentum / (deviation + eps) + weightDecay * weight));
    const kept = (b1 * m) / next;
    return {
      update: update(m / known1),
      least: update(kept + reach * deviation),
      most: update(kept - reach * deviation),
    };
  };
}
