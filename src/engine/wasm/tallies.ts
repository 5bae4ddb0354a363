import type { BlockFormat } from "../../format/block/block-format.js";
import { type ChangedCounts, mergedShared } from "../../lens/shared-tally.js";
import type { ExactSum } from "../../lens/sum.js";
import {
  causes,
  endSums,
  MomentTally,
  type RecipeTally,
  type Tally,
  type UpdateTally,
} from "../../lens/tally.js";
import type { Recipe } from "../../update/recipe/recipe.js";
import type { EndCounts } from "../end.js";
import type { momentCounts } from "../lane/recipe-step.js";
import type { WasmSettings } from "./admission.js";
import { addDigits } from "./digits.js";
import { type CaseLayout, histogramTable, recipeTally, stepTally, tensorTally } from "./layout.js";

/** Reads the counts of kernels from the memory of a worker, or from a copy of a part of it. */
export class TallyReader {
  readonly #bytes: DataView;

  /** @param first the address of the first byte. */
  constructor(
    bytes: Uint8Array,
    readonly first = 0,
  ) {
    this.#bytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Adds the counts of one step of `elements` weights and `padding` zeros, which are subtracted. */
  step(address: number, settings: WasmSettings, elements: number, padding: number, tally: UpdateTally): void {
    const nonfinite = this.#count(address + stepTally.nonfinite);
    const collateral = this.#count(address + stepTally.collateral);
    const collateralZeros = this.#count(address + stepTally.collateralZeros);
    const none = this.#count(address + stepTally.zero) - nonfinite - padding - collateralZeros;
    const moved = this.#count(address + stepTally.moved);
    const kept = this.#count(address + stepTally.kept);
    tally.none += none;
    tally.moved += moved;
    tally.kept += kept;
    tally.nonfinite += nonfinite;
    tally.collateral += collateral;
    tally.collateralZeros += collateralZeros;
    tally.lost += elements - none - moved - kept - nonfinite - collateral;
    if (settings.blocks) {
      const count = (name: SharedCount | "clipped" | "flushed") => this.#count(address + stepTally[name]);
      const changed = changedOf(settings.blocks, count);
      tally.shared = mergedShared(tally.shared, {
        ...changed,
        clipped: count("clipped"),
        flushed: count("flushed"),
      });
    }
    this.#sum(address + stepTally.updateSquared, tally.updateSquared);
    this.#sum(address + stepTally.effectiveSquared, tally.effectiveSquared);
    this.#sum(address + stepTally.product, tally.product);
  }

  /** Adds the counts of one comparison of weights with the start; subtracts `padding` zeros. */
  comparison(
    address: number,
    settings: WasmSettings,
    padding: number,
    { end: tally, probes }: EndCounts,
  ): void {
    const count = (name: keyof typeof tensorTally) => this.#count(address + tensorTally[name]);
    const unchanged = count("unchanged") - padding;
    tally.addUnchanged(unchanged, count("still") - padding, count("neverUpdated") - padding);
    tally.returned += count("returned");
    tally.nonfinite += count("nonfinite");
    for (const name of endSums) this.#sum(address + tensorTally[name], tally[name]);
    if (settings.blocks) {
      tally.shared = mergedShared(tally.shared, changedOf(settings.blocks, count));
    }
    if (probes === undefined) return;
    probes.pathNotTaken += unchanged + count("pathNotTaken");
    probes.smallSubnetworks += unchanged + count("smallSubnetworks");
  }

  /** The number of weights that differ from those of the job's first case after a step. */
  parted(address: number): number {
    return this.#count(address + stepTally.parted);
  }

  /**
   * Adds the counts of `elements` weights other than those of steps and comparisons.
   *
   * @param steps weight-steps, and the zeros processed with them as padding.
   */
  rest(
    caseLayout: CaseLayout,
    settings: WasmSettings,
    elements: number,
    steps: { readonly weights: number; readonly padding: number },
    tally: Tally,
  ): void {
    tally.elements += elements;
    tally.castChanged += this.#count(caseLayout.tally + tensorTally.castChanged);
    this.#histogram(caseLayout.histogram, settings.format.precision, tally);
    if (settings.recipe) this.#recipe(caseLayout.recipe, settings.recipe, steps, tally.recipe);
  }

  #recipe(
    at: number,
    { moments }: Recipe,
    { weights, padding }: { readonly weights: number; readonly padding: number },
    tally: RecipeTally,
  ): void {
    for (const cause of causes) tally.causes[cause] += this.#count(at + recipeTally.cause(cause));
    tally.causes.gradient -= padding;
    tally.mergeMoments(
      moments.map(({ name }, m) => {
        const count = (field: (typeof momentCounts)[number]) =>
          this.#count(at + recipeTally.moment(m, field));
        const moment = new MomentTally(name);
        moment.none = count("zero") - padding;
        moment.moved = count("moved");
        moment.kept = count("kept");
        moment.nonfinite = count("nonfinite");
        moment.lost = weights - moment.none - moment.moved - moment.kept - moment.nonfinite;
        return moment;
      }),
    );
  }

  #histogram(address: number, precision: number, { histogram, probes }: Tally): void {
    const { binBytes, copies, copyBytes, lowest, movedKind, keptKind, ruleKind } = histogramTable;
    const at = this.#bytes.byteOffset + address - this.first;
    const length = copyBytes / 4;
    const counts = new Uint32Array(this.#bytes.buffer, at, copies * length);
    // Bin 0 counts no updates but the zeros at its index 0.
    for (let i = binBytes / 4; i < length; i++) {
      let count = 0;
      for (let copy = 0; copy < copies; copy++) count += counts[copy * length + i];
      if (count === 0) continue;
      const bin = Math.floor((4 * i) / binBytes) - lowest + precision - 1;
      const kind = (4 * i) % binBytes;
      const moved = (kind & movedKind) !== 0;
      const kept = (kind & keptKind) !== 0;
      const rule = (kind & ruleKind) !== 0;
      if (!(moved && kept)) histogram.add(moved ? "moved" : kept ? "kept" : "lost", bin, count);
      if (rule) probes.ulpRule += count;
      if (rule && moved) probes.ulpRuleMoved += count;
      if (!rule && !moved) probes.ulpRuleUnmoved += count;
    }
  }

  #count(address: number): number {
    return Number(this.#bytes.getBigInt64(address - this.first, true));
  }

  #sum(address: number, sum: ExactSum): void {
    addDigits(this.#bytes, address - this.first, sum);
  }
}

type SharedCount = "codes" | "blocks" | "blockScales";

/** The changes of codes and block scales. */
function changedOf({ element, scale }: BlockFormat, count: (name: SharedCount) => number): ChangedCounts {
  const [codes, blocks, blockScales] = [count("codes"), count("blocks"), count("blockScales")];
  const bits = codes * element.bits + blockScales * scale.bits;
  return { codes, blocks, blockScales, tensors: 0, tensorScales: 0, bits };
}
