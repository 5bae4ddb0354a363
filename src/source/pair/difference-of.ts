import { deltaCosts, sentOf } from "../../lens/difference/delta.js";
import type { DifferenceResult } from "../../lens/difference/difference-result.js";
import { countedOf, summarizeDifference } from "../../lens/difference/summarize-difference.js";
import type { Part, PartRange } from "../../lens/shard/part.js";
import { version } from "../../version.js";
import { compareBytes } from "./compare-bytes.js";
import { type CompareOptions, comparePair } from "./compare-pair.js";
import { zstdUnknown } from "./compress.js";
import { type CheckpointPair, comparedName, storedAs } from "./pair-up.js";
import { areAlike } from "./scaled-range.js";

/** How a pair was opened, which its result reports, and how it is compared. */
export interface DifferenceOptions extends CompareOptions {
  /** The name of the format to which both sides are rounded; null: the narrower one of each pair of tensors. */
  readonly view: string | null;
  readonly strict: boolean;
  /** The rename rules as given; and whether common rows were compared. */
  readonly rename?: readonly string[];
  readonly commonRows?: boolean;
  /** For a shard, its part; see `pairPlan`. */
  readonly part?: Part | null;
}

/**
 * Compares a pair and summarizes the counts.
 *
 * @throws InputError and ThreadEnded as `comparePair`.
 */
export async function differenceOf(
  pair: CheckpointPair,
  { view, strict, rename = [], commonRows = false, part = null, ...options }: DifferenceOptions,
): Promise<DifferenceResult> {
  const isWeights = ([tensor]: PartRange) => tensor < pair.tensors.length;
  const ranges = part?.ranges.filter(isWeights);
  const { tallies, sample } = await comparePair(pair, { ...options, ...(ranges && { ranges }) });
  const tensors = ranges?.map(([tensor]) => pair.tensors[tensor]) ?? pair.tensors;
  const counted = tensors.map((tensor, i) => ({
    ...tensor,
    formats: {
      before: storedAs(tensor.before),
      after: storedAs(tensor.after),
      compared: comparedName(tensor),
    },
    tally: tallies[i],
    codeBits: areAlike(tensor.before.scaled, tensor.after.scaled) ? tensor.after.scaled!.bits : null,
  }));
  const summary = summarizeDifference(counted);
  const pairsByBytes = part?.ranges
    .filter((range) => !isWeights(range))
    .map(([i]) => pair.byBytes[i - pair.tensors.length]);
  const byBytes = compareBytes(pairsByBytes ?? pair.byBytes);
  const sent = summary.tensors.map((tensor, i) => sentOf(tensor, tallies[i], counted[i].codeBits));
  return {
    schema: "precision-lens-diff/2",
    tool: { name: "precision-lens", version },
    input: { before: pair.before, after: pair.after },
    settings: {
      view,
      strict,
      seed: options.seed,
      ...(rename.length > 0 && { rename }),
      ...(commonRows && { commonRows }),
    },
    unknown: pair.unknown,
    ...summary,
    delta: deltaCosts(sent, sample, zstdUnknown),
    ...(byBytes.length > 0 && { byBytes }),
    skipped: pair.skipped,
    ...(part && { part: { ...part, counted: counted.map(countedOf) } }),
  };
}
