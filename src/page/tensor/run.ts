import type { LensJob } from "../../engine/engine.js";
import type { Rounding } from "../../format/round.js";
import type { Values } from "../../lens/input.js";
import type { Case } from "../../lens/run/case.js";
import type { SelfCheck } from "../../lens/run/result.js";
import { drawnWeights } from "../../lens/run/simulated.js";
import { summarizeCase } from "../../lens/run/summarize.js";
import { Tally, type UpdateTally } from "../../lens/tally.js";
import type { SchemeName } from "../../update/scheme.js";
import { type UpdateSettings, updateSettings } from "../../update/settings.js";
import type { PictureInks, Span } from "./paint.js";
import { startDraws, Training, type TrainingSettings, tensorName } from "./training.js";

/** How weights are stored. */
export interface Storage {
  readonly format: string;
  readonly scheme: SchemeName;
  readonly rounding: Rounding;
}

export interface RunSettings extends TrainingSettings {
  readonly storages: readonly Storage[];
}

/** The engine that counts, as `doctor` reports it. */
export interface EngineInUse {
  readonly name: string;
  readonly device: string;
  readonly selfCheck: SelfCheck;
}

/** The counts of the last step, and of the whole run compared with its start, by case. */
export interface RunCounts {
  readonly step: Case[];
  readonly run: Case[];
}

/**
 * A square matrix in training, step by step, with several storages and in fp32. All classes and counts come from an
 * engine.
 */
export interface MatrixRun {
  readonly engine: EngineInUse;
  /** The storages in order, then fp32. */
  readonly cases: readonly UpdateSettings[];
  /** The number of steps taken. */
  readonly step: number;
  advance(steps: number): Promise<void>;
  counts(): Promise<RunCounts>;
  /**
   * Paints the changes of a case since the start, or in the last step: RGBA, a square of pixels, each of one weight or
   * with the mean colour of a square of weights.
   *
   * @param full the change with full colour.
   */
  paint(ofCase: number, span: Span, full: number, inks: PictureInks, into: Uint32Array): Promise<void>;
  close(): void;
}

/** All storages, and the same updates in fp32. */
export function casesOf({ storages, seed }: RunSettings): UpdateSettings[] {
  return [
    ...storages.map((storage) => updateSettings({ ...storage, seed })),
    updateSettings({ format: "fp32" }),
  ];
}

/** The results of all cases, from their updates in the last step and their tallies of the run. */
export function countsOf(
  settings: RunSettings,
  lastStep: readonly UpdateTally[],
  run: readonly Tally[],
): RunCounts {
  const shape = [settings.side, settings.side];
  const cases = casesOf(settings);
  const resultOf = (tally: Tally, c: number) =>
    summarizeCase({
      settings: cases[c],
      tensors: [{ name: tensorName, shape, tally }],
      steps: [],
      curve: [],
    });
  const ofStep = lastStep.map((updates, c) => {
    const tally = new Tally();
    tally.updates.merge(updates);
    return resultOf(tally, c);
  });
  return { step: ofStep, run: run.map(resultOf) };
}

/** A run from its start up to a step, as a job for any engine. */
export function jobOf(settings: RunSettings, step: number): LensJob {
  const length = settings.side ** 2;
  const walk = new TrainingWalk(settings);
  const stepNumbers = Array.from({ length: step }, (_, i) => i + 1);
  const updates = stepNumbers.map((t): Values => {
    return {
      length,
      read: async (start, into) => into.set(walk.updates(t).subarray(start, start + into.length)),
    };
  });
  const shape = [settings.side, settings.side];
  return {
    tensors: [{ name: tensorName, shape, weights: drawnWeights(length, startDraws(settings)), updates }],
    stepNumbers,
    cases: casesOf(settings),
    // A single chunk, because the walk starts from the beginning for each.
    chunk: length,
  };
}

/** The updates of any step: cheap in order, otherwise recomputed from the start. */
class TrainingWalk {
  readonly #settings: TrainingSettings;
  #training: Training;
  readonly #updates: Float32Array;

  constructor(settings: TrainingSettings) {
    this.#settings = settings;
    this.#training = new Training(settings);
    this.#updates = new Float32Array(settings.side ** 2);
  }

  updates(t: number): Float32Array {
    if (this.#training.t > t) this.#training = new Training(this.#settings);
    while (this.#training.t < t) this.#training.step(this.#updates);
    return this.#updates;
  }
}
