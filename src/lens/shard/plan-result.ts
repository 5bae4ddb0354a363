import type { Part } from "./part.js";
import { type PlanTensor, planShards, type Shard } from "./plan.js";

/** The result of `--shard plan/N`, `precision-lens-plan/1`; docs/plan.schema.json is its JSON Schema. */
export interface ShardPlan {
  readonly schema: "precision-lens-plan/1";
  readonly tool: { readonly name: string; readonly version: string };
  readonly command: string;
  /** As the parts of its shards have it. */
  readonly plan: string;
  readonly of: number;
  readonly whole: Part["whole"];
  /** The basis of the time estimates. */
  readonly rate: PlanRate;
  readonly shards: readonly PlannedShard[];
}

/** How fast this machine does such work. */
export interface PlanRate {
  /** Bytes a second; null where nothing could be measured. */
  readonly bytesPerSecond: number | null;
  /** What was measured, a sentence. */
  readonly measured: string;
}

export interface PlannedShard {
  readonly index: number;
  readonly tensors: number;
  readonly elements: number;
  /** Read by it, beside headers. */
  readonly bytes: number;
  readonly seconds: number | null;
  /** Its first element; null where it has none. */
  readonly from: { readonly tensor: string; readonly element: number } | null;
}

/** The work of each of this many shards. */
export function plannedShards(
  tensors: readonly (PlanTensor & { readonly name: string })[],
  shards: number,
  { bytesPerSecond }: PlanRate,
): PlannedShard[] {
  const from = ([first]: Shard["ranges"]) =>
    first === undefined ? null : { tensor: tensors[first[0]].name, element: first[1] };
  return planShards(tensors, shards).map(({ ranges, elements, bytes }, index) => ({
    index,
    tensors: ranges.length,
    elements,
    bytes,
    seconds: bytesPerSecond === null ? null : bytes / bytesPerSecond,
    from: from(ranges),
  }));
}

/** Weights of the whole, without what is compared by bytes. */
export function wholeOf(tensors: readonly PlanTensor[], weights: number): Part["whole"] {
  const elements = tensors.slice(0, weights).reduce((sum, tensor) => sum + tensor.elements, 0);
  return { tensors: weights, elements };
}
