import { createHash } from "node:crypto";
import type { Engine, LensJob } from "../../src/engine/engine.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";

/** An engine's complete output for a job: every case of the result with its sums, and a digest of the stored bits. */
export async function outcomeOf(engine: Pick<Engine, "run">, job: LensJob) {
  const weights = job.cases.map(() => job.tensors.map((tensor) => new Float32Array(tensor.weights.length)));
  const tallies = await engine.run(job, {
    weights: (c, tensor, start, stored) => weights[c][tensor].set(stored, start),
  });
  return tallies.map((tally, c) => ({
    result: summarizeCase(tally),
    storedBits: weights[c].map(digest),
  }));
}

/** Every NaN is the same number. */
function digest(numbers: Float32Array): string {
  for (let i = 0; i < numbers.length; i++) if (Number.isNaN(numbers[i])) numbers[i] = NaN;
  return createHash("sha256").update(numbers).digest("hex");
}
