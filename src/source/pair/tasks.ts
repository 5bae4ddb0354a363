import { DifferenceTally, type DifferenceTallyJson } from "../../lens/difference.js";
import type { Comparer } from "../../lens/difference-codes.js";
import { FileReader } from "./file-reader.js";
import { RangeComparison, type RangePair, type SampledChunk } from "./range.js";

/** What is asked of a thread: to compare a range, or to compress a chunk of the sample. Can be cloned. */
export type Task =
  | { readonly kind: "compare"; readonly range: RangePair }
  | { readonly kind: "sample"; readonly range: RangePair };

export interface TaskResults {
  readonly compare: DifferenceTallyJson;
  readonly sample: SampledChunk;
}

/** Performs tasks, some at a time. */
export interface Performer {
  /** Tasks that it takes at a time without a wait. */
  readonly atOnce: number;
  /** @throws InputError if a file cannot be read. */
  perform(task: Task): Promise<TaskResults[Task["kind"]]>;
  close(): Promise<void>;
}

/** Performs tasks one after the other, where it is called. */
export class TaskRunner {
  readonly #files = new FileReader();
  readonly #comparison: RangeComparison;

  constructor(comparer: Comparer) {
    this.#comparison = new RangeComparison(this.#files, comparer);
  }

  run(task: Task): TaskResults[Task["kind"]] {
    if (task.kind === "sample") return this.#comparison.sample(task.range);
    const tally = new DifferenceTally();
    this.#comparison.compare(task.range, tally);
    return tally.toJSON();
  }

  close(): void {
    this.#files.close();
  }
}

/** A performer on this thread, which stays free for signals between tasks. */
export function inlinePerformer(comparer: Comparer): Performer {
  const runner = new TaskRunner(comparer);
  return {
    atOnce: 1,
    perform: (task) =>
      new Promise((resolve, reject) => {
        setImmediate(() => {
          try {
            resolve(runner.run(task));
          } catch (error) {
            reject(error);
          }
        });
      }),
    close: async () => runner.close(),
  };
}

/** Both performers together; what `first` has no room for goes to `second`. */
export function together(first: Performer, second: Performer): Performer {
  let atFirst = 0;
  return {
    atOnce: first.atOnce + second.atOnce,
    async perform(task) {
      if (atFirst >= first.atOnce) return second.perform(task);
      atFirst += 1;
      return first.perform(task).finally(() => {
        atFirst -= 1;
      });
    },
    close: async () => {
      await Promise.all([first.close(), second.close()]);
    },
  };
}
