import type { BlockSettings } from "../../update/block-settings.js";
import { type ScaleTables, splitRanges } from "./scale-tables.js";

/** Words of magnitudes that were found or that are to be there. */
export interface MagnitudeWords {
  readonly at: number;
  readonly words: Uint32Array;
}

/**
 * The largest magnitudes of blocks and tensors that no batch has whole, before the first step and after each: under a
 * master they follow from the fp32 run alone, so it is gone through once before, batch by batch. A few blocks at the edges
 * of pieces, whatever the size of a tensor.
 */
export class SplitMagnitudes {
  /** By case, tensor and block: a word for each time. */
  readonly #known = new Map<string, Uint32Array>();
  readonly #times: number;

  constructor(steps: number) {
    this.#times = 1 + steps;
  }

  /** What pieces of a batch have found after so many steps; `read` gives words of magnitudes. */
  async take(
    c: number,
    settings: BlockSettings,
    tables: ScaleTables,
    steps: number,
    read: (at: number, words: number) => Promise<Uint32Array>,
  ): Promise<void> {
    for (const { tensor, block, at, words } of rangesOf(tables, settings)) {
      const found = await read(at, words);
      for (const [i, bits] of found.entries()) {
        const name = `${c} ${tensor} ${block + i}`;
        const known = this.#known.get(name) ?? new Uint32Array(this.#times);
        known[steps] = Math.max(known[steps], bits);
        this.#known.set(name, known);
      }
    }
  }

  /** What all batches have found together. */
  of(c: number, settings: BlockSettings, tables: ScaleTables, steps: number): MagnitudeWords[] {
    return rangesOf(tables, settings).map(({ tensor, block, at, words }) => ({
      at,
      words: Uint32Array.from(
        { length: words },
        (_, i) => this.#known.get(`${c} ${tensor} ${block + i}`)![steps],
      ),
    }));
  }
}

function rangesOf(tables: ScaleTables, settings: BlockSettings) {
  return tables.pieces.flatMap(({ piece }, p) =>
    splitRanges(tables, p, settings).map((range) => ({ tensor: piece.tensor, ...range })),
  );
}
