import { Worker } from "node:worker_threads";
import { InputError } from "../input-error.js";
import type { Performer, Task, TaskResults } from "./tasks.js";

type Result = TaskResults[Task["kind"]];
type Answer = { readonly result: Result } | { readonly refusal: readonly [string, string, string] };

interface Waiting {
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Tasks that wait at each thread, so that none stands idle while an answer is on its way. */
const queued = 2;

/** A performer on threads of their own, whose body is a script that calls `serveTasks`. */
export function workerPool(script: URL, threads: number): Performer {
  const pool = Array.from({ length: threads }, () => {
    const worker = new Worker(script);
    const waiting: Waiting[] = [];
    worker.on("message", (answer: Answer) => {
      const { resolve, reject } = waiting.shift()!;
      if ("result" in answer) resolve(answer.result);
      else reject(new InputError(...answer.refusal));
    });
    worker.on("error", (error) => {
      for (const { reject } of waiting.splice(0)) reject(error);
    });
    return { worker, waiting };
  });
  return {
    atOnce: threads * queued,
    perform: (task) =>
      new Promise((resolve, reject) => {
        const { worker, waiting } = pool.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
        waiting.push({ resolve, reject });
        worker.postMessage(task);
      }),
    close: async () => {
      await Promise.all(pool.map(({ worker }) => worker.terminate()));
    },
  };
}
