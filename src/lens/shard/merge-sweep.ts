import type { LensCounts, TensorCounts } from "../run/case.js";
import { tallyOf } from "../run/counted.js";
import { summarize } from "../run/summarize.js";
import { caseOf, type SweepCell, type SweepResult, sweepAnswers, sweepCells } from "../study/sweep.js";
import { Tally } from "../tally.js";
import { WholeOf } from "./merge-whole.js";
import { type Part, placesOf } from "./part.js";

interface CellSum {
  readonly cell: SweepCell;
  readonly tally: Tally;
  /** Of a sample of a model. */
  readonly tensors: Map<
    number,
    { readonly name: string; readonly shape: readonly number[]; readonly tally: Tally }
  >;
}

/** Adds up sweeps, one part after the other. */
export class SweepSum {
  readonly #whole = new WholeOf<SweepResult>();
  #cells: CellSum[] | null = null;

  add(result: SweepResult, part: Part): void {
    this.#cells ??= result.cells.map((cell) => ({ cell, tally: new Tally(), tensors: new Map() }));
    const places = placesOf(part);
    for (const [i, { tally, tensors }] of this.#cells.entries()) {
      tally.merge(tallyOf(countsOf(result.cells[i])));
      for (const [k, counts] of (result.part!.cells?.[i] ?? []).entries()) {
        const { name, shape } = counts;
        const known = tensors.get(places[k]) ?? { name, shape, tally: new Tally() };
        tensors.set(places[k], known);
        known.tally.merge(tallyOf(counts));
      }
    }
    this.#whole.add(part, result);
  }

  end(part: Part | null): SweepResult {
    const { schema, tool, settings, rates, skipped, part: partial } = this.#whole.least;
    const tensors: TensorCounts[][] = [];
    const cells = this.#cells!.flatMap(({ cell, ...sum }) => {
      const { steps } = cell.totals;
      const { totals, end, probes } = summarize(sum.tally, steps, false);
      const ofTensors = [...sum.tensors]
        .sort(([a], [b]) => a - b)
        .map(([, { name, shape, tally }]) => ({
          name,
          shape,
          ...summarize(tally, steps, false),
        }));
      tensors.push(ofTensors);
      const counts = { ...caseOf(cell), totals, end, probes, tensors: ofTensors };
      // The tensors of some shards are no sample of the model.
      return sweepCells({ cases: [counts] }, cell.rate, part === null ? (partial!.sizes ?? null) : null);
    });
    return {
      schema,
      tool,
      input: this.#whole.input(),
      settings,
      engine: this.#whole.engine(),
      rates,
      cells,
      ...sweepAnswers(cells, settings),
      ...this.#whole.casts(),
      skipped,
      ...(part && { part: { ...part, ...(partial!.sizes && { cells: tensors }) } }),
    };
  }
}

/** A cell has no histogram, and sweeps compute no updates. */
function countsOf({ totals, end, probes }: SweepCell): LensCounts {
  const none = new Tally();
  return { totals, end, probes, histogram: none.histogram.toJSON(), causes: null, moments: [] };
}
