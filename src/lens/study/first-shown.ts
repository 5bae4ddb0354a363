import type { UpdateSettings } from "../../update/settings.js";
import { learningRate, type SimulatedRun } from "../../update/simulated-adamw.js";
import { longestMomentum, steadyStateUpdates } from "../../update/steady-state.js";
import type { SyntheticInput } from "../run/synthetic-result.js";

/** After how many steps weights of one binade first show in one case; measured on a sample, and by a formula. */
export interface FirstShownBinade {
  /** Stored weights from 2^exponent to below 2^(exponent + 1), of either sign. */
  readonly exponent: number;
  readonly weights: number;
  /** Of these, how many showed within the run. */
  readonly shown: number;
  /** The step by which half of them had; null if fewer did. */
  readonly medianStep: number | null;
  /** {@link FirstShownFormula}; null where there is none. */
  readonly formula: number | null;
}

export interface FirstShown {
  /** Index of the case in the result. */
  readonly case: number;
  readonly binades: readonly FirstShownBinade[];
}

/** Median of the time at which a walk of variance 1 a step first leaves (-1, 1), in units of the mean, which is 1. */
const medianExit = 0.757;
/** How far beyond its edge a walk in normal steps of 1 lands on average (Siegmund, Sequential Analysis, 1985). */
const overshoot = 0.583;

/**
 * The step by which half the weights of a binade should show, predicted from the settings of a simulated run.
 */
export class FirstShownFormula {
  readonly #run: SimulatedRun;
  /** Whether updates are settled from the first step on, each by itself. */
  readonly #settled: boolean;
  /** The mean update from noise alone and from signal alone. */
  readonly #noise: number;
  readonly #drift: number;
  #known: Float32Array | null = null;

  constructor(run: SimulatedRun, source: SyntheticInput["source"] = "adamw") {
    this.#run = run;
    this.#settled = source === "steady-state";
    this.#noise = run.optimizer.lr / Math.sqrt(1 + run.snr ** 2);
    this.#drift = this.#noise * run.snr;
  }

  /** Updates of noise when the moments have settled, ascending. Made when first asked for: it takes a third of a second. */
  get #updates(): Float32Array {
    this.#known ??= steadyStateUpdates(this.#noise, this.#run.optimizer.betas!, this.#run.noise);
    return this.#known;
  }

  /**
   * The median step for a gap of the storage format. A carrier keeps every update, and the sum of Adam's
   * updates walks as if each were lr: it leaves half a gap when about (h / lr)^2 steps are gone, sooner by a
   * drift, later by the inertia of momentum; independent draws walk in proportion to their size. In-place,
   * each update has to reach half a gap by itself, and Adam's first one is lr; under stochastic rounding it
   * shows with the chance
   * |u| / gap. null for schedules, for other roundings and, in-place, for a momentum too long for
   * {@link steadyStateUpdates}.
   */
  medianStep(gap: number, { scheme, rounding }: UpdateSettings): number | null {
    if (this.#run.schedule !== "constant") return null;
    if (scheme !== "in-place") return rounding === "nearest-even" ? this.#walk(gap / 2) : null;
    if (this.#run.optimizer.betas![0] > longestMomentum) return null;
    if (rounding === "nearest-even") {
      if (!this.#settled && gap / 2 < learningRate(this.#run, 1)) return 1;
      return fromChance(this.#chance((u) => (u >= gap / 2 ? 1 : 0)));
    }
    if (rounding === "stochastic") return fromChance(this.#chance((u) => Math.min(1, u / gap)));
    return null;
  }

  #walk(half: number): number {
    return this.#settled ? this.#independentWalk(half) : this.#adamWalk(half);
  }

  #independentWalk(half: number): number {
    const variance = this.#updates.reduce((sum, u) => sum + u * u, 0) / this.#updates.length;
    const edge = half + overshoot * Math.sqrt(variance);
    // Too near for a walk, one update may do.
    const atOnce = fromChance(this.#chance((u) => (u >= half ? 1 : 0)));
    const steps = Math.max(1, (medianExit * edge ** 2) / variance);
    return Math.min(steps, atOnce ?? Number.POSITIVE_INFINITY);
  }

  #adamWalk(half: number): number {
    const { lr, betas } = this.#run.optimizer;
    const [b1] = betas!;
    const variance = lr ** 2 / (1 + this.#run.snr ** 2);
    const steps = (h: number) => {
      if (this.#drift === 0) return Math.max(1, (medianExit * h ** 2) / variance);
      // The time at which drift and walk together reach it: (d t)^2 + s^2 t = h^2.
      const t =
        (Math.sqrt(variance ** 2 + 4 * this.#drift ** 2 * h ** 2) - variance) / (2 * this.#drift ** 2);
      return Math.max(1, t);
    };
    // Momentum makes the walk smoother: once it is longer than momentum lasts, it turns back less often at the edge,
    // as if that were farther away by what one momentum covers.
    const plain = steps(half);
    return plain * (1 - b1) < 2 ? plain : steps(half + lr / Math.sqrt(1 - b1 ** 2));
  }

  #chance(ofMagnitude: (u: number) => number): number {
    let sum = 0;
    for (const u of this.#updates) sum += ofMagnitude(Math.abs(u + this.#drift));
    return sum / this.#updates.length;
  }
}

/** The step by which half have shown, if each step shows with a chance. */
function fromChance(chance: number): number | null {
  if (chance === 0) return null;
  return chance >= 0.5 ? 1 : Math.log(0.5) / Math.log(1 - chance);
}
