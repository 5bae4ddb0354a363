import { type EndSum, EndTally, endSums } from "../../lens/tally.js";
import { type CounterfactualEnds, countEnds, type StoredEnds } from "../end.js";
import type { Batch } from "./batch.js";

const counts = ["unchanged", "neverUpdated", "cancelled", "hidden", "returned"] as const;

/**
 * The counts of one case at a milestone, kept by block until the end of the batch, when it is known which blocks the
 * device could handle. A block takes no more memory than the counts of its steps. Nothing is nonfinite: blocks with
 * such numbers are left to the reference.
 */
export class EndsByBlock {
  readonly #counts: Uint16Array;
  readonly #sums: ReadonlyMap<EndSum, Float64Array>;

  /** @param outside the blocks known to be outside the device's domain. */
  constructor(
    batch: Batch,
    stored: StoredEnds,
    counterfactual: CounterfactualEnds,
    outside: ReadonlySet<number>,
  ) {
    const { blocks } = batch;
    this.#counts = new Uint16Array(blocks * counts.length);
    this.#sums = new Map(endSums.map((name) => [name, new Float64Array(blocks)]));
    for (let block = 0; block < blocks; block++) {
      if (outside.has(block)) continue;
      const end = new EndTally();
      countEnds(stored, counterfactual, { end }, ...batch.rangeOf(block));
      for (const [i, name] of counts.entries()) this.#counts[block * counts.length + i] = end[name];
      for (const [name, sums] of this.#sums) sums[block] = end[name].value();
    }
  }

  /** Adds the counts of a block. */
  tally(block: number, end: EndTally): void {
    for (const [i, name] of counts.entries()) end[name] += this.#counts[block * counts.length + i];
    for (const [name, sums] of this.#sums) end[name].add(sums[block]);
  }
}
