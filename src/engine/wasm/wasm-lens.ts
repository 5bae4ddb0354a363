import type { TensorInput } from "../../lens/input.js";
import { sumOrNull, type Tally, type UpdateTally } from "../../lens/tally.js";
import { startState } from "../../update/apply.js";
import { stepKey, tensorKey, type Words } from "../../update/threefry.js";
import type { Chunk, ChunkLens } from "../chunk-lens.js";
import type { EndCounts } from "../end.js";
import { isCompared, momentKinds, RecipePlan } from "../recipe-plan.js";
import type { WasmSettings } from "./admission.js";
import { pageBytes } from "./assembler/module.js";
import { ChunkBlocks } from "./chunk-blocks.js";
import { compileKernels } from "./kernel/kernels.js";
import { type CaseLayout, type Layout, layOut, stepTally, tensorTally } from "./layout.js";
import { type Kernel, webAssembly } from "./platform.js";
import { TallyReader } from "./tallies.js";
import { blocksOfTensor, isMeasured, type TensorBlocks, TensorScales } from "./tensor-blocks.js";

/** Runs all cases over successive chunks by SIMD kernels, on the calling thread. */
export class WasmLens implements ChunkLens {
  readonly #cases: readonly WasmSettings[];
  readonly #recipes: RecipePlan | null;
  readonly #layout: Layout;
  readonly #memory: Uint8Array;
  readonly #kernels: Readonly<Record<string, Kernel>>;
  readonly #tallies: TallyReader;
  readonly #chunkBlocks: ChunkBlocks;
  #blocks: TensorBlocks | null = null;
  /** For each case whose tensor scale is counted with this chunk. */
  #tensorScales: readonly (TensorScales | null)[] = [];
  #count = 0;
  /** Elements of the current chunk that are not tallied yet. */
  #begun = 0;
  #padded = 0;
  /** Weight-steps that are not tallied yet, and the zeros processed with them as padding. */
  #steps = { weights: 0, padding: 0 };
  #start = 0;
  #optimizer: Chunk["optimizer"];
  /** Steps since the chunk began. */
  #index = 0;
  /** By case: the number of weights that differ from the first case's after the last step; null if not compared. */
  #parted: (number | null)[] = [];
  #keys: readonly Words[] = [];

  private constructor(
    cases: readonly WasmSettings[],
    recipes: RecipePlan | null,
    layout: Layout,
    memory: Uint8Array,
    kernels: Readonly<Record<string, Kernel>>,
  ) {
    this.#cases = cases;
    this.#recipes = recipes;
    this.#layout = layout;
    this.#memory = memory;
    this.#kernels = kernels;
    this.#tallies = new TallyReader(memory);
    this.#chunkBlocks = new ChunkBlocks(layout, memory, kernels);
  }

  /** @param chunk the maximum number of weights passed to {@link begin}: a power of two. */
  static async create(cases: readonly WasmSettings[], chunk: number): Promise<WasmLens> {
    const recipes = RecipePlan.of(cases);
    const constants = { constantBytes: recipes?.scalarBytes ?? 0, simulates: false };
    const layout = layOut(cases, chunk, { steps: 1, milestones: 1 }, constants);
    const size = { pages: Math.ceil(layout.bytes / pageBytes), shared: false };
    const { Memory, instantiate } = webAssembly!;
    const memory = new Memory({ initial: size.pages, maximum: size.pages });
    const module = await compileKernels(cases, [], layout, size);
    const { exports } = await instantiate(module, { host: { memory } });
    return new WasmLens(cases, recipes, layout, new Uint8Array(memory.buffer), exports);
  }

  async prepare(tensor: TensorInput, ends: readonly number[]): Promise<void> {
    const { weights, updates, start: first = 0 } = tensor;
    this.#blocks = blocksOfTensor(this.#cases, tensor, updates.length, false);
    this.#chunkBlocks.blocks = this.#blocks;
    if (this.#blocks === null || !isMeasured(this.#blocks)) return;
    for (const [k, end] of ends.entries()) {
      const start = ends[k - 1] ?? first;
      const given = new Float64Array(end - start);
      await weights.read(start, given);
      this.#beginRun(start, given);
      this.#chunkBlocks.measure(0, this.#padded);
      for (let step = 0; step < this.#blocks.steps; step++) {
        await updates[step].read(start, this.#row(this.#layout.updates));
        this.#pad(this.#layout.updates);
        this.#kernels.stepCounterfactual(0, this.#padded);
        this.#chunkBlocks.measure(step + 1, this.#padded);
      }
    }
  }

  /** Where the fp32 run of a chunk begins. */
  #beginRun(start: number, weights: Float64Array): void {
    const { given } = this.#layout;
    this.#count = weights.length;
    this.#padded = Math.ceil(weights.length / 8) * 8;
    this.#row(given).set(weights);
    this.#pad(given);
    this.#kernels.beginCounterfactual(0, this.#padded);
    this.#chunkBlocks.locate(start, this.#padded);
  }

  begin({ tensor, start, weights, optimizer }: Chunk): void {
    this.#beginRun(start, weights);
    this.#begun = weights.length;
    this.#start = start;
    this.#keys = this.#cases.map(({ seed }) => tensorKey(seed, tensor));
    this.#tensorScales = this.#cases.map((settings) =>
      start === 0 ? TensorScales.of(settings, this.#blocks) : null,
    );
    for (const c of this.#cases.keys()) {
      this.#chunkBlocks.beforeScales(c, 0, this.#padded);
      this.#kernels[`begin ${c}`](0, this.#padded);
    }
    this.#recastFloat64(weights);
    this.#optimizer = optimizer;
    this.#index = 0;
    this.#parted = this.#cases.map((_, c) => (isCompared(this.#cases, c) ? 0 : null));
    this.#beginMoments();
  }

  /** Starts the moments from recorded ones, passed in the row of gradients; others are zero. */
  #beginMoments(): void {
    const { updates, moments } = this.#layout;
    for (const kind of this.#recipes ? momentKinds : []) {
      const recorded = this.#optimizer?.moments[kind];
      if (recorded === undefined) continue;
      this.#row(updates).set(recorded);
      this.#pad(updates);
      this.#memory.copyWithin(moments![kind], updates, updates + 4 * this.#padded);
      const { stepsTaken, settings } = this.#optimizer!;
      for (const start of this.#recipes!.starts(kind, stepsTaken, settings[0])) {
        this.#kernels[`moment ${start.case} ${start.moment}`](0, this.#padded, start.correction);
      }
    }
  }

