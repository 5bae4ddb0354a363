import type { EndSum } from "../../../lens/tally.js";
import { bitsOf, displacement, isNonfinite, magnitude as magnitudeOf } from "../../lane/numbers.js";
import { schemeOf, type WasmSettings } from "../admission.js";
import type { FunctionWriter, I32, I64, V128 } from "../assembler/function.js";
import { type CaseLayout, type Layout, scratchLayout, tensorTally } from "../layout.js";
import { forEachBlock, forEachGroup, halves, loadGroup, vectorBytes } from "./groups.js";
import { flagsOf, promoteHalf, promoteStored } from "./lanes.js";
import { countSharedEnds } from "./shared-ends.js";
import { addCount, addExactly, addProduct, countOf, sumOfLanes } from "./sum.js";

const countNames = [
  "unchanged",
  "still",
  "neverUpdated",
  "returned",
  "nonfinite",
  "pathNotTaken",
  "smallSubnetworks",
] as const;

/**
 * The probes need no fp64 for formats of at most nine significand bits. A number that changes does so by at least
 * 2^-9 of itself, more than a thousandth: `pathNotTaken` counts no changed weight. And the fp32 difference of two
 * numbers is at most {@link smallMove} if the exact one is at most 1e-5, and only then: to be rounded down across
 * 1e-5, the exact difference would need more leading bits than the larger number has, and the smaller number would
 * lie below them.
 */
const narrowPrecision = 9;
/** The largest fp32 number below 1e-5, as bits. */
const smallMove = bitsOf(1e-5);

/** Lanes of the sums of a block. */
type Sums = Readonly<Record<EndSum, readonly V128[]>>;

/** Parameters of `end`: base of the worker's memory, number of weights, address of the tally. */
export const endParameters = ["i32", "i32", "i32"] as const;

/**
 * The body of `end(base, count, tally)`: compares the current weights with the start, like CaseLens of the reference
 * engine at the end and at milestones. Padding counts as unchanged and never updated; the caller subtracts it.
 */
export function writeEnd(
  k: FunctionWriter,
  settings: WasmSettings,
  layout: Layout,
  caseLayout: CaseLayout,
): void {
  const { f32x4, i32, v128, i32x4 } = k;
  const [base, count, tally] = endParameters.map((type, i) => k.parameter(i, type));
  const counts = new Map(countNames.map((name) => [name, k.variable("i32")]));
  const tallied = (name: (typeof countNames)[number], flags: I32) => {
    k.assign(counts.get(name)!, i32.add(counts.get(name)!, i32.popcnt(flags)));
  };
  const lanesOf = () => [0, 1, 2, 3].map(() => k.variable("v128"));
  const { holds } = schemeOf(settings);
  const product = lanesOf();
  const sums: Sums = {
    displacementSquared: lanesOf(),
    product,
    noiseSquared: lanesOf(),
    weightSquared: lanesOf(),
    // If the weight alone holds the updates, the terms are the same.
    retainedProduct: holds === "weight" ? product : lanesOf(),
  };
  const scratch = i32.add(base, layout.scratch);
  const isNarrow = !settings.blocks && settings.format.precision <= narrowPrecision;
  const small = k.variable("v128");
  // After the last group no weight is unchanged.
  const lastWord = i32.add(base, i32.shl(i32.shr_u(count, 6), 3));
  k.store("i64", k.i64.extend(i32.constant(0)), lastWord, layout.unchanged);

  forEachBlock(k, count, (from, to) => {
    const nothing = i32x4.constant(0);
    for (const lanes of Object.values(sums).flat()) k.assign(lanes, nothing);
    forEachGroup(k, base, from, to, (row, flags) => {
      const variables = (offset: number) => loadGroup(k, row, offset).map((x) => k.variableOf(x));
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
      const sameNow = halves.map((h) => f32x4.eq(now[h], given[h]));
      const unchanged = i32.and(flagsOf(k, same[0], same[1]), finite);
      k.store("i32_8", unchanged, flags, layout.unchanged);
      k.store("i32_8", flagsOf(k, sameNow[0], sameNow[1]), flags, layout.still);

      const displaced = (after: readonly V128[], before: readonly V128[]) =>
        halves.map((half) => displacement(k, after[half], before[half]));
      const visible = displaced(weights, start);
      const fp32 = displaced(now, given);
      // As retainedDisplacement in engine/end.ts.
      const retained =
        holds === "weight"
          ? visible
          : holds === "carrier"
            ? displaced(carriers!, given)
            : halves.map((half) => displacement(k, visible[half], f32x4.neg(carriers![half])));
      const noise = displaced(retained, fp32);
      addSums(k, scratch, sums, { visible, fp32, noise, given, retained });
      if (isNarrow) {
        for (const half of halves) {
          const isSmall = i32x4.lt_s(magnitudeOf(k, visible[half]), i32x4.constant(smallMove + 1));
          k.assign(small, i32x4.sub(small, isSmall));
        }
        return;
      }
      k.if(i32.xor(unchanged, finite), () => {
        for (const half of halves) {
          for (const quarter of halves) {
            const { path, small } = endProbes(k, start[half], weights[half], quarter);
            const changed = i32.and(i32.shr_u(i32.xor(unchanged, finite), 4 * half + 2 * quarter), 3);
            tallied("pathNotTaken", i32.and(k.i64x2.bitmask(path), changed));
            tallied("smallSubnetworks", i32.and(k.i64x2.bitmask(small), changed));
          }
        }
      });
    });

    for (const [name, lanes] of Object.entries(sums)) {
      k.call(addExactly, i32.add(tally, tensorTally[name as EndSum]), sumOfLanes(k, lanes));
    }
  });

  countFlags(k, { base, count }, layout, caseLayout, (name, found) => {
    k.assign(counts.get(name)!, i32.add(counts.get(name)!, k.i32.wrap(k.i64.popcnt(found))));
  });
  if (isNarrow) {
    const rest = i32.add(counts.get("unchanged")!, counts.get("nonfinite")!);
    const all = countOf(k, small, scratch, scratchLayout.counts);
    k.assign(counts.get("smallSubnetworks")!, i32.sub(all, rest));
  }
  for (const name of countNames) addCount(k, counts.get(name)!, tally, tensorTally[name]);
  if (caseLayout.shared) countSharedEnds(k, layout, caseLayout, { base, count, tally });
}

