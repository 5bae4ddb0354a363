import type { DifferenceTallyJson } from "../../lens/difference/difference.js";
import type { Comparer } from "../../lens/difference/difference-codes.js";
import { FileReader } from "../file-reader.js";
import { RangeComparison, type RangePair } from "./range.js";
import { type SampledChunk, sampleRange } from "./sample.js";

/** Compares and samples ranges on this thread in order; yields in between, so that signals are handled. */
export class ThisThread {
  readonly #files = new FileReader();
  readonly #comparison: RangeComparison;
  #waiting = 0;
  #closed = false;

  constructor(comparer: Comparer) {
    this.#comparison = new RangeComparison(this.#files, comparer);
  }

  /** Whether no task is running or waiting. */
  get isFree(): boolean {
    return this.#waiting === 0;
  }

  /** @throws InputError if a file cannot be read. */
  compare(range: RangePair): Promise<DifferenceTallyJson> {
    return this.#perform(() => this.#comparison.compare(range).toJSON());
  }

  /** @throws InputError if a file cannot be read. */
  sample(range: RangePair): Promise<SampledChunk> {
    return this.#perform(() => sampleRange(this.#files, range));
  }

  /** Closes the files; waiting tasks are dropped. */
  close(): void {
    this.#closed = true;
    this.#files.close();
  }

  async #perform<T>(work: () => T): Promise<T> {
    this.#waiting += 1;
    try {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed) throw new Error("the comparison has ended");
      return work();
    } finally {
      this.#waiting -= 1;
    }
  }
}
