import type { Tally, UpdateTally } from "../../lens/tally.js";
import type { CaseSettings } from "../../update/optimizer.js";
import type { Chunk, ChunkLens } from "../chunk-lens.js";
import type { EndCounts } from "../end.js";
import { CaseLens } from "./case-lens.js";
import { AddedUpdates, type Counterfactual, Fp32Recipe } from "./counterfactual.js";

/** Counts all cases over successive chunks, with the fp32 counterfactual that they share. */
export class ReferenceLens implements ChunkLens {
  readonly #counterfactual: Counterfactual;
  readonly #cases: readonly CaseLens[];
  /** The recipes with the first one's storage format, whose weights are compared with its weights. */
  readonly #compared: readonly number[];

  constructor(cases: readonly CaseSettings[]) {
    const [first] = cases;
    this.#cases = cases.map((settings) => new CaseLens(settings));
    this.#compared = [...cases.keys()].filter((c) => cases[c].recipe && cases[c].format === first.format);
    this.#counterfactual = first?.recipe ? new Fp32Recipe(first) : new AddedUpdates();
  }

  begin(chunk: Chunk): void {
    this.#counterfactual.begin(chunk);
    for (const lens of this.#cases) lens.begin(chunk);
  }

  step(inputs: Float32Array, step: number, tallies: readonly UpdateTally[]): void {
    this.#counterfactual.step(inputs, step);
    for (const [c, lens] of this.#cases.entries()) lens.step(inputs, step, tallies[c]);
    for (const c of this.#compared) tallies[c].parted = countParted(this.weights(0), this.weights(c));
  }

  compare(counts: readonly EndCounts[]): void {
    for (const [c, lens] of this.#cases.entries()) lens.compare(this.#counterfactual, counts[c]);
    for (const c of this.#compared) {
      const { end } = counts[c];
      end.parted = (end.parted ?? 0) + countParted(this.weights(0), this.weights(c));
    }
  }

  take(tallies: readonly Tally[]): void {
    for (const [c, lens] of this.#cases.entries()) lens.take(tallies[c]);
  }

  weights(c: number): Float32Array {
    return this.#cases[c].weights;
  }
}

/** The number of weights that differ; NaN equals NaN. */
function countParted(a: Float32Array, b: Float32Array): number {
  let parted = 0;
  for (let i = 0; i < a.length; i++)
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) parted += 1;
  return parted;
}
