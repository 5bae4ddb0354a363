import type { LensJob } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select.js";
import { format } from "../../src/format/registry.js";
import type { Case } from "../../src/lens/run/case.js";
import { drawnWeights } from "../../src/lens/run/simulated.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { type ModelShape, models } from "../../src/source/synthetic/models.js";
import { type GivenTensor, syntheticRun } from "../../src/source/synthetic/synthetic-run.js";
import { gaussian } from "../../src/update/distribution.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";
import type { Schedule } from "../../src/update/simulated-adamw.js";
import { weightKey } from "../../src/update/weight-draws.js";

/** A number with the standard error of its sample. */
export interface Measured {
  readonly value: number;
  readonly standardError: number;
}

export interface Simulation {
  /** A model by name, of which a stratified sample is taken; or the sigma of one Gaussian tensor. */
  readonly of: string | number;
  readonly elements: number;
  /** Of a model's matrices, instead of its own. */
  readonly sigma?: number;
  /** What the weights are stored in before the run; default bf16, as checkpoints are. */
  readonly weightFormat?: string;
  readonly steps: number;
  readonly lr: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly schedule?: Schedule;
  readonly snr?: number;
  readonly cases: readonly UpdateOptions[];
  /** Steps after which the run is compared with its start, counted from 1. */
  readonly milestones?: readonly number[];
}

/** The parts of a Gaussian tensor, whose scatter estimates errors that have no formula. */
const replicates = 32;

/** The counts, with errors. */
export class Simulated {
  constructor(
    readonly cases: readonly Case[],
    readonly elements: number,
  ) {}

  /** Weights unchanged at the end, or after a milestone, as a share. */
  unchanged(c: number, step?: number): Measured {
    const { curve, end } = this.cases[c];
    const at = step === undefined ? end : curve.find((point) => point.step === step)!;
    return this.#share(at.unchanged / this.elements);
  }

  /** Weights whose stored bits change in a step, the mean of steps from..to. Bounded by the error of one step. */
  changedPerStep(c: number, from: number, to: number): Measured {
    const steps = this.cases[c].steps.slice(from - 1, to);
    const moved = steps.reduce((sum, step) => sum + step.moved, 0);
    return this.#share(moved / steps.length / this.elements);
  }

  /** Effective descent over the run; its error is that of the mean of the parts. */
  effectiveDescent(c: number): Measured {
    const { tensors, end } = this.cases[c];
    const parts = tensors.map((tensor) => tensor.end.visible ?? 0);
    const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
    const variance = parts.reduce((sum, part) => sum + (part - mean) ** 2, 0) / (parts.length - 1);
    return { value: end.visible ?? 0, standardError: Math.sqrt(variance / parts.length) };
  }

  /** The share unchanged at the end by the tolerance of small-subnetworks. */
  withinTolerance(c: number): Measured {
    return this.#share(this.cases[c].probes["small-subnetworks"].unchanged / this.elements);
  }

  #share(value: number): Measured {
    return { value, standardError: Math.sqrt((value * (1 - value)) / this.elements) };
  }
}

/** Runs a simulation on the fastest engine. Seeded: the numbers are the same every time, on every machine. */
export async function simulated(simulation: Simulation): Promise<Simulated> {
  const {
    of: subject,
    elements,
    weightFormat = "bf16",
    steps,
    lr,
    betas = [0.9, 0.999],
    eps = 1e-8,
    weightDecay = 0,
  } = simulation;
  const model: ModelShape | null = typeof subject === "string" ? models.get(subject)! : null;
  const given = typeof subject === "number" ? gaussianTensors(subject, elements, weightFormat) : null;
  const { tensors, stepNumbers } = syntheticRun(
    {
      preset: null,
      model,
      elements,
      sigma: simulation.sigma ?? null,
      weightFormat,
      queryKeyShape: null,
      run: {
        optimizer: { lr, betas, eps, weightDecay },
        schedule: simulation.schedule ?? "constant",
        warmup: 0,
        steps,
        noise: gaussian,
        snr: simulation.snr ?? 0,
        seed: 0,
      },
      source: "adamw",
      // A gradient of 1e-4 for every weight, so that epsilon has no effect.
      gradientNorm: 1e-4 * Math.sqrt(model ? 1e10 : elements),
      clip: null,
      scaleSpread: 0,
    },
    given,
  );
  const milestones = simulation.milestones?.map((step) => step - 1);
  const job: LensJob = {
    tensors,
    stepNumbers,
    cases: simulation.cases.map(updateSettings),
    ...(milestones && { milestones }),
  };
  const { engine } = await selectEngine("auto", job);
  const cases = (await engine.run(job)).map(summarizeCase);
  return new Simulated(cases, cases[0].totals.elements);
}

function gaussianTensors(sigma: number, elements: number, weightFormat: string): GivenTensor[] {
  return Array.from({ length: replicates }, (_, i) => {
    const name = `part.${i}`;
    const size = elements / replicates;
    const draws = {
      distribution: gaussian,
      mean: 0,
      sigma,
      format: format(weightFormat),
      key: weightKey(0, name),
    };
    return { name, size, shape: [size], weights: drawnWeights(size, draws) };
  });
}
