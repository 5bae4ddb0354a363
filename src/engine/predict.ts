import type { Format } from "../format/format.js";
import { roundSum } from "../format/round.js";
import type { TensorInput } from "../lens/input.js";
import { changes, judgedRules, reachOf, type StepPrediction } from "../lens/prediction.js";
import { AdamwStep, learningRate, type SimulatedRun } from "../update/simulated-adamw.js";
import type { LensJob, Observer } from "./engine.js";

/** Weights at once. */
const chunkLength = 2 ** 16;

interface StepCount {
  readonly step: number;
  changed: number;
  readonly predicted: number[];
  readonly right: number[];
}

/**
 * Takes gradients through AdamW with an fp32 master, and before each step from the second on asks every rule which
 * stored weights it will change. One scalar text, on the thread that calls.
 *
 * @param tensors whose updates are gradients, one for each step of the run.
 */
export async function predict(
  { tensors, stepNumbers }: Pick<LensJob, "tensors" | "stepNumbers">,
  run: SimulatedRun,
  format: Format,
  { progress }: Pick<Observer, "progress"> = {},
): Promise<StepPrediction[]> {
  const counts = stepNumbers.slice(1).map((step): StepCount => {
    const none = () => judgedRules.map(() => 0);
    return { step, changed: 0, predicted: none(), right: none() };
  });
  const total = tensors.reduce((sum, { weights }) => sum + weights.length, 0) * stepNumbers.length;
  let done = 0;
  for (const tensor of tensors) {
    for (let start = 0; start < tensor.weights.length; start += chunkLength) {
      const length = Math.min(chunkLength, tensor.weights.length - start);
      await predictChunk(tensor, start, length, run, format, counts);
      done += length * stepNumbers.length;
      progress?.(done, total);
      // Others get their turn: a bar is drawn, an interrupt is heard.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return counts;
}

async function predictChunk(
  { weights, updates }: TensorInput,
  start: number,
  length: number,
  run: SimulatedRun,
  format: Format,
  counts: readonly StepCount[],
): Promise<void> {
  const master = new Float32Array(length);
  await weights.read(start, master);
  const [m, v] = [new Float32Array(length), new Float32Array(length)];
  const gradients = new Float32Array(length);
  const step = new AdamwStep(run);
  const [b1] = run.optimizer.betas!;
  for (const [i, values] of updates.entries()) {
    await values.read(start, gradients);
    const t = i + 1;
    const forecast = i === 0 ? null : forecastOf(run, t - 1);
    step.begin(t);
    const count = counts[i - 1];
    const reach = reachOf(learningRate(run, t), b1);
    for (let j = 0; j < length; j++) {
      const before = { stored: nearest(master[j], format), master: master[j] };
      const meant = forecast?.(m[j], v[j]) ?? 0;
      const update = step.apply(j, gradients[j], before.master, m, v);
      master[j] += update;
      if (count === undefined) continue;
      const changed = nearest(master[j], format) !== before.stored;
      if (changed) count.changed += 1;
      for (const [r, { rule, knows }] of judgedRules.entries()) {
        if (!changes(rule, before, knows === "gradient" ? update : meant, format, reach)) continue;
        count.predicted[r] += 1;
        if (changed) count.right[r] += 1;
      }
    }
  }
}

/** What the moments after step t say of the next update: -lr m^ / (sqrt(v^) + eps), corrected for their start. */
function forecastOf(run: SimulatedRun, t: number): (m: number, v: number) => number {
  const { betas, eps = 1e-8 } = run.optimizer;
  const [b1, b2] = betas!;
  const lr = learningRate(run, t + 1);
  const [c1, c2] = [1 - b1 ** t, 1 - b2 ** t];
  return (m, v) => Math.fround((-lr * (m / c1)) / (Math.sqrt(v / c2) + eps));
}

function nearest(x: number, format: Format): number {
  return roundSum(x, 0, format, "nearest-even", "ieee", 0);
}
