import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Check, spreadPieces } from "./checks.js";
import { Count } from "./count.js";
import type { Job } from "./worker.js";

/** Pieces that a worker is given at once: a second or less. */
const BATCH = 16;

/** Worker threads that do the pieces of one check after the other. */
export class Pool {
  readonly #workers: readonly Worker[];

  constructor(size: number) {
    // Node gives the loader of `tsx` to the main thread only, so each worker registers it anew. A `data:` URL names
    // no file, and so works on every platform.
    const tsx = JSON.stringify(import.meta.resolve("tsx/esm/api"));
    const register = encodeURIComponent(`import { register } from ${tsx}; register();`);
    const execArgv = ["--import", `data:text/javascript,${register}`];
    const entry = new URL("./worker.ts", import.meta.url);
    this.#workers = Array.from({ length: size }, () => new Worker(entry, { execArgv }));
  }

  /** Does the first `pieces` pieces of a check, in an order that spreads them. */
  async run(check: Check, pieces: number, onProgress: (done: number) => void): Promise<Count> {
    const total = new Count();
    let next = 0;
    let done = 0;
    const work = async (worker: Worker): Promise<void> => {
      while (next < pieces) {
        const from = next;
        next = Math.min(from + BATCH, pieces);
        const size = next - from;
        total.add(await answer(worker, { check: check.name, pieces: spreadPieces(check, from, next) }));
        done += size;
        onProgress(done);
      }
    };
    await Promise.all(this.#workers.map(work));
    return total;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

async function answer(worker: Worker, job: Job): Promise<Count> {
  worker.postMessage(job);
  // Rejects if the worker fails.
  const [count] = await once(worker, "message");
  return count;
}
