import type { Tally, UpdateTally } from "../../lens/tally.js";
import type { UpdateSettings } from "../../update/settings.js";
import type { Chunk, ChunkLens } from "../walk.js";
import { CaseLens } from "./case-lens.js";
import { Counterfactual } from "./counterfactual.js";

/** All cases over one chunk after the other, and the fp32 counterfactual that they share. */
export class ReferenceLens implements ChunkLens {
  readonly #counterfactual = new Counterfactual();
  readonly #cases: readonly CaseLens[];

  constructor(cases: readonly UpdateSettings[]) {
    this.#cases = cases.map((settings) => new CaseLens(settings));
  }

  begin(chunk: Chunk): void {
    this.#counterfactual.begin(chunk);
    for (const lens of this.#cases) lens.begin(chunk);
  }

  step(updates: Float32Array, step: number, tallies: readonly UpdateTally[]): void {
    this.#counterfactual.step(updates);
    for (const [c, lens] of this.#cases.entries()) lens.step(updates, step, tallies[c]);
  }

  end(tallies: readonly Tally[]): void {
    for (const [c, lens] of this.#cases.entries()) lens.end(this.#counterfactual, tallies[c]);
  }
}
