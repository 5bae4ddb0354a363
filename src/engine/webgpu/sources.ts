import { countOf, originOf, type TensorInput } from "../../lens/input.js";
import { simulatedIn } from "../../lens/run/simulated.js";
import type { SimulatedRun } from "../../update/simulated-adamw.js";
import type { DrawnWeights } from "./kernels/begin.js";

/** How the device obtains the updates of a tensor; those that it cannot generate are read and uploaded. */
export type Updates =
  | { readonly kind: "uploaded" }
  | { readonly kind: "drawn"; readonly table: Float32Array }
  | { readonly kind: "simulated"; readonly run: SimulatedRun };

/** Tensors whose numbers the device obtains in the same way, by the same kernels. */
export interface SourceGroup {
  /** Null for weights that are read and uploaded. */
  readonly weights: DrawnWeights | null;
  readonly updates: Updates;
  /** The indices of the tensors in the job. */
  readonly tensors: number[];
}

/** The tensors of a job grouped by the origin of their numbers. */
export function sourceGroups(tensors: readonly TensorInput[]): SourceGroup[] {
  const groups: SourceGroup[] = [];
  for (const [t, tensor] of tensors.entries()) {
    if (countOf(tensor) === 0) continue;
    const weights = originOf(tensor.weights, "weights") ?? null;
    const updates = updatesOf(tensor);
    const group = groups.find(
      (candidate) => sameWeights(candidate.weights, weights) && sameUpdates(candidate.updates, updates),
    );
    if (group) group.tensors.push(t);
    else groups.push({ weights, updates, tensors: [t] });
  }
  return groups;
}

function sameWeights(a: DrawnWeights | null, b: DrawnWeights | null): boolean {
  if (a === null || b === null) return a === b;
  return a.distribution.name === b.distribution.name && a.format === b.format;
}

function sameUpdates(a: Updates, b: Updates): boolean {
  if (a.kind === "drawn") return b.kind === "drawn" && a.table === b.table;
  if (a.kind === "simulated") return b.kind === "simulated" && a.run === b.run;
  return b.kind === "uploaded";
}

function updatesOf({ weights, updates }: TensorInput): Updates {
  const tables = updates.map((values) => originOf(values, "quantiles")?.table);
  const [table] = tables;
  if (table && tables.every((other) => other === table)) return { kind: "drawn", table };
  const simulated = simulatedIn(updates, weights);
  return simulated ? { kind: "simulated", run: simulated.run } : { kind: "uploaded" };
}
