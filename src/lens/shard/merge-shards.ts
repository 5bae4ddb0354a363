import type { DifferenceResult } from "../difference/difference-result.js";
import type { Result } from "../run/result.js";
import type { SweepResult } from "../study/sweep.js";
import { DifferenceSum } from "./merge-difference.js";
import { type PartialResult, PartRefused, PartSet } from "./merge-parts.js";
import { RunSum } from "./merge-run.js";
import { SweepSum } from "./merge-sweep.js";
import { elementsOf, type Part, placesOf } from "./part.js";

/** Adds up shards one at a time, so that only one and the sum are in memory. */
export class ShardMerger {
  readonly #set = new PartSet();
  #sum: RunSum | DifferenceSum | SweepSum | null = null;

  /** @throws PartRefused for a result that is not a part, or belongs to another whole. */
  add(name: string, result: PartialResult): void {
    const part = this.#set.add(name, result);
    expectCounted(name, result, part);
    if (result.schema === "precision-lens/2") (this.#sumOf(RunSum) as RunSum).add(result, part);
    else if (result.schema === "precision-lens-diff/2")
      (this.#sumOf(DifferenceSum) as DifferenceSum).add(result, part);
    else (this.#sumOf(SweepSum) as SweepSum).add(result, part);
  }

  #sumOf(kind: new () => RunSum | DifferenceSum | SweepSum): RunSum | DifferenceSum | SweepSum {
    this.#sum ??= new kind();
    return this.#sum;
  }

  /** The whole, or with `partial` the available parts. @throws PartRefused if shards are missing. */
  end(partial = false): PartialResult {
    if (this.#sum === null) throw new PartRefused("merge", "results of shards", "none");
    return this.#sum.end(this.#set.end(partial));
  }
}

/**
 * Adds up the results of shards: of runs, comparisons and sweeps that were counted with `--shard`. The sum
 * equals the result of one machine, bit for bit, except for the engine, which names all engines.
 *
 * @param results in any order; some may be sums themselves.
 * @param options `partial`: shards may be missing; the result then says which part it is.
 * @returns one result of the same kind.
 * @throws RangeError if one is not a shard, belongs to another whole, or is a duplicate; without `partial`,
 * if one is missing.
 * @example
 * const part = async (index, start, end) => {
 *   const numbers = { length: end, read: async (from, into) => into.fill(1) };
 *   const tensor = { name: "w", shape: [8192], start, weights: numbers, updates: [{ ...numbers, read: async (from, into) => into.fill(1e-3) }] };
 *   const shard = { part: { index, of: 2, plan: "p", ranges: [[0, start, end]], whole: { tensors: 1, elements: 8192 } }, all: [] };
 *   const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} };
 *   const job = { tensors: [tensor], stepNumbers: [0], cases: [updateSettings({ format: "bf16" })], source, skipped: [], strict: true, shard };
 *   return runLens(job, await selectEngine("reference", job));
 * };
 * mergeShards([await part(1, 4096, 8192), await part(0, 0, 4096)]).cases[0].totals.lost; // 8192
 */
export function mergeShards<Of extends PartialResult>(
  results: readonly Of[],
  options: { readonly partial?: boolean } = {},
): Of {
  const merger = new ShardMerger();
  for (const [i, result] of results.entries()) merger.add(`result ${i}`, result);
  return merger.end(options.partial) as Of;
}

/** The ranges a part claims, and those it counted. */
function expectCounted(name: string, result: PartialResult, part: Part): void {
  const said = elementsOf(part);
  for (const elements of countsOf(result)) {
    if (elements !== said) throw new PartRefused(name, `${said} weights, as its ranges are`, `${elements}`);
  }
  const lists = listsOf(result);
  const { length } = placesOf(part);
  const wrong = lists.find((tensors) => tensors.length !== length);
  if (wrong) throw new PartRefused(name, `${length} tensors, as its ranges are`, `${wrong.length}`);
}

function countsOf(result: PartialResult): number[] {
  if (result.schema === "precision-lens-diff/2") return [result.totals.elements];
  const counts = result.schema === "precision-lens/2" ? result.cases : result.cells;
  return counts.map(({ totals }: Result["cases"][number] | SweepResult["cells"][number]) => totals.elements);
}

function listsOf(result: PartialResult): readonly (readonly unknown[])[] {
  if (result.schema === "precision-lens/2") return result.cases.map(({ tensors }) => tensors);
  if (result.schema === "precision-lens-sweep/2") return result.part!.cells ?? [];
  return [result.tensors, (result as DifferenceResult).part!.counted];
}
