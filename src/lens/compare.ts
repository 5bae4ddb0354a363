import type { Values } from "./input.js";

/** Elements a piece: 1 MiB of fp64 for each row of numbers. */
const pieceLength = 2 ** 17;

/** How many weights of a tensor have the numbers at the end that they had at the start. */
export interface EndComparison {
  elements: number;
  /** Unchanged in the stored weights. */
  unchanged: number;
  /** Unchanged in the stored weights and in the fp32 master behind them. */
  unchangedInMaster: number;
}

/**
 * Compares the start of a training run with its end, as it was stored and as the fp32 master had it: the part of
 * `unchanged` that the master shows to have moved was hidden by the storage format. All rows of one length.
 */
export async function compareEnds(start: Values, stored: Values, master: Values): Promise<EndComparison> {
  const comparison = { elements: start.length, unchanged: 0, unchangedInMaster: 0 };
  for (let at = 0; at < start.length; at += pieceLength) {
    const pieces = [start, stored, master].map(async (values) => {
      const piece = new Float64Array(Math.min(pieceLength, start.length - at));
      await values.read(at, piece);
      return piece;
    });
    const [before, after, masterAfter] = await Promise.all(pieces);
    for (let i = 0; i < before.length; i++) {
      if (after[i] !== before[i]) continue;
      comparison.unchanged += 1;
      if (masterAfter[i] === before[i]) comparison.unchangedInMaster += 1;
    }
  }
  return comparison;
}
