import type { ChunkLens } from "../../engine/chunk-lens.js";
import { openLens } from "../../engine/select.js";
import { drawnWeights } from "../../lens/run/simulated.js";
import { EndTally, ProbeTally, Tally, UpdateTally } from "../../lens/tally.js";
import type { UpdateSettings } from "../../update/settings.js";
import { type PictureInks, paintChanges, type Span } from "./paint.js";
import {
  casesOf,
  countsOf,
  type EngineInUse,
  type MatrixRun,
  type RunCounts,
  type RunSettings,
} from "./run.js";
import { startDraws, Training, tensorName } from "./training.js";

/** A matrix on the CPU, up to {@link pictureSide} weights a side; its engine gets the updates step by step. */
export class CpuRun implements MatrixRun {
  readonly engine: EngineInUse;
  readonly cases: readonly UpdateSettings[];
  readonly #settings: RunSettings;
  readonly #lens: ChunkLens;
  readonly #training: Training;
  readonly #updates: Float32Array;
  #steps: UpdateTally[];
  /** All counts but the comparison with the start, which is repeated each time. */
  readonly #tallies: Tally[];
  /** Stored weights at the start and before the last step, by case. */
  #start: readonly Float32Array[] = [];
  #before: readonly Float32Array[] = [];

  private constructor(settings: RunSettings, engine: EngineInUse, lens: ChunkLens) {
    this.#settings = settings;
    this.cases = casesOf(settings);
    this.engine = engine;
    this.#lens = lens;
    this.#training = new Training(settings);
    this.#updates = new Float32Array(settings.side ** 2);
    this.#steps = this.cases.map(() => new UpdateTally());
    this.#tallies = this.cases.map(() => new Tally());
  }

  static async open(settings: RunSettings): Promise<CpuRun> {
    const length = settings.side ** 2;
    const { engine, selfCheck, lens } = await openLens(casesOf(settings), length);
    const run = new CpuRun(settings, { name: engine.name, device: engine.device, selfCheck }, lens);
    const weights = new Float64Array(length);
    await drawnWeights(length, startDraws(settings)).read(0, weights);
    await lens.begin({ tensor: tensorName, start: 0, weights });
    const start: Float32Array[] = [];
    for (const c of run.cases.keys()) start.push((await lens.weights(c)).slice());
    run.#start = start;
    run.#before = start.map((stored) => stored.slice());
    return run;
  }

  get step(): number {
    return this.#training.t;
  }

  async advance(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) {
      if (i === steps - 1)
        for (const [c, before] of this.#before.entries()) before.set(await this.#lens.weights(c));
      this.#training.step(this.#updates);
      this.#steps = this.cases.map(() => new UpdateTally());
      await this.#lens.step(this.#updates, this.step, this.#steps);
      for (const [c, { updates }] of this.#tallies.entries()) updates.merge(this.#steps[c]);
    }
  }

  async counts(): Promise<RunCounts> {
    const ends = this.cases.map(() => ({ end: new EndTally(), probes: new ProbeTally() }));
    await this.#lens.compare(ends);
    await this.#lens.take(this.#tallies);
    const run = this.#tallies.map((tally, c) => {
      const whole = new Tally();
      whole.merge(tally);
      whole.end.merge(ends[c].end);
      whole.probes.merge(ends[c].probes);
      return whole;
    });
    return countsOf(this.#settings, this.#steps, run);
  }

  async paint(ofCase: number, span: Span, full: number, inks: PictureInks, into: Uint32Array): Promise<void> {
    const before = span === "start" ? this.#start[ofCase] : this.#before[ofCase];
    paintChanges(before, await this.#lens.weights(ofCase), full, inks, into);
  }

  close(): void {}
}
