import type { UpdateCounts } from "../../lens/run/case.js";

/** The updates that were not zero: all shares of moved, kept and lost are of these. */
export function nonzeroUpdates({ moved, kept, lost }: Pick<UpdateCounts, "moved" | "kept" | "lost">): number {
  return moved + kept + lost;
}
