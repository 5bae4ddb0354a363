import { noTensorScale } from "../../format/block/scale-rule.js";
import type { Values } from "../../lens/input.js";
import { startState } from "../../update/apply.js";
import { startBlock } from "../../update/block-step.js";
import { countCastChanged } from "../end.js";
import type { JobTallies } from "../job-tallies.js";
import type { LaneJob, LaneSettings } from "../lane/refusal.js";
import type { RecipePlan } from "../recipe-plan.js";
import { isShared } from "./admission.js";
import { type Batch, firstElement, type Piece } from "./batch.js";
import { type StepRows, tallyBatch } from "./batch-tallies.js";
import { Constants } from "./constants.js";
import { CountsLayout } from "./counts.js";
import type { GpuBuffer } from "./dawn.js";
import type { Device, Launch } from "./device.js";
import { loadStateKernel } from "./kernels/begin.js";
import { type Kernels, updatesWords } from "./kernels/kernels.js";
import {
  fp32Words,
  momentWords,
  type Parameters,
  parameterNames,
  planeWords,
  sharedBlock,
  stateWords,
} from "./layout.js";
import { momentLoads } from "./moments.js";
import type { SourceGroup } from "./sources.js";

/** The maximum count of numbers read and uploaded at once. */
const uploadLength = 2 ** 20;
/** The maximum number of submitted steps that are not done. */
const inFlight = 3;

/** Runs one batch on a device, where weights, carriers, the fp32 run and flags stay resident. */
export class BatchRun {
  readonly #device: Device;
  readonly #cases: readonly LaneSettings[];
  readonly #recipes: RecipePlan | null;
  readonly #job: LaneJob;
  readonly #group: SourceGroup;
  readonly #batch: Batch;
  readonly #kernels: Kernels;
  readonly #constants: Constants;
  readonly #counts: CountsLayout;
  readonly #slots: Uint32Array[] = [];
  /** The bindings of each case, then those of the moments. */
  #bound: object[] = [];
  #buffers: GpuBuffer[] = [];
  #updates!: GpuBuffer;
  #countsBuffer!: GpuBuffer;

