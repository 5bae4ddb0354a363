import { quantileDraw } from "../../../update/quantiles.js";
import { drawText } from "./text.js";

/** Where a step kernel takes its updates from. */
export type UpdateSource =
  /** Read from `updates`, in batch order. */
  | { readonly kind: "stored" }
  /** Drawn from a table of `entries` quantiles. */
  | { readonly kind: "drawn"; readonly entries: number };

/** Declares the key of the step's updates or of its random bits. */
export function keyText(name: "keys" | "bits"): string {
  return `let ${name}Low = constants[params.${name} + 2u * piece]; let ${name}High = constants[params.${name} + 2u * piece + 1u];`;
}

/** Before all pairs. */
export function beforeUpdates({ kind }: UpdateSource): string {
  return kind === "drawn" ? keyText("keys") : "";
}

/** The updates of a pair, `u0` and `u1`. */
export function updateText(updates: UpdateSource): string {
  if (updates.kind === "stored") return "let u0 = updates[2u * pair]; let u1 = updates[2u * pair + 1u];";
  const entry = (bits: string) =>
    updates.entries === 1
      ? "params.table"
      : `params.table + (${bits} >> ${32 - Math.log2(updates.entries)}u)`;
  return `let drawn = ${drawText("keysLow", "keysHigh", quantileDraw)};
let u0 = select(0u, constants[${entry("drawn.x")}], element < length);
let u1 = select(0u, constants[${entry("drawn.y")}], element + 1u < length);`;
}
