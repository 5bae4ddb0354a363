import type { BlockSettings } from "../../update/block-settings.js";
import type { Lane } from "./lane.js";
import { isNonfinite, magnitude } from "./numbers.js";
import type { LaneSettings } from "./refusal.js";
import type { LaneState } from "./scheme.js";

/** The test of lens/classify.ts for non-finite numbers. */
export function foundNonfinite<V>(
  k: Lane<V>,
  settings: LaneSettings | BlockSettings,
  before: LaneState<V>,
  update: V,
  after: LaneState<V>,
): V {
  const [first, ...others] = judged(settings, before, update, after).map((x) => magnitude(k, x));
  return isNonfinite(
    k,
    others.reduce((a, b) => k.i32x4.max_s(a, b), first),
  );
}

/** The numbers of a weight-step that must be finite. */
function judged<V>(
  settings: LaneSettings | BlockSettings,
  before: LaneState<V>,
  update: V,
  after: LaneState<V>,
): V[] {
  const { scheme, overflow, format } = settings;
  // For in-place, it suffices to test the result, which is nonfinite if a number before it is, unless overflow
  // saturates, as elements with shared scales do. Recipes compute the update separately.
  const isPlain = !settings.recipe && !settings.blocks;
  if (isPlain && scheme === "in-place" && overflow === "ieee" && format.hasNaN) return [after.weight];
  return [before.weight, update, after.weight, ...(after.carrier === null ? [] : [after.carrier])];
}
