import { BlockLayout } from "../../format/block/block-layout.js";
import { noTensorScale, type TensorScale } from "../../format/block/scale-rule.js";
import { roundSum } from "../../format/round.js";
import type { TensorInput } from "../../lens/input.js";
import { SharedTally } from "../../lens/shared-tally.js";
import type { EndTally, UpdateTally } from "../../lens/tally.js";
import type { BlockSettings } from "../../update/block-settings.js";
import { dependsOnScales, type WasmSettings } from "./admission.js";

/**
 * The blocks of a tensor, for kernels that process one chunk of it at a time. With a master, scales depend on the
 * fp32 run only: if a chunk lacks data that its scales depend on, a first pass over the fp32 run measures the
 * largest magnitudes. Plain data, which threads share.
 */
export interface TensorBlocks {
  /** The blocks of each case; null for cases without shared scales. */
  readonly cases: readonly (CaseBlocks | null)[];
  /** The number of steps with known magnitudes, not counting the start. */
  readonly steps: number;
  /** The bits of the tensor's largest magnitude before the first step and after each; null if no case needs them. */
  readonly ofTensor: Int32Array | null;
  /** The same for every block: those of all blocks before the first step, then after each. */
  readonly tables: readonly MagnitudeTable[];
}

/** The positions of a case's blocks: see BlockLayout. */
export interface CaseBlocks {
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  readonly across: number;
  readonly down: number;
  /** The index of its table; null if every chunk has whole blocks. */
  readonly table: number | null;
  readonly isRenewed: boolean;
}

export interface MagnitudeTable {
  /** A case with these blocks. */
  readonly case: number;
  readonly blocks: number;
  readonly words: Int32Array;
}

/** @param isShared whether threads share the magnitudes. */
export function blocksOfTensor(
  cases: readonly WasmSettings[],
  { shape }: Pick<TensorInput, "shape">,
  allSteps: number,
  isShared: boolean,
): TensorBlocks | null {
  if (!cases.some(({ blocks }) => blocks)) return null;
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const needing = cases.filter(
    (settings): settings is BlockSettings =>
      settings.blocks !== undefined && (hasTensorScale(settings) || needsTable(settings, width)),
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
    if (!settings.blocks) return null;
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

/** Whether a first pass over the fp32 run is needed. */
export function isMeasured({ ofTensor, tables }: TensorBlocks): boolean {
  return ofTensor !== null || tables.length > 0;
}

/** The maximum bytes of magnitudes of blocks in memory at once, unless one tensor has more. */
const mostBytes = 2 ** 27;

/** The indices of tensors, in order, grouped by whose magnitudes are in memory at once. */
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
      .filter((settings) => settings.blocks !== undefined)
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

/** Whether blocks of a case can be cut by chunks. */
function needsTable(settings: BlockSettings, width: number): boolean {
  const { rows, columns } = settings.blocks;
  return !dependsOnScales(settings) && (rows > 1 || width % columns !== 0);
}

/** Counts changes of a tensor scale, which no kernel counts, over the steps of a case and at its ends. */
export class TensorScales {
  readonly #settings: BlockSettings;
  readonly #ofTensor: Int32Array;

  private constructor(settings: BlockSettings, ofTensor: Int32Array) {
    this.#settings = settings;
    this.#ofTensor = ofTensor;
  }

  /** For a case and tensor; null if there is no tensor scale. */
  static of(settings: WasmSettings, blocks: TensorBlocks | null): TensorScales | null {
    if (!settings.blocks || !hasTensorScale(settings)) return null;
    return new TensorScales(settings, blocks!.ofTensor!);
  }

  /** Counts the step with this index. */
  countStep(index: number, tally: UpdateTally): void {
    tally.shared ??= new SharedTally();
    tally.shared.addTensor(this.#after(index), this.#after(index + 1));
  }

  /** Compares the end, after `steps` steps, with the start. */
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
