import type { EndSum } from "../../../lens/tally.js";
import { schemes } from "../../../update/scheme.js";
import type { UpdateSettings } from "../../../update/settings.js";
import { displacement, isNonfinite, magnitude as magnitudeOf } from "../../lane/numbers.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type CaseLayout, type Layout, scratchLayout, tensorTally } from "../layout.js";
import { forEachBlock, forEachGroup, halves, loadGroup, vectorBytes } from "./groups.js";
import { flagsOf, promoteHalf } from "./lanes.js";
import { countSharedEnds } from "./shared-ends.js";
import { addCount, addExactly, sumOfLanes } from "./sum.js";

const countNames = [
  "unchanged",
  "still",
  "neverUpdated",
  "returned",
  "nonfinite",
  "pathNotTaken",
  "smallSubnetworks",
] as const;

/** Parameters of `end`: where the worker's memory begins, weights, and the tally. */
export const endParameters = ["i32", "i32", "i32"] as const;

/**
 * The body of `end(base, count, tally)`: compares the current weights with the start, like CaseLens of the reference
 * engine at the end and at milestones. Padding counts as unchanged and never updated; the caller subtracts it.
 */
export function writeEnd(
  k: FunctionWriter,
  { scheme }: UpdateSettings,
  layout: Layout,
  caseLayout: CaseLayout,
): void {
  const { f32x4, f64x2, i32, v128, i32x4 } = k;
  const [base, count, tally] = endParameters.map((type, i) => k.parameter(i, type));
  const scratch = i32.add(base, layout.scratch);
  const counts = new Map(countNames.map((name) => [name, k.variable("i32")]));
  const tallied = (name: (typeof countNames)[number], flags: I32) => {
    k.assign(counts.get(name)!, i32.add(counts.get(name)!, i32.popcnt(flags)));
  };
  const lanesOf = () => [0, 1, 2, 3].map(() => k.variable("v128"));
  const { holds } = schemes[scheme];
  const sums: Record<Exclude<EndSum, "product">, readonly V128[]> = {
    displacementSquared: lanesOf(),
    noiseSquared: lanesOf(),
    weightSquared: lanesOf(),
    retainedProduct: lanesOf(),
  };
  const add = (lanes: V128, a: V128, b: V128) => k.assign(lanes, f64x2.add(lanes, f64x2.mul(a, b)));

  forEachBlock(k, count, (from, to) => {
    const nothing = i32x4.constant(0);
    for (const lanes of Object.values(sums).flat()) k.assign(lanes, nothing);
    for (const i of [0, 1, 2, 3]) k.store("v128", nothing, scratch, scratchLayout.product + i * vectorBytes);

    forEachGroup(k, base, from, to, (row, flags) => {
      const variable = (x: V128) => {
        const local = k.variable("v128");
        k.assign(local, x);
        return local;
      };
      const variables = (offset: number) => loadGroup(k, row, offset).map(variable);
      const given = variables(layout.given);
      const now = variables(layout.now);
      const start = variables(caseLayout.start);
      const weights = variables(caseLayout.weights);
      const carriers = holds === "weight" ? null : variables(caseLayout.carriers!);
      const excluded = k.load("i32_8u", flags, caseLayout.nonfinite);
      const finite = k.variable("i32");
      k.assign(finite, i32.constant(0xff));
      const [low, high] = halves.map((h) =>
        isNonfinite(k, i32x4.max_s(magnitudeOf(k, given[h]), magnitudeOf(k, now[h]))),
      );
      const nonfinite = i32.or(excluded, flagsOf(k, low, high));
      k.if(nonfinite, () => {
        tallied("nonfinite", nonfinite);
        k.assign(finite, i32.xor(nonfinite, 0xff));
        // Zeroed lanes add nothing to the sums; `finite` excludes them from the counts.
        for (const half of halves) {
          const mask = maskOf(k, nonfinite, half);
          for (const row of [given, now, start, weights, ...(carriers ? [carriers] : [])])
            k.assign(row[half], v128.andnot(row[half], mask));
        }
      });

      const same = halves.map((h) => f32x4.eq(weights[h], start[h]));
      const unchanged = i32.and(flagsOf(k, same[0], same[1]), finite);
      const [sameNow, sameNowHigh] = halves.map((h) => f32x4.eq(now[h], given[h]));
      tallied("unchanged", unchanged);
      tallied("still", i32.and(unchanged, flagsOf(k, sameNow, sameNowHigh)));
      tallied("neverUpdated", i32.and(unchanged, i32.xor(k.load("i32_8u", flags, layout.updated), 0xff)));
      tallied("returned", i32.and(unchanged, k.load("i32_8u", flags, caseLayout.moved)));

      const inFp32: V128[] = [];
      const visible = halves.map((half) => variable(displacement(k, weights[half], start[half])));
      for (const half of halves) {
        const fp32 = variable(displacement(k, now[half], given[half]));
        // The twin of retainedDisplacement in engine/end.ts.
        const retained =
          holds === "weight"
            ? visible[half]
            : holds === "carrier"
              ? variable(displacement(k, carriers![half], given[half]))
              : variable(displacement(k, visible[half], f32x4.neg(carriers![half])));
        const noise = variable(displacement(k, retained, fp32));
        for (const quarter of halves) {
          const i = 2 * half + quarter;
          const promoted = (x: V128) => variable(promoteHalf(k, x, quarter));
          inFp32.push(promoted(fp32));
          const [n, w] = [promoted(noise), promoted(given[half])];
          add(sums.displacementSquared[i], inFp32[i], inFp32[i]);
          add(sums.noiseSquared[i], n, n);
          add(sums.weightSquared[i], w, w);
          // Of a weight that holds all, `product` has the same terms.
          if (holds !== "weight") add(sums.retainedProduct[i], promoted(retained), inFp32[i]);
        }
      }
      k.if(i32.xor(unchanged, finite), () => {
        for (const half of halves) {
          for (const quarter of halves) {
            const { path, small } = endProbes(k, start[half], weights[half], quarter);
            const i = 2 * half + quarter;
            const place = scratchLayout.product + i * vectorBytes;
            const product = f64x2.mul(promoteHalf(k, visible[half], quarter), inFp32[i]);
            k.store("v128", f64x2.add(k.load("v128", scratch, place), product), scratch, place);
            const changed = i32.and(i32.shr_u(i32.xor(unchanged, finite), 2 * i), 3);
            tallied("pathNotTaken", i32.and(k.i64x2.bitmask(path), changed));
            tallied("smallSubnetworks", i32.and(k.i64x2.bitmask(small), changed));
          }
        }
      });
    });

    const product = [0, 1, 2, 3].map((i) => k.load("v128", scratch, scratchLayout.product + i * vectorBytes));
    const retainedProduct = holds === "weight" ? product : sums.retainedProduct;
    for (const [name, lanes] of Object.entries({ ...sums, product, retainedProduct })) {
      k.call(addExactly, i32.add(tally, tensorTally[name as EndSum]), sumOfLanes(k, lanes));
    }
  });

  for (const name of countNames) addCount(k, counts.get(name)!, tally, tensorTally[name]);
  if (caseLayout.shared) countSharedEnds(k, caseLayout, { base, count, tally });
}

/** The published probes of lens/probes.ts that judge the end, on two weights; both call an unchanged weight unchanged. */
function endProbes(k: FunctionWriter, before: V128, after: V128, quarter: number) {
  const { f64x2 } = k;
  const [from, to] = [promoteHalf(k, before, quarter), promoteHalf(k, after, quarter)];
  const size = f64x2.abs(f64x2.sub(to, from));
  const larger = f64x2.pmax(f64x2.abs(from), f64x2.abs(to));
  return {
    path: f64x2.le(size, f64x2.mul(f64x2.constant(1e-3), larger)),
    small: f64x2.le(size, f64x2.constant(1e-5)),
  };
}

/** The mask of four weights from the flags of their group. */
function maskOf(k: FunctionWriter, flags: I32, half: number): V128 {
  const { i32x4, v128 } = k;
  const [a, b, c, d] = [1, 2, 4, 8].map((bit) => bit << (4 * half));
  const bits = i32x4.constants(a, b, c, d);
  return i32x4.eq(v128.and(i32x4.splat(flags), bits), bits);
}
