import type { Case, CurvePoint } from "../lens/run/case.js";

/** The run so far after some of its steps; empty for results saved before curves existed. */
export function curveOf({ curve }: Partial<Pick<Case, "curve">>): readonly CurvePoint[] {
  return curve ?? [];
}
