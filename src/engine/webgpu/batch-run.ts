import { startState } from "../../update/apply.js";
import { countCastChanged } from "../end.js";
import type { JobTallies } from "../job-tallies.js";
import type { RecipePlan } from "../recipe-plan.js";
import type { WebGpuJob, WebGpuSettings } from "./admission.js";
import { type Batch, firstElement, type Piece } from "./batch.js";
import { type StepRows, tallyBatch } from "./batch-tallies.js";
import { Constants } from "./constants.js";
import { CountsLayout } from "./counts.js";
import type { GpuBuffer } from "./dawn.js";
import type { Device, Launch } from "./device.js";
import { loadStateKernel } from "./kernels/begin.js";
import { type CaseKernels, type Kernels, updatesWords } from "./kernels/kernels.js";
import { fp32Words, momentWords, stateWords } from "./layout.js";
import { momentLoads } from "./moments.js";
import { ScaleTables } from "./scale-tables.js";
import { type CaseScales, type Slots, slotsOf } from "./slots.js";
import type { SourceGroup } from "./sources.js";
import type { SplitMagnitudes } from "./split-magnitudes.js";
import { comparedWith, type Upload, uploadLength, uploadTo } from "./upload.js";

/** The maximum number of submitted steps that are not done. */
const inFlight = 3;

/** Runs one batch on a device, where weights, carriers, the fp32 run and flags stay resident. */
export class BatchRun {
  readonly #device: Device;
  readonly #cases: readonly WebGpuSettings[];
  readonly #recipes: RecipePlan | null;
  readonly #job: WebGpuJob;
  readonly #group: SourceGroup;
  readonly #batch: Batch;
  readonly #kernels: Kernels;
  readonly #constants: Constants;
  readonly #counts: CountsLayout;
  /** Per case; null without shared scales. */
  readonly #scales: readonly (CaseScales | null)[];
  readonly #slots: Slots;
  /** The bindings of each case, then those of the moments. */
  #bound: object[] = [];
  #buffers: GpuBuffer[] = [];
  #states: readonly GpuBuffer[] = [];
  #updates!: GpuBuffer;
  #upload!: Upload;
  #countsBuffer!: GpuBuffer;

