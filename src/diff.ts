import { comparerOf, provenKernel } from "./engine/wasm/difference/comparison.js";
import { type BlockFormat, blockFormat, isBlockFormat } from "./format/block/block-format.js";
import type { Format } from "./format/format.js";
import { formatOf } from "./format/registry.js";
import type { DifferenceResult } from "./lens/difference/difference-result.js";
import { renameRule } from "./source/names/rename.js";
import { differenceOf } from "./source/pair/difference-of.js";
import { openPair } from "./source/pair/open-pair.js";

export interface DiffOptions {
  /** Compare what would be stored in this format; by default each two tensors in the narrower of theirs. */
  readonly view?: Format | BlockFormat | string;
  /** A tensor that cannot be compared is an error. */
  readonly strict?: boolean;
  /** Rules that the names of both sides are rewritten by, such as `s/^module\.//`. */
  readonly rename?: readonly string[];
  /** Of tensors with another number of rows those that both sides have are compared. */
  readonly commonRows?: boolean;
  /** Chunks of 65,536 weights to compress, for the price of a delta; default 16. */
  readonly sample?: number;
  /** Of the places of those chunks; default 0. */
  readonly seed?: number;
  /** Called now and then with how many bytes of both sides have been compared. */
  progress?(done: number, total: number): void;
}

/** A format with shared scales, or one without. */
function viewOf(view: Format | BlockFormat | string): Format | BlockFormat {
  if (typeof view === "string") return isBlockFormat(view) ? blockFormat(view) : formatOf(view);
  return "element" in view ? view : formatOf(view);
}

/**
 * Compares two checkpoints weight by weight, on the thread that calls: what `precision-lens diff` gives.
 *
 * @param before the path of a safetensors file, an index of shards, a folder with one of them, or a recorded run (its base).
 * @param after the same; of a recorded run its end.
 * @param options what to compare in, and what to be told of it.
 * @returns a result of the schema `precision-lens-diff/2`, counts in weights.
 * @throws InputError if a file is not valid, if nothing can be compared, or, with `strict`, if anything cannot; RangeError for an
 *   unknown format or a rule that is none.
 * @example
 * const { totals } = await diff("base.safetensors", "final-fp32.safetensors", { view: "bf16" });
 * totals.elements; // 26048
 */
export async function diff(
  before: string,
  after: string,
  options: DiffOptions = {},
): Promise<DifferenceResult> {
  const { view, strict = false, rename = [], commonRows = false, sample = 16, seed = 0, progress } = options;
  const format = view === undefined ? null : viewOf(view);
  const pair = await openPair(before, after, {
    view: format,
    strict,
    rename: rename.map(renameRule),
    commonRows,
  });
  try {
    const comparer = comparerOf(await provenKernel());
    const settings = { view: format?.name ?? null, strict, rename, commonRows, sample, seed, comparer };
    return await differenceOf(pair, { ...settings, ...(progress && { progress }) });
  } finally {
    await pair.close();
  }
}
