import type { BlockSettings } from "../../../update/block-settings.js";
import { blockScaleLanes, elementsOf } from "../../lane/scale-rules.js";
import type { FunctionWriter, I32 } from "../assembler/function.js";
import { type CaseLayout, type Layout, scratchLayout, tensorTally } from "../layout.js";
import { beginGroups } from "./begin.js";
import { forEachGroup, loadGroup, vectorBytes } from "./groups.js";
import { flagsOf } from "./lanes.js";
import { forEachFourGroups, groupAddress } from "./largest.js";
import { scalesOfGroups, sent, tensorScaleAt } from "./shared-step.js";
import { addCount, countOf } from "./sum.js";

/**
 * The body of `begin(base, count)` for shared scales: quantizes the given weights to nearest-even like startBlock
 * of update/block-step.ts, and counts those altered by it.
 */
export function writeBeginShared(
  k: FunctionWriter,
  settings: BlockSettings,
  layout: Layout,
  caseLayout: CaseLayout,
): void {
  const { f32x4 } = k;
  const [base, count] = [k.parameter(0, "i32"), k.parameter(1, "i32")];
  const shared = caseLayout.shared!;
  const tensor = tensorScaleAt(k, settings, base, shared.tensor + 4);
  forEachFourGroups(k, base, count, (groups) => {
    const scales = scalesOfGroups(k, settings, k.load("v128", groups, shared.largest), tensor);
    for (const offset of [shared.startScales, shared.scales]) k.store("v128", scales, groups, offset);
  });
  beginGroups(k, layout, caseLayout, (row, given, i) => {
    const scale = k.load("v128_32_splat", groupAddress(k, base, i), shared.scales);
    const by = blockScaleLanes(k, scale, settings.blocks, tensor);
    return given.map((x, half) => {
      const quotients = by.scaled(sent(k, x, settings));
      const element = elementsOf(k, quotients, by, settings.blocks, "nearest-even", () => x);
      const stored = f32x4.mul(element, by.step);
      const { carriers } = caseLayout;
      const rows = [
        [stored, [caseLayout.start, caseLayout.weights]],
        [element, [shared.startElements, shared.elements]],
        [settings.scheme === "master" ? x : f32x4.constant(0), carriers === null ? [] : [carriers]],
      ] as const;
      for (const [numbers, offsets] of rows)
        for (const offset of offsets) k.store("v128", numbers, row, offset + half * vectorBytes);
      return stored;
    });
  });
}

/** Counts, for `end`, the codes and scales that differ from those before the first step. */
export function countSharedEnds(
  k: FunctionWriter,
  { scratch }: Layout,
  caseLayout: CaseLayout,
  { base, count, tally }: { readonly base: I32; readonly count: I32; readonly tally: I32 },
): void {
  const { i32, i32x4, v128 } = k;
  const shared = caseLayout.shared!;
  const codes = k.variable("i32");
  const groups = { blocks: k.variable("v128"), blockScales: k.variable("v128") };
  forEachFourGroups(k, base, count, (at) => {
    const [first, before, after] = [shared.firsts, shared.startScales, shared.scales].map((offset) =>
      k.load("v128", at, offset),
    );
    k.assign(groups.blocks, i32x4.sub(groups.blocks, first));
    const other = v128.andnot(first, i32x4.eq(before, after));
    k.assign(groups.blockScales, i32x4.sub(groups.blockScales, other));
  });
  forEachGroup(k, base, i32.constant(0), count, (row) => {
    const before = loadGroup(k, row, shared.startElements);
    const after = loadGroup(k, row, shared.elements);
    const [low, high] = before.map((element, half) => v128.not(i32x4.eq(element, after[half])));
    k.assign(codes, i32.add(codes, i32.popcnt(flagsOf(k, low, high))));
  });
  addCount(k, codes, tally, tensorTally.codes);
  for (const name of ["blocks", "blockScales"] as const) {
    const total = countOf(k, groups[name], i32.add(base, scratch), scratchLayout.counts);
    addCount(k, total, tally, tensorTally[name]);
  }
}
