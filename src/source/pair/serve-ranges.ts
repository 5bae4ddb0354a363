import { parentPort } from "node:worker_threads";
import type { Comparer } from "../../lens/difference/difference-codes.js";
import { FileReader } from "../file-reader.js";
import { InputError } from "../input-error.js";
import { RangeComparison, type RangePair } from "./range.js";

/** The first message to a thread: what its comparer is made of, which can be cloned. */
export interface Preparation {
  readonly kernel: unknown;
}

/**
 * The body of a thread of a `WorkerPool`: compares the ranges that it is sent, in their order, by a comparer that is
 * made of what it is sent first.
 */
export function serveRanges(comparerOf: (kernel: unknown) => Comparer): void {
  let comparison: RangeComparison;
  parentPort!.on("message", (message: Preparation | RangePair) => {
    if ("kernel" in message) {
      comparison = new RangeComparison(new FileReader(), comparerOf(message.kernel));
      return;
    }
    try {
      parentPort!.postMessage({ tally: comparison.compare(message).toJSON() });
    } catch (error) {
      // The class of an error does not survive being sent.
      if (!(error instanceof InputError)) throw error;
      const { file, expected, found } = error;
      parentPort!.postMessage({ refusal: [file, expected, found] });
    }
  });
}
