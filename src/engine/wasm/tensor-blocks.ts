import { BlockLayout } from "../../format/block/block-layout.js";
import { noTensorScale, type TensorScale } from "../../format/block/scale-rule.js";
import { roundSum } from "../../format/round.js";
import type { TensorInput } from "../../lens/input.js";
import { SharedTally } from "../../lens/shared-tally.js";
import type { EndTally, UpdateTally } from "../../lens/tally.js";
import { type BlockSettings, sharesScales } from "../../update/block-settings.js";
import { dependsOnScales, type WasmSettings } from "./admission.js";

/**
 * The blocks of a tensor, for kernels that see a chunk of it at a time. Under a master scales follow from the fp32 run alone:
 * where a chunk does not have all that a scale depends on, the run is gone through once before, for the largest magnitudes.
 * Plain data, which threads share.
 */
export interface TensorBlocks {
  /** Of each case that shares scales; null for others. */
  readonly cases: readonly (CaseBlocks | null)[];
  /** How many steps the magnitudes are known for, beside those before the first step. */
  readonly steps: number;
  /** Bits of the largest magnitude in the tensor before the first step and after each; null where no case needs them. */
  readonly ofTensor: Int32Array | null;
  /** The same of every block, all blocks before the first step, and so on. */
  readonly tables: readonly MagnitudeTable[];
}

/** Where the blocks of a case lie: see BlockLayout. */
export interface CaseBlocks {
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  readonly across: number;
  readonly down: number;
  /** Index of its table; null where the kernels see whole blocks. */
  readonly table: number | null;
  readonly isRenewed: boolean;
}

export interface MagnitudeTable {
  /** A case with these blocks. */
  readonly case: number;
  readonly blocks: number;
  readonly words: Int32Array;
}

/** @param isShared whether threads are to share the magnitudes. */
export function blocksOfTensor(
  cases: readonly WasmSettings[],
  { shape }: Pick<TensorInput, "shape">,
  allSteps: number,
  isShared: boolean,
): TensorBlocks | null {
  if (!cases.some(sharesScales)) return null;
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const needing = cases.filter(
    (settings): settings is BlockSettings =>
      sharesScales(settings) && (hasTensorScale(settings) || needsTable(settings, width)),
  );
  const steps = needing.some(({ scales }) => scales === "renewed") ? allSteps : 0;
  const words = (count: number) =>
    isShared ? new Int32Array(new SharedArrayBuffer(4 * count)) : new Int32Array(count);
  const tables: MagnitudeTable[] = [];
  const tableOf = (settings: BlockSettings, c: number): number | null => {
    const { blocks } = settings;
    if (!needsTable(settings, width)) return null;
    const known = tables.findIndex((table) => {
      const other = (cases[table.case] as BlockSettings).blocks;
      return other.rows === blocks.rows && other.columns === blocks.columns;
    });
    if (known >= 0) return known;
    const count = new BlockLayout(shape, blocks).blocks;
    return tables.push({ case: c, blocks: count, words: words(count * (1 + steps)) }) - 1;
  };
  const ofCases = cases.map((settings, c): CaseBlocks | null => {
    if (!sharesScales(settings)) return null;
    const { rows, columns } = settings.blocks;
    return {
      width,
      height,
      rows,
      across: Math.ceil(width / columns),
      down: Math.ceil(height / rows),
      table: tableOf(settings, c),
      isRenewed: settings.scales === "renewed",
    };
  });
  return { cases: ofCases, steps, ofTensor: needing.some(hasTensorScale) ? words(1 + steps) : null, tables };
}

/** Whether chunks are not enough, and the fp32 run is gone through before. */
export function isMeasured({ ofTensor, tables }: TensorBlocks): boolean {
  return ofTensor !== null || tables.length > 0;
}

/** Bytes of the magnitudes of blocks that are held at once, unless one tensor has more. */
const mostBytes = 2 ** 27;

/** The tensors, by their indices and in order, whose magnitudes are held at once. */
export function batchesOf(
  cases: readonly WasmSettings[],
  tensors: readonly Pick<TensorInput, "shape">[],
  steps: number,
  most = mostBytes,
): number[][] {
  const batches: number[][] = [[]];
  let room = most;
  for (const [t, { shape }] of tensors.entries()) {
    const bytes = cases
      .filter(sharesScales)
      .filter((settings) => needsTable(settings, shape.at(-1) ?? 1))
      .reduce((sum, { blocks }) => sum + 4 * (1 + steps) * new BlockLayout(shape, blocks).blocks, 0);
    if (bytes > room && batches.at(-1)!.length > 0) {
      batches.push([]);
      room = most;
    }
    batches.at(-1)!.push(t);
    room -= bytes;
  }
  return batches;
}

function hasTensorScale({ blocks }: BlockSettings): boolean {
  return blocks.rule.tensorScale !== null;
}

/** Whether the blocks of a case can have weights in several chunks. */
function needsTable(settings: BlockSettings, width: number): boolean {
  const { rows, columns } = settings.blocks;
  return !dependsOnScales(settings) && (rows > 1 || width % columns !== 0);
}

/** Counts the scale of a tensor, which no kernel does, over the steps of a case and at its ends. */
export class TensorScales {
  readonly #settings: BlockSettings;
  readonly #ofTensor: Int32Array;

  private constructor(settings: BlockSettings, ofTensor: Int32Array) {
    this.#settings = settings;
    this.#ofTensor = ofTensor;
  }

  /** Of a tensor, for a case; null where it has no such scale. */
  static of(settings: WasmSettings, blocks: TensorBlocks | null): TensorScales | null {
    if (!sharesScales(settings) || !hasTensorScale(settings)) return null;
    return new TensorScales(settings, blocks!.ofTensor!);
  }

  /** A step by its index. */
  countStep(index: number, tally: UpdateTally): void {
    tally.shared ??= new SharedTally();
    tally.shared.addTensor(this.#after(index), this.#after(index + 1));
  }

  /** The end against the start, after so many steps. */
  countEnd(steps: number, tally: EndTally): void {
    tally.shared ??= new SharedTally();
    tally.shared.addTensor(this.#after(0), this.#after(steps));
  }

  #after(steps: number): TensorScale {
    const { blocks, through, scales } = this.#settings;
    const known = magnitudeOf(this.#ofTensor[scales === "kept" ? 0 : steps]);
    // Rounding keeps the order of magnitudes.
    const largest = through === null ? known : roundSum(known, 0, through, "nearest-even", "ieee", 0);
    return blocks.rule.tensorScale?.(largest, blocks) ?? noTensorScale;
  }
}

function magnitudeOf(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0];
}
