import { drawnWeights } from "../../lens/run/simulated.js";
import { Tally, UpdateTally } from "../../lens/tally.js";
import type { CaseSettings } from "../../update/optimizer.js";
import { stepKey, tensorKey } from "../../update/threefry.js";
import type { WeightDraws } from "../../update/weight-draws.js";
import type { WebGpuSettings } from "./admission.js";
import { takenBy } from "./admission.js";
import { Constants } from "./constants.js";
import { CountsLayout, histogramWords } from "./counts.js";
import type { GpuBuffer } from "./dawn.js";
import type { Bound, Device } from "./device.js";
import { type Kernels, kernelsOf, updatesWords } from "./kernels/kernels.js";
import {
  elementsOfGroup,
  endRowWords,
  fp32Words,
  type Parameters,
  parameterWords,
  planeWords,
  stateWords,
  stepRowWords,
} from "./layout.js";
import { addEnd, addHistogram, addRule, addStep, addTensor } from "./tallies.js";

/** A tensor whose weights the device draws. */
export interface ResidentTensor {
  readonly name: string;
  /** A multiple of 8. */
  readonly length: number;
  readonly draws: WeightDraws;
}

/** The counts of a case: of each step since the last read, and of the current comparison with the start. */
export interface ResidentCounts {
  readonly steps: readonly UpdateTally[];
  /** The probes and the histogram of these steps. */
  readonly since: Tally;
  /** The comparison with the start, the number of weights, and the probes of the end. */
  readonly end: Tally;
}

/** The maximum number of steps between two reads of the counts. */
export const mostSteps = 32;

/**
 * A tensor that stays on the device, with all cases, while steps arrive one by one: the caller's own kernel writes
 * the updates to {@link updates}, fp32 in the order of the elements.
 */
export class ResidentTensorRun {
  readonly device: Device;
  readonly length: number;
  readonly cases: readonly WebGpuSettings[];
  readonly updates: GpuBuffer;
  /** The fp32 run and the state of each case: layout.ts. */
  readonly fp32: GpuBuffer;
  readonly states: readonly GpuBuffer[];
  readonly counts: GpuBuffer;
  readonly #name: string;
  readonly #kernels: Kernels;
  readonly #layout: CountsLayout;
  readonly #groups: number;
  readonly #constants: GpuBuffer;
  readonly #parameters: GpuBuffer;
  readonly #bound: readonly object[];
  /** The offset of a step's keys in the constants, by the seed of cases with stochastic rounding. */
  readonly #keys = new Map<number, number>();
  #castChanged: readonly number[] = [];
  #steps = 0;

