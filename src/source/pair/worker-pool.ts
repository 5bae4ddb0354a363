import { Worker } from "node:worker_threads";
import type { DifferenceTallyJson } from "../../lens/difference/difference.js";
import { ThreadEnded } from "../../lens/thread-ended.js";
import { InputError } from "../input-error.js";
import type { RangePair } from "./range.js";
import type { Preparation } from "./serve-ranges.js";

type Answer =
  | { readonly tally: DifferenceTallyJson }
  | { readonly refusal: readonly [file: string, expected: string, found: string] };

interface Waiting {
  resolve(tally: DifferenceTallyJson): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Waiting[];
  /** Set once it has ended. */
  ended: Error | null;
}

/** Ranges that wait at each thread, so that none stands idle while an answer is on its way. */
const queued = 2;

/** Compares ranges on threads of their own, which take their time to start: ranges may be given to them meanwhile. */
export class WorkerPool {
  readonly #threads: readonly Thread[];

  /** @param script the body of a thread, which calls `serveRanges`. */
  constructor(script: URL, threads: number) {
    this.#threads = Array.from({ length: threads }, () => {
      const worker = new Worker(script);
      const waiting: Waiting[] = [];
      const thread: Thread = { worker, waiting, ended: null };
      const end = (error: Error) => {
        thread.ended ??= error;
        for (const { reject } of waiting.splice(0)) reject(thread.ended);
      };
      worker.on("message", (answer: Answer) => {
        const { resolve, reject } = waiting.shift()!;
        if ("tally" in answer) resolve(answer.tally);
        else reject(new InputError(...answer.refusal));
      });
      worker.on("error", (error) => end(new ThreadEnded(error.message)));
      // One that is ended from outside, or ends itself, says nothing else.
      worker.on("exit", () => end(new ThreadEnded()));
      return thread;
    });
  }

  /** Ranges that it takes at a time without a wait. */
  get atOnce(): number {
    return this.#threads.length * queued;
  }

  /** To be called once, before any range, with what the comparer of a thread is made of. */
  prepare(kernel: unknown): void {
    const preparation: Preparation = { kernel };
    for (const { worker } of this.#threads) worker.postMessage(preparation);
  }

  /** @throws InputError if a file cannot be read; ThreadEnded if the thread ends before. */
  compare(range: RangePair): Promise<DifferenceTallyJson> {
    return new Promise((resolve, reject) => {
      const { worker, waiting, ended } = this.#threads.reduce((a, b) =>
        b.waiting.length < a.waiting.length ? b : a,
      );
      if (ended) return reject(ended);
      waiting.push({ resolve, reject });
      worker.postMessage(range);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
