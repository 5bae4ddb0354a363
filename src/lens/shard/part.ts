/** Elements of a tensor, named by its place among those of the whole: from one to before another. */
export type PartRange = readonly [tensor: number, start: number, end: number];

/** Which part of a whole a result is. */
export interface Part {
  /** The shard, from 0; of several that were merged all of them, ascending. */
  readonly index: number | readonly number[];
  /** Shards of the whole. */
  readonly of: number;
  /** A digest of inputs and settings: only parts of one plan make a whole. */
  readonly plan: string;
  /** What was counted, in the order of the whole; what touches is one range. */
  readonly ranges: readonly PartRange[];
  /** Of the whole. Ranges of later tensors are of those that are compared by bytes. */
  readonly whole: { readonly tensors: number; readonly elements: number };
  /** Of a sample of a model: elements of each tensor there. */
  readonly sizes?: readonly number[];
}

export function indicesOf({ index }: Pick<Part, "index">): readonly number[] {
  return typeof index === "number" ? [index] : index;
}

/** Shards of the whole that are not among these, ascending. */
export function missingOf(indices: Iterable<number>, total: number): number[] {
  const there = new Set(indices);
  return Array.from({ length: total }, (_, i) => i).filter((i) => !there.has(i));
}

/** Numbers as the schedulers take them: 3,10-12. */
export function listed(indices: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const i of indices) {
    const last = runs.at(-1);
    if (last && last[1] === i - 1) last[1] = i;
    else runs.push([i, i]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}

/** Elements of ranges of weights. */
export function elementsOf({ ranges, whole }: Pick<Part, "ranges" | "whole">): number {
  return ranges.reduce((sum, [tensor, start, end]) => sum + (tensor < whole.tensors ? end - start : 0), 0);
}

/** What several parts have together. @throws RangeError where an element is in two of them. */
export function joinedRanges(parts: readonly Pick<Part, "ranges">[]): PartRange[] {
  const all = parts.flatMap(({ ranges }) => ranges).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const joined: [number, number, number][] = [];
  for (const [tensor, start, end] of all) {
    const last = joined.at(-1);
    if (last === undefined || last[0] !== tensor) {
      joined.push([tensor, start, end]);
      continue;
    }
    if (start < last[2] || end === start) {
      throw new RangeError(
        `elements ${start} to ${Math.min(end, last[2])} of tensor ${tensor} are counted twice`,
      );
    }
    if (start === last[2]) last[2] = end;
    else joined.push([tensor, start, end]);
  }
  return joined;
}

/** Where the tensors of a part stand among those of the whole: one for each that it lists. */
export function placesOf({ ranges, whole }: Pick<Part, "ranges" | "whole">): number[] {
  return [...new Set(ranges.map(([tensor]) => tensor))].filter((tensor) => tensor < whole.tensors);
}
