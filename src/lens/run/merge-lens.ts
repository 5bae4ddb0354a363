import { moduleOf } from "../module.js";
import { type ModuleKind, moduleKinds } from "../module-kind.js";
import type { Spread } from "../spread.js";
import { UpdateTally } from "../tally.js";
import type { Case, End, TensorCounts, UpdateCounts } from "./case.js";
import { updateTallyOf } from "./counted.js";
import { updateCounts } from "./summarize.js";

/** Additional results for merging a LoRA adapter. */
export interface MergeLens {
  /** Of the tensors that were counted: one number, or what it is between. */
  readonly rank: Spread;
  readonly scale: Spread;
  readonly rsLora: boolean;
  /** The format to which updates were rounded before they were added; null: they are fp32. */
  readonly rounded: string | null;
  /** The part of the base that the adapter does not touch. */
  readonly untouched: { readonly tensors: number; readonly elements: number };
  /** Tensors that the adapter has as they are: merging takes these, nothing is added. */
  readonly replaced: readonly string[];
  /** For each case of the result. */
  readonly cases: readonly MergeCase[];
  /** Against a merged checkpoint; null where none was given. */
  readonly merged: MergedComparison | null;
}

export interface MergeCase {
  /** One for each kind that occurs, in the order of `moduleKinds`. */
  readonly kinds: readonly KindCounts[];
  readonly layers: readonly LayerCounts[];
  /** The update added, then subtracted again; null where it was not asked for. */
  readonly unmerge: Unmerge | null;
}

export interface ModuleCounts extends UpdateCounts {
  readonly tensors: number;
  readonly elements: number;
}

export interface KindCounts extends ModuleCounts {
  readonly kind: ModuleKind;
}

export interface LayerCounts extends ModuleCounts {
  readonly stack: string;
  readonly layer: number;
}

/** Stored weights after merging and unmerging, against those before. */
export interface Unmerge {
  readonly elements: number;
  /** As before, of these `returned` had moved. */
  readonly unchanged: number;
  readonly returned: number;
  readonly changed: number;
  readonly nonfinite: number;
  /** changed / (unchanged + changed) */
  readonly changedShare: number | null;
}

interface TensorsDiffer {
  readonly tensors: number;
  readonly differ: number;
}

/** The weights that one case merges to, against those of a file. */
export interface MergedComparison {
  /** The index of the case. */
  readonly case: number;
  readonly tensors: number;
  readonly elements: number;
  /** Weights whose bits differ. */
  readonly differ: number;
  /** Of the file, tensors that the adapter has no part in, or takes the place of, and how many of these are not as they should be. */
  readonly others: TensorsDiffer & {
    /** Those of which the adapter takes the place: they should be the adapter's, and the rest the base's. Absent from old results. */
    readonly replaced?: TensorsDiffer;
  };
  /** Tensors that could not be compared, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** Adds up the updates of a case by kind of module and by layer. */
export function mergeCase({ tensors }: Case, unmerge: End | null): MergeCase {
  const placed = tensors.map((tensor) => ({ tensor, ...moduleOf(tensor.name) }));
  const kinds = moduleKinds.flatMap((kind) => {
    const ofKind = placed.filter((each) => each.kind === kind);
    return ofKind.length > 0 ? [{ kind, ...addedUp(ofKind.map(({ tensor }) => tensor)) }] : [];
  });
  const layers = new Map<string, { stack: string; layer: number; of: TensorCounts[] }>();
  for (const { tensor, stack, layer } of placed) {
    if (stack === null) continue;
    const key = `${layer} ${stack}`;
    const entry = layers.get(key) ?? { stack, layer: layer!, of: [] };
    entry.of.push(tensor);
    layers.set(key, entry);
  }
  return {
    kinds,
    layers: [...layers.values()]
      .sort((a, b) => (a.stack === b.stack ? a.layer - b.layer : a.stack < b.stack ? -1 : 1))
      .map(({ stack, layer, of: counts }) => ({ stack, layer, ...addedUp(counts) })),
    unmerge: unmerge && unmergeOf(unmerge, tensors),
  };
}

function addedUp(tensors: readonly TensorCounts[]): ModuleCounts {
  const tally = new UpdateTally();
  let elements = 0;
  for (const { totals } of tensors) {
    tally.merge(updateTallyOf(totals));
    elements += totals.elements;
  }
  return { tensors: tensors.length, elements, ...updateCounts(tally) };
}

function unmergeOf({ unchanged, returned, nonfinite }: End, tensors: readonly TensorCounts[]): Unmerge {
  const elements = tensors.reduce((sum, { totals }) => sum + totals.elements, 0);
  const finite = elements - nonfinite;
  const changed = finite - unchanged;
  return {
    elements,
    unchanged,
    returned,
    changed,
    nonfinite,
    changedShare: finite === 0 ? null : changed / finite,
  };
}
