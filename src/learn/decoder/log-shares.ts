import { log } from "../../update/elementary.js";
import { exp } from "./elementary.js";
import type { Numbers } from "./numbers.js";
import { paddedVocabulary, vocabulary } from "./shape.js";

/** The logarithms of the probabilities of the next token, by row and token, in fp64 from the logits as they are stored. */
export class LogShares {
  /** Rows of {@link vocabulary} numbers. */
  readonly logs: Float64Array;
  readonly shares: Float64Array;

  constructor(rows: number) {
    this.logs = new Float64Array(rows * vocabulary);
    this.shares = new Float64Array(rows * vocabulary);
  }

  /** Reads the logits of rows from `from` to `to`. */
  read(logits: Numbers, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      const z = row * paddedVocabulary;
      const at = row * vocabulary;
      let most = -Infinity;
      for (let i = 0; i < vocabulary; i++) if (logits[z + i] > most) most = logits[z + i];
      let total = 0;
      for (let i = 0; i < vocabulary; i++) {
        const share = exp(logits[z + i] - most);
        this.shares[at + i] = share;
        total += share;
      }
      const logTotal = log(total) + most;
      for (let i = 0; i < vocabulary; i++) {
        this.shares[at + i] /= total;
        this.logs[at + i] = logits[z + i] - logTotal;
      }
    }
  }
}
