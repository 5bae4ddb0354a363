import { originOf, type TensorInput, type Values } from "../../lens/input.js";
import { simulatedIn } from "../../lens/run/simulated.js";
import { type Distribution, gaussian } from "../../update/distribution.js";
import { noiseKey, type SimulatedRun, signalKey } from "../../update/simulated-adamw.js";
import type { WeightDraws } from "../../update/weight-draws.js";
import { adamwScalars, conditionsOf, scalarsOf } from "../lane/adamw.js";
import { bitsOf } from "../lane/numbers.js";
import type { ExportedFunction } from "./assembler/module.js";
import { adamwParameters, writeAdamw, writeSignal } from "./kernel/adamw.js";
import { drawParameters, writeDraw, writeDrawnWeights } from "./kernel/draws.js";
import type { Layout } from "./layout.js";
import type { WorkerDraws, WorkerUpdates } from "./worker-job.js";

/** The parameters of a kernel that draws weights; tensors with the same parameters share a kernel. */
type WeightKernel = Pick<WeightDraws, "distribution" | "format">;

/**
 * How workers generate the numbers of synthetic tensors: the kernels and their tables, which are in each worker's
 * memory at `layout.constants`.
 */
export class SyntheticPlan {
  readonly #run: SimulatedRun | null = null;
  readonly #table: Float32Array | null = null;
  readonly #weightKernels: WeightKernel[] = [];
  readonly #offsets = new Map<Float32Array, number>();
  #bytes = 0;
  /** The scalars of every step, concatenated. */
  readonly #scalars: Float32Array = new Float32Array(0);

  /** @param tensors those that are not synthetic are skipped. */
  constructor(tensors: readonly TensorInput[], steps: number) {
    for (const { weights, updates } of tensors) {
      const draws = originOf(weights, "weights");
      if (draws) this.#addWeights(draws);
      if (updates.length === 0) continue;
      this.#run ??= originOf(updates[0], "simulated")?.of.run ?? null;
      this.#table ??= originOf(updates[0], "quantiles")?.table ?? null;
    }
    if (this.#table) this.#place(this.#table);
    if (this.#run) {
      this.#place(this.#run.noise.knots);
      if (this.#run.snr !== 0) this.#place(gaussian.knots);
      this.#scalars = scalarsOf(this.#run, steps);
      this.#place(this.#scalars);
    }
  }

  /** Whether updates are simulated, so that moments and the signal need rows. */
  get simulates(): boolean {
    return this.#run !== null;
  }

  /** Whether workers can generate all numbers of a tensor that are not stored. */
  makes({ weights, updates }: TensorInput): boolean {
    const canRead = (values: Values) => originOf(values, "stored") !== undefined;
    return (
      (canRead(weights) || originOf(weights, "weights") !== undefined) &&
      (updates.every(canRead) || this.#simulates(weights, updates) || this.#draws(updates))
    );
  }

  /** Whether updates are all steps, in order, of one simulation of the plan's run from these weights. */
  #simulates(weights: Values, updates: readonly Values[]): boolean {
    const run = simulatedIn(updates, weights)?.run;
    return run !== undefined && run === this.#run;
  }

  #draws(updates: readonly Values[]): boolean {
    return updates.every((values) => {
      const drawn = originOf(values, "quantiles");
      return drawn !== undefined && drawn.table === this.#table;
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The tables in their memory layout. */
  constants(): Uint8Array {
    const bytes = new Uint8Array(this.#bytes);
    for (const [table, offset] of this.#offsets)
      new Float32Array(bytes.buffer, offset, table.length).set(table);
    return bytes;
  }

  /** Equal for plans with the same kernels. */
  get key(): string {
    const { snr, optimizer, noise } = this.#run ?? {};
    const kernels = this.#weightKernels.map(({ distribution, format }) => [distribution.name, format.name]);
    return JSON.stringify([kernels, snr, optimizer?.betas, noise?.name, this.#table?.length, this.#bytes]);
  }

  functions(layout: Layout): ExportedFunction[] {
    const run = this.#run;
    const at = (table: Float32Array) => layout.constants + this.#offsets.get(table)!;
    const functions: ExportedFunction[] = this.#weightKernels.map(({ distribution, format }, i) => ({
      name: `weights ${i}`,
      parameters: [...drawParameters, "i32", "i32"],
      write: (k) => writeDrawnWeights(k, at(distribution.knots), format, layout),
    }));
    const table = this.#table;
    if (table) {
      const write: ExportedFunction["write"] = (k) => writeDraw(k, at(table), table.length, layout);
      functions.push({ name: "draw", parameters: drawParameters, write });
    }
    if (run) {
      const simulation = { ...layout.simulation!, noise: at(run.noise.knots) };
      const { signal } = simulation;
      if (run.snr !== 0) {
        const write: ExportedFunction["write"] = (k) => writeSignal(k, run.snr, at(gaussian.knots), signal);
        functions.push({ name: "signal", parameters: drawParameters, write });
      }
      const holds = conditionsOf(run);
      functions.push({
        name: "adamw",
        parameters: adamwParameters,
        write: (k) => writeAdamw(k, layout, simulation, holds),
      });
    }
    return functions;
  }

  /** How a worker draws the weights of a tensor. */
  weights(draws: WeightDraws): WorkerDraws {
    const { mean, sigma, key } = draws;
    const kernel = `weights ${this.#weightKernels.findIndex(sameKernel(draws))}`;
    return { kernel, key: [...key], mean: bitsOf(mean), sigma: bitsOf(sigma) };
  }

  /** How a worker generates the updates of a tensor. Valid for tensors that {@link makes} accepts. */
  updates(updates: readonly Values[], layout: Layout): WorkerUpdates {
    const [first] = updates;
    if (first.origin?.kind === "quantiles") {
      const keys = updates.flatMap((values) => [...originOf(values, "quantiles")!.key]);
      return { kernel: "draw", keys: Uint32Array.from(keys) };
    }
    const { of: tensor } = originOf(first, "simulated")!;
    return {
      kernel: "adamw",
      keys: Uint32Array.from(updates.flatMap((_, i) => [...noiseKey(tensor, i + 1)])),
      signal: tensor.run.snr === 0 ? null : [...signalKey(tensor)],
      scale: bitsOf(tensor.gradientScale),
      scalars: layout.constants + this.#offsets.get(this.#scalars)!,
      scalarBytes: 4 * adamwScalars.length,
    };
  }

  #addWeights(draws: WeightDraws): void {
    if (this.#weightKernels.some(sameKernel(draws))) return;
    this.#weightKernels.push(draws);
    this.#place(draws.distribution.knots);
  }

  #place(table: Float32Array): void {
    if (this.#offsets.has(table)) return;
    this.#offsets.set(table, this.#bytes);
    // Whole cache lines.
    this.#bytes += Math.ceil((4 * table.length) / 64) * 64;
  }
}

function sameKernel({ distribution, format }: WeightKernel): (other: WeightKernel) => boolean {
  const same = (a: Distribution, b: Distribution) => a === b || a.name === b.name;
  return (other) => same(other.distribution, distribution) && other.format === format;
}
