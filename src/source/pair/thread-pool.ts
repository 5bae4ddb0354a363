import { parentPort, Worker } from "node:worker_threads";
import { ThreadEnded } from "../../lens/thread-ended.js";
import { InputError } from "../input-error.js";

type Message<Task> = { readonly kernel: unknown } | { readonly task: Task };

type Reply<Answer> =
  | { readonly answer: Answer }
  | { readonly refusal: readonly [file: string, expected: string, found: string] };

/**
 * The body of a thread of a `ThreadPool`: answers tasks in order.
 *
 * @param open returns the function that answers tasks, from the first message to the thread.
 */
export function serveTasks<Task, Answer>(
  open: (kernel: unknown) => (task: Task) => Answer | Promise<Answer>,
): void {
  const port = parentPort!;
  let answerTo: (task: Task) => Answer | Promise<Answer>;
  let last: Promise<void> = Promise.resolve();
  async function reply(task: Task): Promise<void> {
    try {
      port.postMessage({ answer: await answerTo(task) } satisfies Reply<Answer>);
    } catch (error) {
      // The class of an error is lost when it is sent.
      if (error instanceof InputError) {
        const { file, expected, found } = error;
        port.postMessage({ refusal: [file, expected, found] } satisfies Reply<Answer>);
      } else {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
  port.on("message", (message: Message<Task>) => {
    if ("kernel" in message) answerTo = open(message.kernel);
    else last = last.then(() => reply(message.task));
  });
}

interface Waiting<Answer> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

interface Thread<Answer> {
  readonly worker: Worker;
  /** In the order of their tasks. */
  readonly waiting: Waiting<Answer>[];
  /** Set once it has ended. */
  ended: Error | null;
}

/** Threads that answer tasks. Tasks may be given while threads are starting. */
export class ThreadPool<Task, Answer> {
  readonly #threads: readonly Thread<Answer>[];
  /** The number of tasks that it accepts without queueing. */
  readonly atOnce: number;

  /**
   * @param script the body of a thread, which calls `serveTasks`.
   * @param queued tasks per thread: two, so that none is idle while an answer is transferred; one if tasks are long.
   */
  constructor(script: URL, threads: number, queued: number) {
    this.atOnce = threads * queued;
    this.#threads = Array.from({ length: threads }, () => {
      const worker = new Worker(script);
      const waiting: Waiting<Answer>[] = [];
      const thread: Thread<Answer> = { worker, waiting, ended: null };
      const end = (error: Error) => {
        thread.ended ??= error;
        for (const { reject } of waiting.splice(0)) reject(thread.ended);
      };
      worker.on("message", (reply: Reply<Answer>) => {
        const { resolve, reject } = waiting.shift()!;
        if ("answer" in reply) resolve(reply.answer);
        else reject(new InputError(...reply.refusal));
      });
      worker.on("error", (error) => end(new ThreadEnded(error.message)));
      // The only event if a thread is ended from outside, or ends itself.
      worker.on("exit", () => end(new ThreadEnded()));
      return thread;
    });
  }

  /** Sends the argument of `open` to all threads, which must be cloneable. Call once, before any task. */
  prepare(kernel: unknown): void {
    for (const { worker } of this.#threads) worker.postMessage({ kernel } satisfies Message<Task>);
  }

  /** @throws InputError if a file cannot be read; ThreadEnded if the thread ends first. */
  perform(task: Task): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { worker, waiting, ended } = this.#threads.reduce((a, b) =>
        b.waiting.length < a.waiting.length ? b : a,
      );
      if (ended) return reject(ended);
      waiting.push({ resolve, reject });
      worker.postMessage({ task } satisfies Message<Task>);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}