  constructor(
    device: Device,
    job: LaneJob,
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
    const { milestones = [], stepNumbers } = job;
    this.#counts = new CountsLayout(cases, {
      pieces: batch.pieces.length,
      steps: stepNumbers.length,
      milestones: milestones.length,
      stepWords,
    });
  }

  /**
   * @param tallies changed only at the end, so that a failed batch leaves them as they were.
   * @param stepped called after each submitted step, at most {@link inFlight} steps ahead of the device.
   */
  async run(
    tallies: readonly JobTallies[],
    stepped: () => void,
    weights?: (ofCase: number, piece: Piece, offset: number, numbers: Float32Array) => void,
  ): Promise<void> {
    try {
      const { begin, steps, ends } = this.#parameters();
      this.#open();
      const castChanged = await this.#begin(begin);
      await this.#beginMoments(begin[0]);
      const stepTallies = await this.#steps(steps, ends, stepped);
      this.#launch(this.#cases.flatMap((_, c) => this.#ofCase(c, "end", ends[c][ends[c].length - 1])));
      const counts = await this.#device.read(this.#countsBuffer, this.#counts.steps);
      tallyBatch(this.#job, this.#batch, this.#counts, { counts, steps: stepTallies, castChanged }, tallies);
      if (weights) for (const c of this.#cases.keys()) await this.#collect(c, begin, weights);
    } finally {
      for (const buffer of this.#buffers) buffer.destroy();
    }
  }

  /** A slot of parameters for each call. */
  #parameters() {
    const { milestones = [], stepNumbers } = this.#job;
    const { table, signal, knots } = this.#constants;
    const add = (changes: Partial<Parameters>): number => {
      const all: Parameters = {
        groups: this.#batch.groups,
        plane: this.#batch.groups * planeWords,
        row: 0,
        histogram: 0,
        keys: 0,
        bits: 0,
        scalars: 0,
        table,
        signal,
        knots,
        ...changes,
      };
      this.#slots.push(Uint32Array.from(parameterNames, (name) => all[name]));
      return this.#slots.length - 1;
    };
    // The begin kernels count altered weights in the rows of the end.
    const ends = this.#cases.map((_, c) =>
      Array.from({ length: milestones.length + 1 }, (_, i) => add({ row: this.#counts.end(c, i) })),
    );
    const steps = stepNumbers.map((_, step) =>
      this.#cases.map(({ seed }, c) =>
        add({
          ...this.#constants.ofStep(step, seed),
          row: this.#counts.step(c, step),
          histogram: this.#counts.histograms[c],
        }),
      ),
    );
    return { begin: ends.map((caseEnds) => caseEnds[caseEnds.length - 1]), steps, ends };
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
    const parameters = device.parameters(this.#slots);
    this.#buffers.push(parameters);
    this.#updates = buffer(groups * updatesWords(this.#cases));
    this.#countsBuffer = buffer(this.#counts.words);
    const fp32 = buffer(groups * fp32Words);
    const states = this.#cases.map((settings) => buffer(groups * stateWords(settings)));
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
  async #begin(slots: readonly number[]): Promise<readonly (readonly number[])[] | null> {
    const { begin, cases } = this.#kernels;
    let onlyFloat64 = false;
    if (this.#group.weights === null) {
      await this.#upload(
        ({ input }) => input.weights,
        (length) => new Float64Array(length),
        (numbers) => {
          const rounded = Float32Array.from(numbers);
          onlyFloat64 ||= rounded.some((x, i) => x !== numbers[i] && !Number.isNaN(x));
          return rounded;
        },
      );
    }
    this.#launch([{ kernel: begin, of: 0, slot: slots[0] }]);
    if (!onlyFloat64) {
      this.#launch(cases.flatMap((_, c) => this.#ofCase(c, "begin", slots[c])));
      return null;
    }
    const changed = cases.map(() => this.#batch.pieces.map(() => 0));
    await this.#device.compile(cases.flatMap(({ beginUploaded }) => beginUploaded));
    for (const [c, settings] of this.#cases.entries()) {
      await this.#upload(
        ({ input }) => input.weights,
        (length) => new Float64Array(length),
        (numbers, piece) => {
          const stored = startWeights(numbers, settings);
          changed[c][piece] += countCastChanged(numbers as Float64Array, stored, 0, stored.length);
          return stored;
        },
      );
      this.#launch(this.#ofCase(c, "beginUploaded", slots[c]));
    }
    return changed;
  }

  /** Uploads recorded moments: unchanged for the fp32 run, as converted by the recipe for cases. Others are zero. */
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
    stepped: () => void,
  ): Promise<StepRows[]> {
    const { milestones = [] } = this.#job;
    const rows: StepRows[] = [];
    const moments = this.#bound.length - 1;
    const pending: Promise<void>[] = [];
    for (const [step, ofStep] of slots.entries()) {
      if (this.#group.updates.kind === "uploaded") {
        await this.#upload(
          ({ input }) => input.updates[step],
          (length) => new Float32Array(length),
          (numbers) => numbers as Float32Array,
        );
      }
      const { updates } = this.#kernels;
      const milestone = milestones.indexOf(step);
      this.#launch([
        ...(updates === null ? [] : [{ kernel: updates, of: moments, slot: ofStep[0] }]),
        ...this.#cases.flatMap((_, c) => this.#ofCase(c, "step", ofStep[c])),
        ...(milestone < 0 ? [] : this.#cases.flatMap((_, c) => this.#ofCase(c, "end", ends[c][milestone]))),
      ]);
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

  /** Reads and clears the rows of steps. */
  async #takeRows(): Promise<Uint32Array> {
    const { steps, words } = this.#counts;
    const rows = await this.#device.read(this.#countsBuffer, words - steps, steps);
    this.#device.clear(this.#countsBuffer, steps, words - steps);
    return rows;
  }

  async #collect(
    c: number,
    slots: readonly number[],
    weights: (ofCase: number, piece: Piece, offset: number, numbers: Float32Array) => void,
  ): Promise<void> {
    await this.#device.compile(this.#kernels.cases[c].collect);
    this.#launch(this.#ofCase(c, "collect", slots[c]));
    for (const piece of this.#batch.pieces) {
      for (let offset = 0; offset < piece.length; offset += uploadLength) {
        const length = Math.min(uploadLength, piece.length - offset);
        const words = await this.#device.read(this.#updates, length, firstElement(piece) + offset);
        weights(c, piece, offset, new Float32Array(words.buffer, words.byteOffset, length));
      }
    }
  }

  /** Reads the numbers of all pieces and uploads them, padded by zeros to whole groups of eight. */
  async #upload<T extends Float32Array | Float64Array>(
    values: (piece: Piece) => Values,
    array: (length: number) => T,
    rounded: (numbers: T, piece: number) => Float32Array,
  ): Promise<void> {
    for (const [p, piece] of this.#batch.pieces.entries()) {
      for (let offset = 0; offset < piece.length; offset += uploadLength) {
        const length = Math.min(uploadLength, piece.length - offset);
        const numbers = array(length);
        await values(piece).read(piece.start + offset, numbers);
        const filled = new Float32Array(Math.ceil(length / 8) * 8);
        filled.set(rounded(numbers, p));
        this.#device.write(this.#updates, filled, firstElement(piece) + offset);
      }
    }
  }

  #ofCase(c: number, kernel: keyof Kernels["cases"][number], slot: number) {
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

/** The weights of a case before the first step, from fp64 numbers; if scales are shared, from whole blocks. */
function startWeights(numbers: Float64Array, settings: LaneSettings): Float32Array {
  if (!isShared(settings)) return Float32Array.from(numbers, (x) => startState(x, settings).weight);
  const stored = new Float32Array(numbers.length);
  for (let at = 0; at < numbers.length; at += sharedBlock) {
    const block = startBlock(numbers.subarray(at, at + sharedBlock), settings, noTensorScale);
    stored.set(block.weights, at);
  }
  return stored;
}
