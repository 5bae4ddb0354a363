import type { BlockSettings } from "../../update/block-settings.js";
import { type ScaleTables, splitRanges } from "./scale-tables.js";

/** Magnitudes, and the word at which they are or will be stored. */
export interface MagnitudeWords {
  readonly at: number;
  readonly words: Uint32Array;
}

/**
 * The largest magnitudes of blocks and tensors that are split between batches, before the first step and after each. Under a master
 * they depend on the fp32 run only, so a first pass over the batches runs that alone. Only blocks at the edges of pieces are kept, few
 * for any size of tensor.
 */
export class SplitMagnitudes {
  /** By case, tensor and block: a word for the start and for each step. */
  readonly #known = new Map<string, Uint32Array>();
  readonly #times: number;

  constructor(steps: number) {
    this.#times = 1 + steps;
  }

  /** Merges the magnitudes that a batch found after `steps` steps; `read` reads them from the device. */
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

  /** The magnitudes over all batches. */
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
