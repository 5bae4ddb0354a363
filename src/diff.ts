import { comparerOf, provenKernel } from "./engine/wasm/difference/comparison.js";
import { type BlockFormat, storageFormat } from "./format/block/block-format.js";
import type { Format } from "./format/format.js";
import { formatOf } from "./format/registry.js";
import type { DifferenceResult } from "./lens/difference/difference-result.js";
import { renameRule } from "./source/names/rename.js";
import { differenceOf } from "./source/pair/difference-of.js";
import { openPair } from "./source/pair/open-pair.js";

export interface DiffOptions {
  /** The format to compare in; default the narrower of each two tensors' formats. */
  readonly view?: Format | BlockFormat | string;
  /** Makes a tensor that cannot be compared an error. */
  readonly strict?: boolean;
  /** Rules for rewriting the names of both sides, such as `s/^module\.//`. */
  readonly rename?: readonly string[];
  /** Compares only the common rows of tensors whose row counts differ. */
  readonly commonRows?: boolean;
  /** Chunks of 65,536 weights to compress, to estimate the size of a delta; default 16. */
  readonly sample?: number;
  /** Seed for the positions of those chunks; default 0. */
  readonly seed?: number;
  /** Called periodically with the number of bytes compared, of both sides. */
  progress?(done: number, total: number): void;
}

/** A format with shared scales, or one without. */
function viewOf(view: Format | BlockFormat | string): Format | BlockFormat {
  if (typeof view === "string") return storageFormat(view);
  return "element" in view ? view : formatOf(view);
}

/**
 * Compares two checkpoints weight by weight, on the calling thread, like `precision-lens diff`.
 *
 * @param before the path of a safetensors file, an index of shards, a folder with one of them, or a recorded run (its base).
 * @param after the same; for a recorded run, its end.
 * @param options how to compare, and a progress callback.
 * @returns a result of the schema `precision-lens-diff/2`, counts in weights.
 * @throws InputError if a file is not valid, if nothing can be compared, or, with `strict`, if anything
 * cannot; RangeError for an unknown format or an invalid rule.
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
