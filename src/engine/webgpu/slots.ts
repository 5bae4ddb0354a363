import type { WebGpuJob } from "./admission.js";
import type { Batch } from "./batch.js";
import type { Constants } from "./constants.js";
import type { CountsLayout } from "./counts.js";
import { type Parameters, parameterWords, planeWords, stateWords } from "./layout.js";
import type { ScaleTables } from "./scale-tables.js";

/** The scales of a case: their tables, and the offset in the constants of the words of pieces. */
export interface CaseScales {
  readonly tables: ScaleTables;
  readonly pieceScales: number;
}

/** The parameters of all kernel calls of a batch, in slots, and the slot of each call by case. */
export interface Slots {
  readonly words: readonly Uint32Array[];
  readonly begin: readonly number[];
  /** The slots by step, then by case. */
  readonly steps: readonly (readonly number[])[];
  /** The slots by case: milestones, then the end. */
  readonly ends: readonly (readonly number[])[];
}

export function slotsOf(
  { cases, milestones = [], stepNumbers }: WebGpuJob,
  { groups }: Batch,
  constants: Constants,
  counts: CountsLayout,
  scales: readonly (CaseScales | null)[],
): Slots {
  const words: Uint32Array[] = [];
  const { table, signal, knots } = constants;
  const known = { groups, plane: groups * planeWords, table, signal, knots };
  /** @param steps the number of steps taken before; -1 for the start. */
  const add = (c: number, steps: number, changes: Partial<Parameters>): number => {
    const own = scales[c];
    const offsets = own?.tables.offsets(groups * stateWords(cases[c]), steps);
    words.push(
      parameterWords({ ...known, ...(own && { pieceScales: own.pieceScales }), ...offsets, ...changes }),
    );
    return words.length - 1;
  };
  const comparisons = [...milestones, stepNumbers.length - 1];
  return {
    words,
    // Weights altered by the cast are counted in the row of the end.
    begin: cases.map((_, c) => add(c, -1, { row: counts.end(c, milestones.length) })),
    steps: stepNumbers.map((_, step) =>
      cases.map(({ seed }, c) =>
        add(c, step, {
          ...constants.ofStep(step, seed),
          row: counts.step(c, step),
          histogram: counts.histograms[c],
        }),
      ),
    ),
    ends: cases.map((_, c) => comparisons.map((step, i) => add(c, step, { row: counts.end(c, i) }))),
  };
}