  constructor(
    device: Device,
    job: WebGpuJob,
    recipes: RecipePlan | null,
    group: SourceGroup,
    kernels: Kernels,
    batch: Batch,
    stepWords: number,
  ) {
    this.#device = device;
    this.#job = job;
    const { cases } = job;
    this.#cases = cases;
    this.#recipes = recipes;
    this.#group = group;
    this.#kernels = kernels;
    this.#batch = batch;
    const seeds = cases.flatMap(({ rounding, seed }) => (rounding === "stochastic" ? [seed] : []));
    this.#constants = new Constants(batch, group, job.stepNumbers, seeds, recipes);
    this.#scales = cases.map((settings) => {
      if (!settings.blocks) return null;
      const tables = new ScaleTables(settings, batch);
      return { tables, pieceScales: this.#constants.add(tables.constants) };
    });
    const { milestones = [], stepNumbers } = job;
    this.#counts = new CountsLayout(cases, {
      pieces: batch.pieces.length,
      steps: stepNumbers.length,
      milestones: milestones.length,
      stepWords,
    });
    this.#slots = slotsOf(job, batch, this.#constants, this.#counts, this.#scales);
  }

  /**
   * @param tallies changed only at the end, so that a failed batch leaves them as they were.
   * @param split the magnitudes, over all batches, of blocks and tensors of which this one has a part: see {@link measure}.
   * @param stepped called after each submitted step, at most {@link inFlight} steps ahead of the device.
   */
  async run(
    tallies: readonly JobTallies[],
    split: SplitMagnitudes,
    stepped: () => void,
    weights?: (ofCase: number, piece: Piece, offset: number, numbers: Float32Array) => void,
  ): Promise<void> {
    try {
      const { begin, steps, ends } = this.#slots;
      this.#open();
      const castChanged = await this.#begin(begin, split);
      await this.#beginMoments(begin[0]);
      const stepTallies = await this.#steps(steps, ends, split, stepped);
      const last = ends.map((slots) => slots[slots.length - 1]);
      this.#launchAll("end", last);
      const counts = await this.#device.read(this.#countsBuffer, this.#counts.steps);
      tallyBatch(this.#job, this.#batch, this.#counts, { counts, steps: stepTallies, castChanged }, tallies);
      if (weights) for (const [c, slot] of last.entries()) await this.#collect(c, slot, weights);
    } finally {
      for (const buffer of this.#buffers) buffer.destroy();
    }
  }

  /** Runs only the fp32 run, to find the magnitudes of blocks and tensors that are split between batches. */
  async measure(split: SplitMagnitudes): Promise<void> {
    try {
      const { begin, steps } = this.#slots;
      this.#open();
      await this.#uploadWeights();
      this.#launch([{ kernel: this.#kernels.begin, of: 0, slot: begin[0] }]);
      this.#launchAll("measureStart", begin);
      await this.#take(split, 0);
      for (const [step, slots] of steps.entries()) {
        await this.#nextUpdates(step, slots);
        this.#launchAll("measure", slots);
        this.#launch([{ kernel: this.#kernels.advance, of: 0, slot: slots[0] }]);
        await this.#take(split, step + 1);
      }
    } finally {
      for (const buffer of this.#buffers) buffer.destroy();
    }
  }

  /** Reads the magnitudes after `steps` steps, and resets them for the next. */
  async #take(split: SplitMagnitudes, steps: number): Promise<void> {
    for (const { c, settings, tables, at } of this.#shared()) {
      const state = this.#states[c];
      await split.take(c, settings, tables, steps, (word, words) =>
        this.#device.read(state, words, at + word),
      );
      this.#device.clear(state, at, tables.magnitudeWords);
    }
  }

  /** Replaces the magnitudes of this batch by those of all batches. */
  #complete(split: SplitMagnitudes, steps: number): void {
    for (const { c, settings, tables, at } of this.#shared()) {
      if (steps > 0 && settings.scales === "kept") continue;
      for (const { at: word, words } of split.of(c, settings, tables, steps))
        this.#device.write(this.#states[c], words, at + word);
    }
  }

  /** The cases with shared scales, and the word of their state at which the tables begin. */
  #shared() {
    return this.#cases.flatMap((settings, c) => {
      const scales = this.#scales[c];
      if (scales === null || !settings.blocks) return [];
      return [{ c, settings, tables: scales.tables, at: this.#batch.groups * stateWords(settings) }];
    });
  }

  #open(): void {
    const device = this.#device;
    const { groups } = this.#batch;
    const buffer = (words: number) => {
      const made = device.buffer(words);
      this.#buffers.push(made);
      return made;
    };
    const words = this.#constants.words();
    const constants = buffer(words.length);
    device.write(constants, words);
    const parameters = device.parameters(this.#slots.words);
    this.#buffers.push(parameters);
    this.#updates = buffer(groups * updatesWords(this.#cases));
    this.#upload = uploadTo(device, this.#batch, this.#updates);
    this.#countsBuffer = buffer(this.#counts.words);
    const fp32 = buffer(groups * fp32Words);
    const states = this.#cases.map((settings, c) =>
      buffer(groups * stateWords(settings) + (this.#scales[c]?.tables.words ?? 0)),
    );
    this.#states = states;
    if (this.#kernels.updates !== null) states.push(buffer(groups * momentWords));
    this.#bound = states.map((state) =>
      device.bind({
        parameters,
        constants,
        updates: this.#updates,
        fp32,
        state,
        counts: this.#countsBuffer,
      }),
    );
  }

  /**
   * Starts the fp32 run and all cases. Returns the number of weights altered by the cast, by case and piece, if
   * some weights are not fp32 numbers; else the device counts them and the result is null.
   */
  async #begin(
    slots: readonly number[],
    split: SplitMagnitudes,
  ): Promise<readonly (readonly number[])[] | null> {
    const { begin, cases } = this.#kernels;
    const onlyFloat64 = await this.#uploadWeights();
    this.#launch([{ kernel: begin, of: 0, slot: slots[0] }]);
    this.#launchAll("measureStart", slots);
    this.#complete(split, 0);
    if (!onlyFloat64) {
      this.#launchAll("begin", slots);
      return null;
    }
    const changed = cases.map(() => this.#batch.pieces.map(() => 0));
    await this.#device.compile(cases.flatMap(({ beginUploaded }) => beginUploaded));
    for (const [c, settings] of this.#cases.entries()) {
      await this.#upload(
        ({ input }) => input.weights,
        (length) => new Float64Array(length),
        (numbers, piece) => {
          // The device counts these.
          if (settings.blocks) return comparedWith(numbers);
          const stored = Float32Array.from(numbers, (x) => startState(x, settings).weight);
          changed[c][piece] += countCastChanged(numbers, stored, 0, stored.length);
          return stored;
        },
      );
      this.#launch(this.#ofCase(c, "beginUploaded", slots[c]));
    }
    return changed;
  }

  /** Uploads weights that are not drawn; whether fp64 alone holds some. */
  async #uploadWeights(): Promise<boolean> {
    let onlyFloat64 = false;
    if (this.#group.weights !== null) return false;
    await this.#upload(
      ({ input }) => input.weights,
      (length) => new Float64Array(length),
      (numbers) => {
        const rounded = Float32Array.from(numbers);
        onlyFloat64 ||= rounded.some((x, i) => x !== numbers[i] && !Number.isNaN(x));
        return rounded;
      },
    );
    return onlyFloat64;
  }

  /** Recorded moments: of the fp32 run as they are, of cases as their recipes keep them. Others are zero. */
  async #beginMoments(slot: number): Promise<void> {
    for (const { of: caseIndex, state, numbers } of momentLoads(this.#cases, this.#recipes, this.#batch)) {
      const kernel = loadStateKernel(state);
      await this.#device.compile([kernel]);
      await this.#upload(
        (piece) => numbers(piece).values,
        (length) => new Float32Array(length),
        (recorded, piece) => numbers(this.#batch.pieces[piece]).kept(recorded),
      );
      this.#launch([{ kernel, of: caseIndex ?? this.#bound.length - 1, slot }]);
    }
  }

  /** Runs all steps and milestones. Returns the counts of the steps. */
  async #steps(
    slots: readonly (readonly number[])[],
    ends: readonly (readonly number[])[],
    split: SplitMagnitudes,
    stepped: () => void,
  ): Promise<StepRows[]> {
    const { milestones = [] } = this.#job;
    const rows: StepRows[] = [];
    const pending: Promise<void>[] = [];
    for (const [step, ofStep] of slots.entries()) {
      await this.#nextUpdates(step, ofStep);
      const milestone = milestones.indexOf(step);
      // All before any step, of which the last advances the fp32 run.
      this.#launchAll("measure", ofStep);
      this.#complete(split, step + 1);
      this.#launchAll("step", ofStep);
      if (milestone >= 0)
        this.#launchAll(
          "end",
          ends.map((ofCase) => ofCase[milestone]),
        );
      pending.push(this.#device.done());
      if (pending.length > inFlight) await pending.shift();
      const { stepsAtOnce } = this.#counts;
      const counted = step % stepsAtOnce;
      if (counted === stepsAtOnce - 1 || step === slots.length - 1) {
        rows.push({ first: step - counted, rows: await this.#takeRows() });
      }
      stepped();
    }
    await Promise.all(pending);
    return rows;
  }

  async #nextUpdates(step: number, slots: readonly number[]): Promise<void> {
    if (this.#group.updates.kind === "uploaded") {
      await this.#upload(
        ({ input }) => input.updates[step],
        (length) => new Float32Array(length),
        (numbers) => numbers,
      );
    }
    const { updates } = this.#kernels;
    if (updates !== null) this.#launch([{ kernel: updates, of: this.#bound.length - 1, slot: slots[0] }]);
  }

  /** Reads the rows of steps, and empties them for the next. */
  async #takeRows(): Promise<Uint32Array> {
    const { steps, words } = this.#counts;
    const rows = await this.#device.read(this.#countsBuffer, words - steps, steps);
    this.#device.clear(this.#countsBuffer, steps, words - steps);
    return rows;
  }

  async #collect(
    c: number,
    slot: number,
    weights: (ofCase: number, piece: Piece, offset: number, numbers: Float32Array) => void,
  ): Promise<void> {
    await this.#device.compile(this.#kernels.cases[c].collect);
    this.#launch(this.#ofCase(c, "collect", slot));
    for (const piece of this.#batch.pieces) {
      for (let offset = 0; offset < piece.length; offset += uploadLength) {
        const length = Math.min(uploadLength, piece.length - offset);
        const words = await this.#device.read(this.#updates, length, firstElement(piece) + offset);
        weights(c, piece, offset, new Float32Array(words.buffer, words.byteOffset, length));
      }
    }
  }

  #launchAll(kernel: keyof CaseKernels, slots: readonly number[]): void {
    const calls = this.#cases.flatMap((_, c) => this.#ofCase(c, kernel, slots[c]));
    if (calls.length > 0) this.#launch(calls);
  }

  #ofCase(c: number, kernel: keyof CaseKernels, slot: number) {
    return this.#kernels.cases[c][kernel].map((text) => ({ kernel: text, of: c, slot }));
  }

  #launch(calls: readonly { readonly kernel: string; readonly of: number; readonly slot: number }[]): void {
    const { groups } = this.#batch;
    this.#device.launch(
      calls.map(
        ({ kernel, of: caseIndex, slot }): Launch => ({
          kernel,
          bound: this.#bound[caseIndex],
          slot,
          groups,
        }),
      ),
    );
  }
}