  private constructor(
    device: Device,
    { name, length, draws }: ResidentTensor,
    cases: readonly WebGpuSettings[],
  ) {
    this.device = device;
    this.length = length;
    this.cases = cases;
    this.#name = name;
    this.#groups = Math.ceil(length / elementsOfGroup);
    const sizes = { pieces: 1, steps: mostSteps, milestones: 0, stepWords: 2 ** 30 };
    this.#layout = new CountsLayout(cases, sizes);
    const updates = { kind: "uploaded" } as const;
    this.#kernels = kernelsOf({ weights: draws, updates }, cases, null);

    const input = { name, shape: [length], weights: drawnWeights(length, draws), updates: [] };
    const batch = {
      pieces: [{ tensor: 0, input, start: 0, length, firstGroup: 0 }],
      groups: this.#groups,
    };
    const seeds = cases.flatMap(({ rounding, seed }) => (rounding === "stochastic" ? [seed] : []));
    const constants = new Constants(batch, { weights: draws, updates }, [0], seeds);
    for (const seed of seeds) this.#keys.set(seed, constants.ofStep(0, seed).bits);

    const words = constants.words();
    this.#constants = device.buffer(words.length);
    device.write(this.#constants, words);
    this.#parameters = device.parameters(this.#slots(constants));
    this.updates = device.buffer(this.#groups * updatesWords(cases));
    this.fp32 = device.buffer(this.#groups * fp32Words);
    this.states = cases.map((settings) => device.buffer(this.#groups * stateWords(settings)));
    this.counts = device.buffer(this.#layout.words);
    this.#bound = this.states.map((state) => device.bind(this.#binding(state)));
  }

  /**
   * Draws the weights and stores them in every case.
   *
   * @throws Error in one sentence if the device has no room or was lost; RangeError for cases that it does not
   *   support.
   */
  static async open(
    device: Device,
    tensor: ResidentTensor,
    cases: readonly CaseSettings[],
  ): Promise<ResidentTensorRun> {
    const taken = takenBy(cases, []);
    const shared = taken.find((settings) => settings.blocks !== undefined);
    // Tables of scales follow the steps of a batch, which has all of them.
    if (shared)
      throw new RangeError(
        `a tensor that stays on the device takes no shared scales, such as ${shared.blocks.name}`,
      );
    const needed = Math.max(updatesWords(taken), fp32Words, ...taken.map(stateWords));
    const most = Math.floor(device.mostWords / needed) * elementsOfGroup;
    if (tensor.length > most)
      throw new Error(
        `a buffer of this GPU holds ${most.toLocaleString("en")} of ${tensor.length.toLocaleString("en")} weights`,
      );
    return device.guard(async () => {
      const run = new ResidentTensorRun(device, tensor, taken);
      await run.#begin();
      return run;
    });
  }

  /** Applies {@link updates} to every case, as the step with this number. */
  step(stepNumber: number): void {
    if (this.#steps === mostSteps) throw new RangeError(`${mostSteps} steps were not looked at`);
    for (const [seed, at] of this.#keys) {
      const key = stepKey(tensorKey(seed, this.#name), stepNumber);
      this.device.write(this.#constants, Uint32Array.from(key), at);
    }
    const slots = this.#steps * this.cases.length;
    this.#launch("step", slots);
    this.#steps += 1;
  }

  /** Compares with the start, and returns the counts since the last read, by case. */
  async take(): Promise<ResidentCounts[]> {
    this.#launch("end", mostSteps * this.cases.length);
    const layout = this.#layout;
    const words = await this.device.read(this.counts, layout.words);
    this.device.clear(this.counts, 0, layout.words);
    const [steps, n] = [this.#steps, this.length];
    this.#steps = 0;
    return this.cases.map((settings, c) => {
      const [since, end] = [new Tally(), new Tally()];
      const rows = Array.from({ length: steps }, (_, s) => {
        const at = layout.step(c, s);
        return words.subarray(at, at + stepRowWords(settings));
      });
      const stepped = rows.map((row) => {
        const tally = new UpdateTally();
        addStep(row, n, settings, tally);
        addRule(row, n, since);
        return tally;
      });
      const bins = layout.histograms[c];
      addHistogram(words.subarray(bins, bins + histogramWords(settings)), settings, since);
      const row = words.subarray(layout.end(c, 0), layout.end(c, 0) + endRowWords);
      addEnd(row, n, settings, end.end);
      addTensor(row, n, end);
      end.castChanged += this.#castChanged[c];
      return { steps: stepped, since, end };
    });
  }

  destroy(): void {
    for (const buffer of [
      this.#constants,
      this.#parameters,
      this.updates,
      this.fp32,
      ...this.states,
      this.counts,
    ])
      buffer.destroy();
  }

  async #begin(): Promise<void> {
    const { begin, cases } = this.#kernels;
    await this.device.compile([
      begin,
      ...cases.flatMap((each) => [...each.begin, ...each.step, ...each.end]),
    ]);
    const ends = mostSteps * this.cases.length;
    this.device.launch([{ kernel: begin, bound: this.#bound[0], slot: ends, groups: this.#groups }]);
    this.#launch("begin", ends);
    const words = await this.device.read(this.counts, this.#layout.words);
    this.device.clear(this.counts, 0, this.#layout.words);
    this.#castChanged = this.cases.map((_, c) => {
      const tally = new Tally();
      addTensor(words.subarray(this.#layout.end(c, 0), this.#layout.end(c, 0) + endRowWords), 0, tally);
      return tally.castChanged;
    });
  }

  #launch(kernel: "begin" | "step" | "end", firstSlot: number): void {
    this.device.launch(
      this.cases.flatMap((_, c) =>
        this.#kernels.cases[c][kernel].map((text) => ({
          kernel: text,
          bound: this.#bound[c],
          slot: firstSlot + c,
          groups: this.#groups,
        })),
      ),
    );
  }

  /** The slots of the steps between two reads, case by case; then those of begin and end. */
  #slots(constants: Constants): Uint32Array[] {
    const { knots } = constants;
    const known = { groups: this.#groups, plane: this.#groups * planeWords, knots };
    const slot = (changes: Partial<Parameters>) => parameterWords({ ...known, ...changes });
    const steps = Array.from({ length: mostSteps }, (_, s) =>
      this.cases.map(({ seed }, c) =>
        slot({
          row: this.#layout.step(c, s),
          histogram: this.#layout.histograms[c],
          bits: this.#keys.get(seed) ?? 0,
        }),
      ),
    );
    const ends = this.cases.map((_, c) => slot({ row: this.#layout.end(c, 0) }));
    return [...steps.flat(), ...ends];
  }

  #binding(state: GpuBuffer): Bound {
    const { updates, fp32, counts } = this;
    return { parameters: this.#parameters, constants: this.#constants, updates, fp32, state, counts };
  }
}
