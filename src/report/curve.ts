import type { Case, CurvePoint } from "../lens/run/case.js";

/** The run so far after some of its steps; empty where a result does not carry it, as those saved before it was counted. */
export function curveOf({ curve }: Partial<Pick<Case, "curve">>): readonly CurvePoint[] {
  return curve ?? [];
}