  /** Rounds weights that fp32 cannot hold directly from fp64, to avoid double rounding. */
  #recastFloat64(weights: Float64Array): void {
    const given = this.#row(this.#layout.given);
    for (let i = 0; i < weights.length; i++) {
      if (given[i] === weights[i] || Number.isNaN(weights[i])) continue;
      for (const [c, settings] of this.#cases.entries()) {
        const caseLayout = this.#layout.cases[c];
        const start = this.#row(caseLayout.start);
        if (start[i] === given[i]) this.#addCount(caseLayout.tally + tensorTally.castChanged);
        // Block formats quantize fp32 numbers.
        if (settings.blocks) continue;
        start[i] = startState(weights[i], settings).weight;
        this.#row(caseLayout.weights)[i] = start[i];
      }
    }
  }

  step(updates: Float32Array, step: number, tallies: readonly UpdateTally[]): void {
    this.#row(this.#layout.updates).set(updates);
    this.#pad(this.#layout.updates);
    const ofRecipe = this.#beginStep();
    this.#index += 1;
    this.#kernels.stepCounterfactual(0, this.#padded, ...ofRecipe);
    for (const [c, { steps }] of this.#layout.cases.entries()) {
      const key = stepKey(this.#keys[c], step);
      const pair = this.#start / 2;
      const words = [key[0], key[1], pair % 2 ** 32, Math.floor(pair / 2 ** 32)];
      const tail = this.#count - (this.#count % (this.#recipes?.tailBlocks[c] ?? 1));
      this.#chunkBlocks.beforeScales(c, this.#index, this.#padded);
      this.#kernels[`step ${c}`](0, this.#padded, steps, ...words, ...ofRecipe, tail);
      this.#tallies.step(steps, this.#cases[c], this.#count, this.#padded - this.#count, tallies[c]);
      this.#tensorScales[c]?.countStep(this.#index - 1, tallies[c]);
      if (this.#parted[c] !== null) tallies[c].parted = this.#parted[c] = this.#tallies.parted(steps);
      this.#memory.fill(0, steps, steps + stepTally.bytes);
    }
  }

  /** Writes the scalars of a recipe step to memory; returns the kernels' parameters. */
  #beginStep(): number[] {
    this.#steps.weights += this.#count;
    this.#steps.padding += this.#padded - this.#count;
    if (this.#recipes === null) return [];
    const { settings, stepsTaken = 0 } = this.#optimizer ?? {};
    const scalars = this.#recipes.scalars.of(settings?.[this.#index], stepsTaken + this.#index + 1);
    const { constants } = this.#layout;
    new Float32Array(this.#memory.buffer, constants, scalars.length).set(scalars);
    return [this.#count, constants];
  }

  compare(counts: readonly EndCounts[]): void {
    for (const [c, { curve }] of this.#layout.cases.entries()) {
      this.#kernels[`end ${c}`](0, this.#padded, curve);
      this.#tallies.comparison(curve, this.#cases[c], this.#padded - this.#count, counts[c]);
      this.#tensorScales[c]?.countEnd(this.#index, counts[c].end);
      this.#memory.fill(0, curve, curve + tensorTally.bytes);
      const { end } = counts[c];
      end.parted = sumOrNull(end.parted, this.#parted[c]);
    }
  }

  take(tallies: readonly Tally[]): void {
    for (const [c, caseLayout] of this.#layout.cases.entries()) {
      this.#tallies.rest(caseLayout, this.#cases[c], this.#begun, this.#steps, tallies[c]);
      this.#clear(caseLayout);
    }
    this.#begun = 0;
    this.#steps = { weights: 0, padding: 0 };
  }

  weights(c: number): Float32Array {
    return this.#row(this.#layout.cases[c].weights);
  }

  #clear({ tally, steps }: CaseLayout): void {
    // Histogram and curve are between the two.
    this.#memory.fill(0, tally, steps);
  }

  #row(offset: number): Float32Array {
    return new Float32Array(this.#memory.buffer, offset, this.#count);
  }

  #pad(offset: number): void {
    this.#memory.fill(0, offset + 4 * this.#count, offset + 4 * this.#padded);
  }

  #addCount(address: number): void {
    const count = new BigInt64Array(this.#memory.buffer, address, 1);
    count[0] += 1n;
  }
}
