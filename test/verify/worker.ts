import { parentPort } from "node:worker_threads";
import { checks } from "./checks.js";
import { Count } from "./count.js";

/** Does pieces of checks for pool.ts: a message names them, the answer counts. */

export interface Job {
  readonly check: string;
  readonly pieces: readonly number[];
}

const prepared = new Map<string, (piece: number, count: Count) => void | Promise<void>>();

parentPort!.on("message", async ({ check, pieces }: Job) => {
  let run = prepared.get(check);
  if (!run) {
    run = checks.find(({ name }) => name === check)!.prepare();
    prepared.set(check, run);
  }
  const count = new Count();
  for (const piece of pieces) await run(piece, count);
  parentPort!.postMessage({ ...count });
});
