import { type EndTally, sumOrNull, UpdateTally } from "../../lens/tally.js";
import type { JobTallies } from "../job-tallies.js";
import { isCompared } from "../recipe-plan.js";
import type { WebGpuJob } from "./admission.js";
import type { Batch } from "./batch.js";
import { type CountsLayout, histogramWords } from "./counts.js";
import { endRowWords } from "./layout.js";
import { scalesOfPiece } from "./scale-tables.js";
import { addEnd, addHistogram, addRecipe, addRule, addStep, addTensor, partedOf } from "./tallies.js";

/** The counts of a batch, read back from the device. */
export interface BatchCounts {
  readonly counts: Uint32Array;
  readonly steps: readonly StepRows[];
  /** The number of weights altered by the cast, by case and piece; null if it is among `counts`. */
  readonly castChanged: readonly (readonly number[])[] | null;
}

/** Adds the counts of a batch to the tallies. */
export function tallyBatch(
  { cases, milestones = [], stepNumbers }: WebGpuJob,
  { pieces }: Batch,
  layout: CountsLayout,
  { counts, steps, castChanged }: BatchCounts,
  tallies: readonly JobTallies[],
): void {
  for (const [c, settings] of cases.entries()) {
    const compared = isCompared(cases, c);
    for (const [p, piece] of pieces.entries()) {
      const { tensor, length } = piece;
      const scales = settings.blocks ? scalesOfPiece(piece, settings) : null;
      const tally = tallies[c].tensors[tensor];
      let parted = compared ? 0 : null;
      for (const { first, rows } of steps) {
        const last = Math.min(first + layout.stepsAtOnce, stepNumbers.length);
        for (let step = first; step < last; step++) {
          const rowWords = layout.rowWords[c];
          const at = layout.step(c, step) - layout.steps + p * rowWords;
          const row = rows.subarray(at, at + rowWords);
          const ofStep = new UpdateTally();
          addStep(row, length, settings, ofStep, scales);
          addRule(row, length, tally);
          if (settings.recipe) addRecipe(row, length, settings.recipe, tally);
          if (compared) parted = ofStep.parted = partedOf(row);
          const milestone = milestones.indexOf(step);
          if (milestone >= 0) addParted(tallies[c].curve[milestone], parted);
          tallies[c].steps[step].merge(ofStep);
          tally.updates.merge(ofStep);
        }
      }
      for (let i = 0; i <= milestones.length; i++) {
        const at = layout.end(c, i) + p * endRowWords;
        const row = counts.subarray(at, at + endRowWords);
        const end = i < milestones.length ? tallies[c].curve[i] : tally.end;
        addEnd(row, length, settings, end, scales);
        if (i === milestones.length) addTensor(row, length, tally);
      }
      tally.castChanged += castChanged?.[c][p] ?? 0;
      const bins = histogramWords(settings);
      const at = layout.histograms[c] + p * bins;
      addHistogram(counts.subarray(at, at + bins), settings, tally);
      addParted(tally.end, parted);
    }
  }
}

function addParted(end: EndTally, parted: number | null): void {
  end.parted = sumOrNull(end.parted, parted);
}

/** Rows of consecutive steps. */
export interface StepRows {
  readonly first: number;
  readonly rows: Uint32Array;
}
