import type { SkippedTensor } from "../input.js";
import type {
  Delta,
  DifferenceOfKind,
  DifferenceResult,
  DifferenceSide,
  DifferenceTotals,
} from "./difference-result.js";

/**
 * The result of `diff` for three or more checkpoints, `precision-lens-series/1`; docs/series.schema.json is
 * its JSON Schema.
 */
export interface SeriesResult {
  readonly schema: "precision-lens-series/1";
  readonly tool: DifferenceResult["tool"];
  /** In the given order; the first is the start. */
  readonly input: { readonly checkpoints: readonly DifferenceSide[] };
  readonly settings: DifferenceResult["settings"];
  /** One for each checkpoint after the first. */
  readonly steps: readonly SeriesStep[];
  /** Tensors that could not be compared in some comparison, each once. */
  readonly skipped: readonly SkippedTensor[];
}

export interface SeriesStep {
  /** Against the checkpoint before it. */
  readonly change: SeriesDifference;
  /** Against the first one. */
  readonly sinceStart: SeriesDifference;
}

/** A comparison of two, without its tensors. */
export interface SeriesDifference {
  readonly unknown: DifferenceResult["unknown"];
  readonly totals: DifferenceTotals;
  readonly kinds: readonly DifferenceOfKind[];
  readonly delta: Delta;
}

/** Compares two of the checkpoints, by index. */
export type CompareTwo = (before: number, after: number) => Promise<DifferenceResult>;

/**
 * Compares each checkpoint with the one before it and with the first. The first step is both.
 *
 * @param count at least two.
 */
export async function seriesOf(count: number, compare: CompareTwo): Promise<SeriesResult> {
  const steps: SeriesStep[] = [];
  const sides: DifferenceSide[] = [];
  const skipped = new Map<string, SkippedTensor>();
  let last: DifferenceResult | undefined;
  const compared = async (before: number, after: number): Promise<SeriesDifference> => {
    const result = await compare(before, after);
    for (const tensor of result.skipped) if (!skipped.has(tensor.name)) skipped.set(tensor.name, tensor);
    sides[before] ??= result.input.before;
    sides[after] ??= result.input.after;
    last = result;
    const { unknown, totals, kinds, delta } = result;
    return { unknown, totals, kinds, delta };
  };
  for (let after = 1; after < count; after++) {
    const change = await compared(after - 1, after);
    steps.push({ change, sinceStart: after === 1 ? change : await compared(0, after) });
  }
  const { tool, settings } = last!;
  return {
    schema: "precision-lens-series/1",
    tool,
    input: { checkpoints: sides },
    settings,
    steps,
    skipped: [...skipped.values()],
  };
}

/** The number of comparisons for a series of this many checkpoints. */
export function comparisonsOf(count: number): number {
  return 2 * (count - 1) - 1;
}
