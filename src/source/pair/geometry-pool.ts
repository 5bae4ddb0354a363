import { parentPort, Worker } from "node:worker_threads";
import { format } from "../../format/registry.js";
import { type Engines, measureModels, type TensorPart, type TensorTask } from "../../geometry/job.js";
import { ThreadEnded } from "../../lens/thread-ended.js";
import { FileReader } from "../file-reader.js";
import { InputError } from "../input-error.js";
import { storedMatrix } from "./matrix-pair.js";
import type { StoredRange } from "./range.js";

/** A tensor of files, of a base and its tuned models. Can be cloned. */
export interface StoredTask extends TensorTask {
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly models: readonly {
    readonly before: StoredRange;
    readonly after: StoredRange;
    readonly compared: string;
  }[];
}

type Answer =
  | { readonly part: TensorPart }
  | { readonly refusal: readonly [file: string, expected: string, found: string] };

/** On this thread. */
export function measureStored(task: StoredTask, files: FileReader, engines: Engines): Promise<TensorPart> {
  const models = task.models.map(({ before, after, compared }) => {
    const resolved = format(compared);
    return { matrix: storedMatrix(task.name, task.shape, before, after, resolved, files), format: resolved };
  });
  return measureModels(models, task, engines);
}

/** The body of a thread: it is sent what its engines are made of, then tasks, and answers in their order. */
export function serveGeometry(enginesOf: (kernel: unknown) => Engines): void {
  const files = new FileReader();
  let engines: Engines;
  parentPort!.on("message", async (message: { readonly kernel: unknown } | StoredTask) => {
    if ("kernel" in message) {
      engines = enginesOf(message.kernel);
      return;
    }
    try {
      parentPort!.postMessage({ part: await measureStored(message, files, engines) });
    } catch (error) {
      // The class of an error does not survive being sent.
      if (!(error instanceof InputError)) {
        process.nextTick(() => {
          throw error;
        });
        return;
      }
      const { file, expected, found } = error;
      parentPort!.postMessage({ refusal: [file, expected, found] });
    }
  });
}

interface Thread {
  readonly worker: Worker;
  /** What it works on. */
  waiting: { resolve(part: TensorPart): void; reject(error: unknown): void } | null;
  ended: Error | null;
}

/** Measures tensors on threads of their own, one at a time on each. */
export class GeometryPool {
  readonly #threads: readonly Thread[];

  /** @param script the body of a thread, which calls `serveGeometry`. */
  constructor(script: URL, threads: number, kernel: unknown) {
    this.#threads = Array.from({ length: threads }, () => {
      const worker = new Worker(script);
      const thread: Thread = { worker, waiting: null, ended: null };
      const end = (error: Error) => {
        thread.ended ??= error;
        thread.waiting?.reject(thread.ended);
        thread.waiting = null;
      };
      worker.on("message", (answer: Answer) => {
        const { resolve, reject } = thread.waiting!;
        thread.waiting = null;
        if ("part" in answer) resolve(answer.part);
        else reject(new InputError(...answer.refusal));
      });
      worker.on("error", (error) => end(new ThreadEnded(error.message)));
      worker.on("exit", () => end(new ThreadEnded()));
      worker.postMessage({ kernel });
      return thread;
    });
  }

  get size(): number {
    return this.#threads.length;
  }

  /** Valid for at most `size` tasks at a time. */
  measure(task: StoredTask): Promise<TensorPart> {
    return new Promise((resolve, reject) => {
      const thread = this.#threads.find(({ waiting }) => waiting === null)!;
      if (thread.ended) return reject(thread.ended);
      thread.waiting = { resolve, reject };
      thread.worker.postMessage(task);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
