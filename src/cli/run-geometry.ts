import type { Geometry } from "../lens/geometry-result.js";
import { readOutcome } from "../source/outcome.js";
import { openPair } from "../source/pair/open-pair.js";
import type { PairOptions } from "../source/pair/pair-up.js";
import { recordedRates } from "../source/recorded-rates.js";
import { openRecording, recordedRun } from "../source/recording.js";
import type { OutputOptions } from "./common-options.js";
import { type GeometryJob, measured } from "./diff-geometry.js";
import { outputFiles } from "./emit.js";
import type { Streams } from "./streams.js";
import { expectApart } from "./write-output.js";

/**
 * The geometry of a recorded run, as measured by `diff RUN RUN --geometry`: at its end and after some of its updates,
 * with the noise walk of its learning rates; and the KL divergence that it states.
 *
 * @throws InputError, ThreadEnded
 */
export async function runGeometry(
  folder: string,
  pairOptions: Pick<PairOptions, "view" | "strict">,
  options: Omit<GeometryJob, "pair" | "walk"> & OutputOptions,
  streams: Streams,
): Promise<Geometry> {
  const rates = await ratesOf(folder);
  const pair = await openPair(folder, folder, pairOptions);
  try {
    expectApart(outputFiles(options), pair.files);
    const steps = rates.length;
    const walk = (updates = steps) => {
      const lr = rootMeanSquare(rates.slice(0, updates));
      return lr === null || lr === 0 ? null : { lr, steps: updates };
    };
    const asked = options.milestones ?? doublings(steps);
    // The last update is the end of the run, which is measured anyway.
    const milestones = asked.filter((updates) => updates !== steps);
    const job = { ...options, milestones, walk, pair: pairOptions };
    const { curve = [], ...geometry } = await measured([pair], folder, null, job, streams);
    const end = milestones.length < asked.length ? [{ updates: steps, totals: geometry.totals }] : [];
    const run = (await readOutcome(folder))?.run;
    const divergence = run ? { forward: run.klForward, reverse: run.klReverse } : null;
    return { ...geometry, curve: [...curve, ...end], divergence };
  } finally {
    await pair.close();
  }
}

/** The learning rate of each step; null if not stated. */
async function ratesOf(folder: string): Promise<(number | null)[]> {
  const recording = await openRecording(await recordedRun(folder));
  try {
    return recordedRates(recording) ?? recording.stepNumbers.map(() => null);
  } finally {
    await recording.close();
  }
}

function rootMeanSquare(rates: readonly (number | null)[]): number | null {
  const known = rates.filter((rate) => rate !== null);
  if (known.length < rates.length) return null;
  if (known.every((rate) => rate === known[0])) return known[0];
  return Math.sqrt(known.reduce((sum, rate) => sum + rate * rate, 0) / known.length);
}

/** 1, 2, 4, ... and the last one. */
function doublings(steps: number): number[] {
  const all = [];
  for (let n = 1; n < steps; n *= 2) all.push(n);
  return [...all, steps];
}
