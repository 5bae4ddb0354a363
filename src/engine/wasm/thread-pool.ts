import type { Stop } from "../stop.js";
import { startWorker, type WorkerThread } from "./platform.js";
import type { FailedRead, WorkerAnswer, WorkerJob } from "./worker-job.js";
import { workerScript } from "./worker-script.js";

/** More tasks than any job has. */
const noMoreTasks = 2 ** 30;

/** The index of the first worker's word: see WorkerJob.shared. */
const firstWorker = 3;

/** Threads waiting for the next job: starting one takes about 20 ms. */
const idle: WorkerThread[] = [];

/**
 * Runs a job on `threads` workers, and passes every answer but the last to `onAnswer`.
 *
 * @throws Error if a worker does; WorkerFailure if one could not read its numbers; ThreadEnded if one ended. No thread
 *   is running then.
 */
export async function runOnThreads(
  job: Omit<WorkerJob, "worker" | "shared">,
  threads: number,
  observer: { onAnswer(answer: WorkerAnswer): void; onProgress(tasks: number): void },
  stop: Stop,
): Promise<void> {
  const shared = new Int32Array(new SharedArrayBuffer(4 * (firstWorker + threads)));
  const timer = setInterval(() => observer.onProgress(Atomics.load(shared, 1)), 100);
  stop.whenAsked(() => Atomics.store(shared, 0, noMoreTasks));
  shared.fill(1, firstWorker);
  try {
    const workers = Array.from({ length: threads }, () => idle.pop() ?? startWorker(workerScript));
    const outcomes = await Promise.allSettled(
      workers.map((thread, worker) => finish(thread, { ...job, worker, shared }, observer.onAnswer)),
    );
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure) throw failure.reason;
  } finally {
    clearInterval(timer);
  }
}

/** Ends the waiting threads. */
export function endThreads(): void {
  for (const thread of idle.splice(0)) thread.terminate();
}

/** Thrown if a worker could not read numbers; tells which. */
export class WorkerFailure extends Error {
  constructor(
    message: string,
    readonly during: FailedRead,
  ) {
    super(message);
    this.name = "WorkerFailure";
  }
}

/** Runs one worker's share. */
async function finish(thread: WorkerThread, job: WorkerJob, onAnswer: (answer: WorkerAnswer) => void) {
  const { shared, worker } = job;
  let failure: unknown = null;
  await new Promise<void>((resolve, reject) => {
    const ended = (error: Error) => {
      Atomics.store(shared, 0, noMoreTasks);
      reject(error);
    };
    thread.listen((message) => {
      const answer = message as WorkerAnswer;
      if ("failed" in answer) {
        failure = answer.during ? new WorkerFailure(answer.failed, answer.during) : new Error(answer.failed);
        resolve();
      } else if ("done" in answer) resolve();
      else {
        try {
          onAnswer(answer);
        } catch (error) {
          failure ??= error;
          Atomics.store(shared, 0, noMoreTasks);
        }
        Atomics.store(shared, firstWorker + worker, 1);
        Atomics.notify(shared, firstWorker + worker);
      }
    }, ended);
    thread.post(job);
  });
  // A thread that died of an error has rejected and is not reused.
  thread.release();
  idle.push(thread);
  if (failure !== null) throw failure;
}
