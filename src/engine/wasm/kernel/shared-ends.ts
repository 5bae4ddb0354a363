import type { BlockSettings } from "../../../update/block-settings.js";
import { elements, scaled, scaleLanes } from "../../lane/shared-scale.js";
import type { FunctionWriter, I32 } from "../assembler/function.js";
import { type CaseLayout, type Layout, tensorTally } from "../layout.js";
import { loadGroup, vectorBytes } from "./groups.js";
import { flagsOf } from "./lanes.js";
import { forEachSharedGroup, scaleOfBlock, sent } from "./shared-step.js";
import { addCount } from "./sum.js";

/**
 * The body of `begin(base, count)` where scales are shared: quantizes the given weights by nearest-even, as startBlock of
 * update/block-step.ts does, and counts those that this changed.
 */
export function writeBeginShared(
  k: FunctionWriter,
  settings: BlockSettings,
  { given }: Layout,
  caseLayout: CaseLayout,
): void {
  const { f32x4, i32, i32x4, v128 } = k;
  const [base, count] = [k.parameter(0, "i32"), k.parameter(1, "i32")];
  const shared = caseLayout.shared!;
  const changed = k.variable("i32");
  const begin = (row: I32, block: I32) => {
    const code = scaleOfBlock(k, settings, (offset) =>
      sent(k, k.load("v128", row, given + offset), settings),
    );
    for (const offset of [shared.startScales, shared.scales])
      k.store("i32", i32x4.lane(code, 0), block, offset);
    return scaleLanes(k, code);
  };
  forEachSharedGroup(k, { base, from: i32.constant(0), to: count }, begin, (scale, row, flags) => {
    const masks = loadGroup(k, row, given).map((x, half) => {
      const quotients = scaled(k, sent(k, x, settings), scale);
      const element = elements(k, quotients, scale, settings.blocks, "nearest-even", () => x);
      const stored = f32x4.mul(element, scale.number);
      const rows = [
        [stored, [caseLayout.start, caseLayout.weights]],
        [element, [shared.startElements, shared.elements]],
        [x, [caseLayout.carriers!]],
      ] as const;
      for (const [numbers, offsets] of rows)
        for (const offset of offsets) k.store("v128", numbers, row, offset + half * vectorBytes);
      return v128.and(f32x4.ne(stored, x), f32x4.eq(x, x));
    });
    k.assign(changed, i32.add(changed, i32.popcnt(flagsOf(k, masks[0], masks[1]))));
    for (const offset of [caseLayout.moved, caseLayout.nonfinite])
      k.store("i32_8", i32.constant(0), flags, offset);
  });
  addCount(k, changed, base, caseLayout.tally + tensorTally.castChanged);
}

/** Counts, for `end`, the codes and the scales that are others than before the first step. */
export function countSharedEnds(
  k: FunctionWriter,
  caseLayout: CaseLayout,
  { base, count, tally }: { readonly base: I32; readonly count: I32; readonly tally: I32 },
): void {
  const { i32, i32x4, v128 } = k;
  const shared = caseLayout.shared!;
  const counts = { codes: k.variable("i32"), blockScales: k.variable("i32") };
  const begin = (_: I32, block: I32) => {
    const [before, after] = [shared.startScales, shared.scales].map((offset) =>
      k.load("v128_32_splat", block, offset),
    );
    const other = v128.any_true(v128.xor(before, after));
    k.assign(counts.blockScales, i32.add(counts.blockScales, other));
  };
  forEachSharedGroup(k, { base, from: i32.constant(0), to: count }, begin, (_, row) => {
    const before = loadGroup(k, row, shared.startElements);
    const after = loadGroup(k, row, shared.elements);
    const [low, high] = before.map((codes, half) => v128.not(i32x4.eq(codes, after[half])));
    k.assign(counts.codes, i32.add(counts.codes, i32.popcnt(flagsOf(k, low, high))));
  });
  for (const name of ["codes", "blockScales"] as const) addCount(k, counts[name], tally, tensorTally[name]);
}
