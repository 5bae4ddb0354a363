import type { ChunkLens } from "../../engine/chunk-lens.js";
import type { LensJob } from "../../engine/engine.js";
import { openLens } from "../../engine/select.js";
import type { Rounding } from "../../format/round.js";
import type { Values } from "../../lens/input.js";
import type { Case } from "../../lens/run/case.js";
import type { SelfCheck } from "../../lens/run/result.js";
import { summarizeCase } from "../../lens/run/summarize.js";
import { EndTally, Tally, UpdateTally } from "../../lens/tally.js";
import type { SchemeName } from "../../update/scheme.js";
import { type UpdateSettings, updateSettings } from "../../update/settings.js";
import { startWeights, Training, type TrainingSettings, tensorName } from "./training.js";

/** How weights are stored. */
export interface Storage {
  readonly format: string;
  readonly scheme: SchemeName;
  readonly rounding: Rounding;
}

export interface RunSettings extends TrainingSettings {
  readonly storages: readonly Storage[];
}

/** The engine in use, as reported by `doctor`. */
export interface EngineInUse {
  readonly name: string;
  readonly device: string;
  readonly selfCheck: SelfCheck;
}

/** The fp32 reference for every storage. */
const truth = updateSettings({ format: "fp32" });

/**
 * One matrix in training, step by step, with several storages and in fp32. All classes and counts come from the engine,
 * which receives the updates of one step at a time.
 */
export class LensRun {
  readonly engine: EngineInUse;
  /** The storages in order, then the fp32 truth. */
  readonly cases: readonly UpdateSettings[];
  /** The updates of the last step. */
  readonly updates: Float32Array;
  readonly #settings: RunSettings;
  readonly #lens: ChunkLens;
  readonly #training: Training;
  readonly #start: Float64Array;
  readonly #steps: UpdateTally[];
  /** All counts but the comparison with the start, which is repeated each time. */
  readonly #tallies: Tally[];

  private constructor(settings: RunSettings, cases: UpdateSettings[], engine: EngineInUse, lens: ChunkLens) {
    this.#settings = settings;
    this.cases = cases;
    this.engine = engine;
    this.#lens = lens;
    this.#training = new Training(settings);
    this.#start = startWeights(settings);
    this.updates = new Float32Array(this.#start.length);
    this.#steps = cases.map(() => new UpdateTally());
    this.#tallies = cases.map(() => new Tally());
  }

  static async open(settings: RunSettings): Promise<LensRun> {
    const cases = [
      ...settings.storages.map((storage) => updateSettings({ ...storage, seed: settings.seed })),
      truth,
    ];
    const { engine, selfCheck, lens } = await openLens(cases, settings.side ** 2);
    const run = new LensRun(settings, cases, { name: engine.name, device: engine.device, selfCheck }, lens);
    await lens.begin({ tensor: tensorName, start: 0, weights: run.#start });
    return run;
  }

  /** The number of steps taken. */
  get step(): number {
    return this.#training.t;
  }

  /** Runs the next step. */
  async advance(): Promise<void> {
    this.#training.step(this.updates);
    for (const c of this.cases.keys()) this.#steps[c] = new UpdateTally();
    await this.#lens.step(this.updates, this.step, this.#steps);
    for (const [c, { updates }] of this.#tallies.entries()) updates.merge(this.#steps[c]);
  }

  /** The stored weights of a case; valid until the next step. */
  weights(ofCase: number): Float32Array | Promise<Float32Array> {
    return this.#lens.weights(ofCase);
  }

  /** The counts of the last step and of the whole run, by case. */
  async counts(): Promise<{ readonly step: Case[]; readonly run: Case[] }> {
    const ends = this.cases.map(() => ({ end: new EndTally() }));
    await this.#lens.compare(ends);
    await this.#lens.take(this.#tallies);
    const run = this.cases.map((settings, c) => {
      const whole = new Tally();
      whole.merge(this.#tallies[c]);
      whole.end.merge(ends[c].end);
      return this.#summary(settings, whole);
    });
    const step = this.cases.map((settings, c) => {
      const tally = new Tally();
      tally.updates.merge(this.#steps[c]);
      return this.#summary(settings, tally);
    });
    return { step, run };
  }

  /** The run from its start to the current step, as a job for any engine. */
  job(): LensJob {
    const { side } = this.#settings;
    const { length } = this.#start;
    const walk = new TrainingWalk(this.#settings);
    const stepNumbers = Array.from({ length: this.step }, (_, i) => i + 1);
    const weights: Values = {
      length,
      read: async (start, into) => into.set(this.#start.subarray(start, start + into.length)),
    };
    const updates = stepNumbers.map((t): Values => {
      return {
        length,
        read: async (start, into) => into.set(walk.updates(t).subarray(start, start + into.length)),
      };
    });
    return {
      tensors: [{ name: tensorName, shape: [side, side], weights, updates }],
      stepNumbers,
      cases: this.cases,
      // A single chunk, because the walk starts from the beginning for each.
      chunk: length,
    };
  }

  #summary(settings: UpdateSettings, tally: Tally): Case {
    const { side } = this.#settings;
    return summarizeCase({
      settings,
      tensors: [{ name: tensorName, shape: [side, side], tally }],
      steps: [],
      curve: [],
    });
  }
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
