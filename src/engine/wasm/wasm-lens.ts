import type { Tally, UpdateTally } from "../../lens/tally.js";
import { startState } from "../../update/apply.js";
import type { UpdateSettings } from "../../update/settings.js";
import { stepKey, tensorKey, type Words } from "../../update/threefry.js";
import type { EndCounts } from "../end.js";
import type { Chunk, ChunkLens } from "../walk.js";
import { pageBytes } from "./assembler/module.js";
import { compileKernels } from "./kernel/kernels.js";
import { type CaseLayout, type Layout, layOut, stepTally, tensorTally } from "./layout.js";
import { type Kernel, webAssembly } from "./platform.js";
import { TallyReader } from "./tallies.js";

/** All cases over one chunk after the other by SIMD kernels, on the thread that calls. */
export class WasmLens implements ChunkLens {
  readonly #cases: readonly UpdateSettings[];
  readonly #layout: Layout;
  readonly #memory: Uint8Array;
  readonly #kernels: Readonly<Record<string, Kernel>>;
  readonly #tallies: TallyReader;
  #count = 0;
  /** Elements of a chunk that is not tallied yet. */
  #begun = 0;
  #padded = 0;
  #start = 0;
  #keys: readonly Words[] = [];

  private constructor(
    cases: readonly UpdateSettings[],
    layout: Layout,
    memory: Uint8Array,
    kernels: Readonly<Record<string, Kernel>>,
  ) {
    this.#cases = cases;
    this.#layout = layout;
    this.#memory = memory;
    this.#kernels = kernels;
    this.#tallies = new TallyReader(memory);
  }

  /** @param chunk most weights that {@link begin} is given: a power of two. */
  static async create(cases: readonly UpdateSettings[], chunk: number): Promise<WasmLens> {
    const layout = layOut(cases, chunk, { steps: 1, milestones: 1 });
    const size = { pages: Math.ceil(layout.bytes / pageBytes), shared: false };
    const { Memory, instantiate } = webAssembly!;
    const memory = new Memory({ initial: size.pages, maximum: size.pages });
    const module = await compileKernels(cases, [], layout, size);
    const { exports } = await instantiate(module, { host: { memory } });
    return new WasmLens(cases, layout, new Uint8Array(memory.buffer), exports);
  }

  begin({ tensor, start, weights }: Chunk): void {
    const { given } = this.#layout;
    this.#count = weights.length;
    this.#begun = weights.length;
    this.#padded = Math.ceil(weights.length / 8) * 8;
    this.#start = start;
    this.#keys = this.#cases.map(({ seed }) => tensorKey(seed, tensor));
    this.#row(given).set(weights);
    this.#pad(given);
    this.#kernels.beginCounterfactual(0, this.#padded);
    for (const c of this.#cases.keys()) this.#kernels[`begin ${c}`](0, this.#padded);
    this.#recastFloat64(weights);
  }

  /** Weights that only fp64 holds are rounded once, not through fp32. */
  #recastFloat64(weights: Float64Array): void {
    const given = this.#row(this.#layout.given);
    for (let i = 0; i < weights.length; i++) {
      if (given[i] === weights[i] || Number.isNaN(weights[i])) continue;
      for (const [c, settings] of this.#cases.entries()) {
        const of = this.#layout.cases[c];
        const start = this.#row(of.start);
        if (start[i] === given[i]) this.#addCount(of.tally + tensorTally.castChanged);
        start[i] = startState(weights[i], settings).weight;
        this.#row(of.weights)[i] = start[i];
      }
    }
  }

  step(updates: Float32Array, step: number, tallies: readonly UpdateTally[]): void {
    this.#row(this.#layout.updates).set(updates);
    this.#pad(this.#layout.updates);
    this.#kernels.stepCounterfactual(0, this.#padded);
    for (const [c, { steps }] of this.#layout.cases.entries()) {
      const key = stepKey(this.#keys[c], step);
      const pair = this.#start / 2;
      const words = [key[0], key[1], pair % 2 ** 32, Math.floor(pair / 2 ** 32)];
      this.#kernels[`step ${c}`](0, this.#padded, steps, ...words);
      this.#tallies.step(steps, this.#count, this.#padded - this.#count, tallies[c]);
      this.#memory.fill(0, steps, steps + stepTally.bytes);
    }
  }

  compare(counts: readonly EndCounts[]): void {
    for (const [c, { curve }] of this.#layout.cases.entries()) {
      this.#kernels[`end ${c}`](0, this.#padded, curve);
      this.#tallies.comparison(curve, this.#padded - this.#count, counts[c]);
      this.#memory.fill(0, curve, curve + tensorTally.bytes);
    }
  }

  take(tallies: readonly Tally[]): void {
    for (const [c, of] of this.#layout.cases.entries()) {
      this.#tallies.rest(of, this.#cases[c], this.#begun, tallies[c]);
      this.#clear(of);
    }
    this.#begun = 0;
  }

  weights(c: number): Float32Array {
    return this.#row(this.#layout.cases[c].weights);
  }

  #clear({ tally, steps }: CaseLayout): void {
    // Histogram and curve lie between the two.
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
