// Loaded into a process before its program: ends one of its threads from outside, after END_THREAD_AFTER milliseconds or
// as soon as there is one.
import { syncBuiltinESMExports } from "node:module";
import threads from "node:worker_threads";

if (threads.isMainThread) {
  const { Worker } = threads;
  const started = [];
  threads.Worker = class extends Worker {
    constructor(...of) {
      super(...of);
      started.push(this);
    }
  };
  syncBuiltinESMExports();
  const end = () => {
    if (started.length === 0) return void setTimeout(end, 2).unref();
    started[Number(process.env.END_THREAD) % started.length].terminate();
  };
  setTimeout(end, Number(process.env.END_THREAD_AFTER)).unref();
}
