import type { Case, End } from "../lens/result.js";

/** The end of the run so far, as it was after one of its steps. */
export type CurvePoint = Pick<
  End,
  "unchanged" | "neverUpdated" | "cancelled" | "hidden" | "returned" | "nonfinite" | "effectiveDescent"
> & { readonly step: number; readonly elements: number };

/** The run so far after some of its steps; empty where a result does not carry it. */
export function curveOf(of: Case): readonly CurvePoint[] {
  return (of as Case & { readonly curve?: readonly CurvePoint[] }).curve ?? [];
}
