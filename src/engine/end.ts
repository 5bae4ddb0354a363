import { displacement } from "../lens/displacement.js";
import { pathNotTakenUnchanged, smallSubnetworksUnchanged } from "../lens/probes.js";
import { blockLength, type ExactSum, laneCount, sumOfLanes } from "../lens/sum.js";
import { type EndSum, type EndTally, endSums, type ProbeTally } from "../lens/tally.js";
import type { Scheme } from "../update/scheme.js";

/** Flags of a weight over the steps of a run. */
export const movedFlag = 1;
export const nonfiniteFlag = 2;

/** The stored weights of a chunk at the start and end of a run. */
export interface StoredEnds {
  readonly before: Float32Array;
  readonly after: Float32Array;
  /** Combinations of {@link movedFlag} and {@link nonfiniteFlag}. */
  readonly flags: ArrayLike<number>;
  readonly holds: Scheme["holds"];
  /** The carriers at the end; not read if the weight alone holds the updates. */
  readonly carriers: Float32Array;
}

/** The same run in fp32. */
export interface CounterfactualEnds {
  /** The given weights. */
  readonly start: Float32Array;
  readonly now: Float32Array;
  /** 1 where an update was not zero. */
  readonly updated: ArrayLike<number>;
}

/** The counts of comparing weights with their start. Probes apply only to the end of a run. */
export interface EndCounts {
  readonly end: EndTally;
  readonly probes?: ProbeTally;
}

/** Counts the weights from `from`, a multiple of blockLength, to `to` at the end of a run against its start. */
export function countEnds(
  stored: StoredEnds,
  counterfactual: CounterfactualEnds,
  tally: EndCounts,
  from: number,
  to: number,
): void {
  const lanes = Object.fromEntries(endSums.map((name) => [name, new Float64Array(laneCount)])) as Record<
    EndSum,
    Float64Array
  >;
  for (let block = from; block < to; block += blockLength) {
    const end = Math.min(block + blockLength, to);
    for (let i = block; i < end; i++) {
      if (!countEnd(i, stored, counterfactual, tally)) continue;
      const start = counterfactual.start[i];
      const fp32 = displacement(counterfactual.now[i], start);
      const visible = displacement(stored.after[i], stored.before[i]);
      const retained = retainedDisplacement(i, stored, start, visible);
      const noise = displacement(retained, fp32);
      const lane = i % laneCount;
      lanes.displacementSquared[lane] += fp32 * fp32;
      lanes.product[lane] += visible * fp32;
      lanes.retainedProduct[lane] += retained * fp32;
      lanes.noiseSquared[lane] += noise * noise;
      lanes.weightSquared[lane] += start * start;
    }
    for (const name of endSums) takeLanes(lanes[name], tally.end[name]);
  }
}

/** The displacement of weight plus carrier. A master starts from the given weight, any other carrier from zero. */
function retainedDisplacement(
  i: number,
  { holds, carriers }: StoredEnds,
  start: number,
  visible: number,
): number {
  if (holds === "weight") return visible;
  return holds === "carrier" ? displacement(carriers[i], start) : displacement(visible, -carriers[i]);
}

/** Counts weight i; false if it is excluded as nonfinite. */
function countEnd(
  i: number,
  stored: StoredEnds,
  { start, now, updated }: CounterfactualEnds,
  { end, probes }: EndCounts,
): boolean {
  const finite =
    (stored.flags[i] & nonfiniteFlag) === 0 && Number.isFinite(start[i]) && Number.isFinite(now[i]);
  if (!finite) {
    end.nonfinite += 1;
    return false;
  }
  const before = stored.before[i];
  const after = stored.after[i];
  if (probes && pathNotTakenUnchanged(before, after)) probes.pathNotTaken += 1;
  if (probes && smallSubnetworksUnchanged(before, after)) probes.smallSubnetworks += 1;
  if (after !== before) return true;
  end.unchanged += 1;
  if (updated[i] === 0) end.neverUpdated += 1;
  else if (now[i] === start[i]) end.cancelled += 1;
  else end.hidden += 1;
  if (stored.flags[i] & movedFlag) end.returned += 1;
  return true;
}

/** Adds the sum of one block and resets the lanes. */
export function takeLanes(lanes: Float64Array, sum: ExactSum): void {
  sum.add(sumOfLanes(lanes));
  lanes.fill(0);
}

/** Weights altered by the cast to the storage format; NaN counts as unaltered. */
export function countCastChanged(
  given: Float64Array,
  stored: Float32Array,
  from: number,
  to: number,
): number {
  let changed = 0;
  for (let i = from; i < to; i++) if (stored[i] !== given[i] && !Number.isNaN(given[i])) changed += 1;
  return changed;
}
