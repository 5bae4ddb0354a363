import { format } from "../../format/registry.js";
import { drawnValues, type TensorInput, type Values } from "../../lens/input.js";
import { moduleOf } from "../../lens/module.js";
import { drawnWeights, simulatedGradients, simulatedUpdates } from "../../lens/run/simulated.js";
import type { SyntheticInput } from "../../lens/run/synthetic-result.js";
import { type Distribution, drawFrom, gaussian, weibull } from "../../update/distribution.js";
import { exp } from "../../update/elementary.js";
import { noiseKey, type SimulatedRun, type SimulatedTensor } from "../../update/simulated-adamw.js";
import { steadyStateUpdates } from "../../update/steady-state.js";
import { randomBits, tensorKey } from "../../update/threefry.js";
import { weightKey } from "../../update/weight-draws.js";
import { elementsOf, type ModelShape, modelTensors } from "./models.js";
import { stratify } from "./sample.js";

export interface SyntheticSettings {
  readonly preset: string | null;
  /** null: one tensor of `elements` weights. */
  readonly model: ModelShape | null;
  /** The number of the model's weights to sample, stratified over its tensors; null: all. */
  readonly elements: number | null;
  /** The shape of the one tensor with `elements` weights; absent: one row. */
  readonly shape?: readonly number[];
  /** The root mean square of matrices; null: the model's. */
  readonly sigma: number | null;
  /** The storage format of the weights before the run. */
  readonly weightFormat: string;
  /** The shape parameter of the Weibull distribution of query and key matrices; null: Gaussian like all others. */
  readonly queryKeyShape: number | null;
  readonly run: SimulatedRun;
  readonly source: SyntheticInput["source"];
  /** The gradient norm of the whole model before clipping. */
  readonly gradientNorm: number;
  /** The maximum gradient norm after clipping; null: no clipping. */
  readonly clip: number | null;
  /** The standard deviation of the logarithm of a tensor's gradient scale. */
  readonly scaleSpread: number;
}

/** A synthetic run: like a recorded one, but without files. */
export interface SyntheticRun {
  readonly tensors: readonly TensorInput[];
  readonly stepNumbers: readonly number[];
  /** The elements of each tensor in the whole model; the tensors above may be samples. */
  readonly sizes: readonly number[];
  readonly description: SyntheticInput;
}

/** A tensor with given weights, such as those of a checkpoint. */
export interface GivenTensor {
  readonly name: string;
  /** The number of elements in the checkpoint. */
  readonly size: number;
  /** The shape of the tensor or of its sample. */
  readonly shape: readonly number[];
  readonly weights: Values;
}

/** Sigma if neither model nor user states one: from the median |w| of 0.019 in PULSE (arXiv 2602.03839). */
export const defaultSigma = 0.028;
/** Gains of a normalization are distributed about 1. */
const gainSigma = 0.1;

/** @throws RangeError for fewer elements than tensors. */
export function syntheticRun(
  settings: SyntheticSettings,
  given: readonly GivenTensor[] | null = null,
): SyntheticRun {
  const { run, source } = settings;
  const scale = gradientScale(settings, given ?? drawnTensors(settings));
  const table =
    source === "steady-state" ? steadyStateUpdates(run.optimizer.lr, run.optimizer.betas!, run.noise) : null;
  const all = given ?? drawnTensors(settings);
  const stepNumbers = Array.from({ length: run.steps }, (_, i) => i + 1);
  const tensors = all.map(({ name, shape, weights }): TensorInput => {
    const tensor: SimulatedTensor = { run, name, gradientScale: scale(name) };
    const updates =
      table !== null
        ? stepNumbers.map((t) => drawnValues(weights.length, { table, key: noiseKey(tensor, t) }))
        : source === "adamw"
          ? simulatedUpdates(tensor, weights)
          : simulatedGradients(tensor, weights.length);
    return { name, shape, weights, updates };
  });
  return {
    tensors,
    stepNumbers,
    sizes: all.map(({ size }) => size),
    description: describe(settings, all, given !== null),
  };
}

/** The tensors of a model, or a single one, with drawn weights. */
function drawnTensors(settings: SyntheticSettings): GivenTensor[] {
  const { model, elements, run, weightFormat, shape: given } = settings;
  const whole = model
    ? modelTensors(model)
    : [{ name: "weights", shape: given ?? [elements ?? 1], isGain: false }];
  const sizes = whole.map(({ shape }) => elementsOf(shape));
  const lengths = model && elements !== null ? stratify(sizes, elements) : sizes;
  const sigma = sigmaOf(settings);
  const queryKey = queryKeyDistribution(settings);
  return whole.map(({ name, shape, isGain }, i) => {
    const { kind } = moduleOf(name);
    const draws = {
      distribution: kind === "q" || kind === "k" ? queryKey : gaussian,
      mean: isGain ? 1 : 0,
      sigma: isGain ? gainSigma : sigma,
      format: format(weightFormat),
      key: weightKey(run.seed, name),
    };
    const length = lengths[i];
    return {
      name,
      size: sizes[i],
      shape: length === sizes[i] ? shape : [length],
      weights: drawnWeights(length, draws),
    };
  });
}

function sigmaOf({ sigma, model }: SyntheticSettings): number {
  return sigma ?? model?.sigma ?? defaultSigma;
}

function queryKeyDistribution({ queryKeyShape }: SyntheticSettings): Distribution {
  return queryKeyShape === null ? gaussian : weibull(queryKeyShape);
}

/** The noise of a tensor's gradients, such that the whole model has the requested gradient norm after clipping. */
function gradientScale(
  { run, scaleSpread, ...settings }: SyntheticSettings,
  tensors: readonly GivenTensor[],
): (name: string) => number {
  // A normally distributed number for each tensor, from random bits that no step uses.
  const factor = (name: string) =>
    exp(scaleSpread * drawFrom(gaussian, randomBits(tensorKey(run.seed, name), 0, 1)));
  const square = tensors.reduce((sum, { name, size }) => sum + size * factor(name) * factor(name), 0);
  const unit = normAfterClipping(settings) / Math.sqrt(square * (1 + run.snr * run.snr));
  return (name) => unit * factor(name);
}

function normAfterClipping({ gradientNorm, clip }: Pick<SyntheticSettings, "gradientNorm" | "clip">): number {
  return clip === null ? gradientNorm : Math.min(gradientNorm, clip);
}

function describe(
  settings: SyntheticSettings,
  tensors: readonly GivenTensor[],
  given: boolean,
): SyntheticInput {
  const { preset, model, run, source, scaleSpread, weightFormat } = settings;
  const { lr, betas, eps = 1e-8, weightDecay = 0 } = run.optimizer;
  return {
    preset,
    model: model?.name ?? null,
    parameters: tensors.reduce((sum, { size }) => sum + size, 0),
    ...(settings.shape && { shape: settings.shape }),
    source,
    weights: given
      ? null
      : {
          distribution: gaussian.name,
          queryKeyDistribution: queryKeyDistribution(settings).name,
          sigma: sigmaOf(settings),
          format: weightFormat,
        },
    gradients: { noise: run.noise.name, snr: run.snr, norm: normAfterClipping(settings), scaleSpread },
    optimizer: { lr, betas: betas!, eps, weightDecay, schedule: run.schedule, warmup: run.warmup },
    seed: run.seed,
  };
}
