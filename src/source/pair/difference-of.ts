import { deltaCosts } from "../../lens/delta.js";
import type { DifferenceResult } from "../../lens/difference-result.js";
import { summarizeDifference } from "../../lens/summarize-difference.js";
import { version } from "../../version.js";
import { type CompareOptions, comparePair } from "./compare-pair.js";
import { zstdUnknown } from "./compress.js";
import { type CheckpointPair, comparedName, nameOf } from "./pair-up.js";

/** How a pair was opened, for its result, and how it is compared. */
export interface DifferenceOptions extends CompareOptions {
  /** The name of the format that both sides are rounded to; null: each two tensors' narrower. */
  readonly view: string | null;
  readonly strict: boolean;
}

/**
 * Compares a pair and sums up what was counted.
 *
 * @throws InputError and ThreadEnded as `comparePair`.
 */
export async function differenceOf(
  pair: CheckpointPair,
  { view, strict, ...options }: DifferenceOptions,
): Promise<DifferenceResult> {
  const { tallies, sample } = await comparePair(pair, options);
  const counted = pair.tensors.map((tensor, i) => ({
    ...tensor,
    formats: {
      before: nameOf(tensor.before.format!),
      after: nameOf(tensor.after.format!),
      compared: comparedName(tensor),
    },
    tally: tallies[i],
  }));
  const summary = summarizeDifference(counted);
  return {
    schema: "precision-lens-diff/2",
    tool: { name: "precision-lens", version },
    input: { before: pair.before, after: pair.after },
    settings: { view, strict, seed: options.seed },
    unknown: pair.unknown,
    ...summary,
    delta: deltaCosts(summary.tensors, sample, zstdUnknown),
    skipped: pair.skipped,
  };
}