/** The summed numbers of a group, in two halves, all finite. */
type Summed = Readonly<Record<"visible" | "fp32" | "noise" | "given" | "retained", readonly V128[]>>;

/**
 * Adds the products of a group to their sums. Numbers are promoted to fp64 from memory: from a register it takes
 * two operations on x86, and a shuffle for the upper half. This makes `end` 6 % faster.
 */
function addSums(k: FunctionWriter, scratch: I32, sums: Sums, numbers: Summed): void {
  const { displacementSquared, product, noiseSquared, weightSquared, retainedProduct } = sums;
  const names = Object.keys(numbers) as (keyof Summed)[];
  const placeOf = (name: keyof Summed) => scratchLayout.numbers + names.indexOf(name) * 2 * vectorBytes;
  const used = names.filter((name) => name !== "retained" || retainedProduct !== product);
  for (const name of used) {
    for (const half of halves)
      k.store("v128", numbers[name][half], scratch, placeOf(name) + half * vectorBytes);
  }
  for (const i of [0, 1, 2, 3]) {
    const promoted = (name: keyof Summed) => promoteStored(k, scratch, placeOf(name), i);
    const [visible, fp32, noise, given] = (["visible", "fp32", "noise", "given"] as const).map(promoted);
    addProduct(k, displacementSquared[i], fp32, fp32);
    addProduct(k, product[i], visible, fp32);
    addProduct(k, noiseSquared[i], noise, noise);
    addProduct(k, weightSquared[i], given, given);
    if (retainedProduct !== product) addProduct(k, retainedProduct[i], promoted("retained"), fp32);
  }
}

/** Counts unchanged weights, 64 flags at a time, which makes `end` 8 % faster than counting those of each group. */
function countFlags(
  k: FunctionWriter,
  { base, count }: { readonly base: I32; readonly count: I32 },
  layout: Layout,
  caseLayout: CaseLayout,
  tallied: (name: (typeof countNames)[number], found: I64) => void,
): void {
  const { i32, i64 } = k;
  k.loop(i32.constant(0), count, 64, (i) => {
    const word = i32.add(base, i32.shr_u(i, 3));
    const flags = (row: number) => k.load("i64", word, row);
    const unchanged = flags(layout.unchanged);
    tallied("unchanged", unchanged);
    tallied("still", i64.and(unchanged, flags(layout.still)));
    tallied("neverUpdated", i64.and(unchanged, i64.xor(flags(layout.updated), -1)));
    tallied("returned", i64.and(unchanged, flags(caseLayout.moved)));
  });
}

/**
 * The published probes of lens/probes.ts for the end of a run, on two weights; both are true for an unchanged
 * weight.
 */
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
