import { parentPort } from "node:worker_threads";
import type { Comparer } from "../../lens/difference-codes.js";
import { InputError } from "../input-error.js";
import { type Task, TaskRunner } from "./tasks.js";

/** The body of a thread of `workerPool`: performs the tasks that it is sent, in their order. */
export function serveTasks(comparer: Comparer): void {
  const runner = new TaskRunner(comparer);
  parentPort!.on("message", (task: Task) => {
    try {
      parentPort!.postMessage({ result: runner.run(task) });
    } catch (error) {
      // The class of an error does not survive being sent.
      if (!(error instanceof InputError)) throw error;
      const { file, expected, found } = error;
      parentPort!.postMessage({ refusal: [file, expected, found] });
    }
  });
}
