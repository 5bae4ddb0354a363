import { deltaCosts, sentNumbers } from "../../lens/difference/delta.js";
import type { DifferenceOfTensor, DifferenceResult } from "../../lens/difference/difference-result.js";
import { summarizeDifference } from "../../lens/difference/summarize-difference.js";
import { version } from "../../version.js";
import { compareBytes } from "./compare-bytes.js";
import { type CompareOptions, comparePair } from "./compare-pair.js";
import { zstdUnknown } from "./compress.js";
import { type CheckpointPair, comparedName, storedAs } from "./pair-up.js";
import { areAlike } from "./scaled-range.js";

/** How a pair was opened, for its result, and how it is compared. */
export interface DifferenceOptions extends CompareOptions {
  /** The name of the format that both sides are rounded to; null: each two tensors' narrower. */
  readonly view: string | null;
  readonly strict: boolean;
  /** Rules that names were rewritten by, as they were given; and whether rows in common were compared. */
  readonly rename?: readonly string[];
  readonly commonRows?: boolean;
}

/**
 * Compares a pair and sums up what was counted.
 *
 * @throws InputError and ThreadEnded as `comparePair`.
 */
export async function differenceOf(
  pair: CheckpointPair,
  { view, strict, rename = [], commonRows = false, ...options }: DifferenceOptions,
): Promise<DifferenceResult> {
  const { tallies, sample } = await comparePair(pair, options);
  const sentOf = (tensor: DifferenceOfTensor, i: number) => {
    const { before, after } = pair.tensors[i];
    const { codes, codesChanged, scales, scalesChanged, scaleBytes, scaleBytesChanged } = tallies[i];
    if (codes === 0 || !areAlike(before.scaled, after.scaled)) return sentNumbers(tensor);
    return {
      elements: tensor.elements,
      changed: codesChanged,
      bits: after.scaled!.bits,
      scales: { scales, changed: scalesChanged, bytes: scaleBytes, bytesChanged: scaleBytesChanged },
    };
  };
  const counted = pair.tensors.map((tensor, i) => ({
    ...tensor,
    formats: {
      before: storedAs(tensor.before),
      after: storedAs(tensor.after),
      compared: comparedName(tensor),
    },
    tally: tallies[i],
  }));
  const summary = summarizeDifference(counted);
  const byBytes = compareBytes(pair.byBytes);
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
    delta: deltaCosts(summary.tensors.map(sentOf), sample, zstdUnknown),
    ...(byBytes.length > 0 && { byBytes }),
    skipped: pair.skipped,
  };
}
