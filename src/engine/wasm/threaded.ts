import type { Format } from "../../format/format.js";
import type { StoredBytes, TensorInput } from "../../lens/input.js";
import type { CaseTally } from "../../lens/summarize.js";
import { Tally, UpdateTally } from "../../lens/tally.js";
import type { UpdateSettings } from "../../update/settings.js";
import { stepKey, tensorKey } from "../../update/threefry.js";
import { curveOf, newCurve } from "../curve.js";
import type { LensJob, Observer } from "../engine.js";
import { pageBytes } from "./assembler/module.js";
import { compileKernels } from "./kernel/kernels.js";
import { layOut, stepTally, tensorTally } from "./layout.js";
import { readsFiles } from "./platform.js";
import { TallyReader } from "./tallies.js";
import { runOnThreads, WorkerFailure } from "./thread-pool.js";
import type { WorkerSource, WorkerTensor } from "./worker-job.js";

/** A job whose numbers workers can read for themselves. */
export interface ThreadedJob extends LensJob {
  readonly cases: readonly UpdateSettings[];
  /** A power of two. */
  readonly chunk: number;
}

/** Whether a worker can read all numbers of a tensor. */
export function isReadable({ weights, updates }: TensorInput): boolean {
  return [weights, ...updates].every(({ stored }) => {
    if (stored === undefined) return false;
    return typeof stored.in !== "string" || readsFiles;
  });
}

/** Takes a job through worker threads, each of which reads its chunks and counts them on its own. */
export async function runThreaded(
  job: ThreadedJob,
  threads: number,
  observer: Observer = {},
): Promise<CaseTally[]> {
  const { tensors, stepNumbers, cases, chunk, milestones = [] } = job;
  const steps = stepNumbers.length;
  const layout = layOut(cases, chunk, { steps, milestones: milestones.length });
  const size = { pages: Math.ceil(layout.bytes / pageBytes), shared: false };
  const decoded = new Set(
    tensors.flatMap(({ weights, updates }) => [weights, ...updates].map((v) => v.stored!.format)),
  );
  const formats = [...decoded].filter(({ bits }) => bits < 32);
  const module = await compileKernels(cases, formats, layout, size);

  const stepTallies = cases.map(() => stepNumbers.map(() => new UpdateTally()));
  const tensorTallies = cases.map(() => tensors.map(() => new Tally()));
  const curves = cases.map(() => newCurve(job));
  const workerTensors = describe(job, formats);
  const tasks = workerTensors.reduce((sum, of) => sum + of.tasks, 0);
  const total = tensors.reduce((sum, { weights }) => sum + weights.length, 0) * steps;
  const workerJob = {
    module,
    pages: size.pages,
    layout,
    stepTallyBytes: stepTally.bytes,
    tensorTallyBytes: tensorTally.bytes,
    cases: cases.length,
    steps,
    milestones,
    tensors: workerTensors,
    tasks,
    wantsWeights: observer.weights !== undefined,
  };
  try {
    await runOnThreads(workerJob, Math.min(threads, tasks), {
      onProgress: (done) => observer.progress?.(Math.floor((done / tasks) * total), total),
      onAnswer: (answer) => {
        if ("weights" in answer) {
          observer.weights?.(answer.case, answer.tensor, answer.start, answer.weights);
        } else if ("tallies" in answer) {
          const { tensor, elements, padding, tallies } = answer;
          for (const [c, counted] of tallies.entries()) {
            const of = layout.cases[c];
            const reader = new TallyReader(counted, of.tally);
            const tally = tensorTallies[c][tensor];
            reader.tensor(of, cases[c], elements, padding, tally);
            for (const [i, end] of curves[c].entries()) {
              reader.end(of.curve + i * tensorTally.bytes, padding, end);
            }
            for (let step = 0; step < steps; step++) {
              const ofStep = new UpdateTally();
              reader.step(of.steps + step * stepTally.bytes, elements, padding, ofStep);
              tally.updates.merge(ofStep);
              stepTallies[c][step].merge(ofStep);
            }
          }
        }
      },
    });
  } catch (error) {
    throw error instanceof WorkerFailure ? await inWordsOfSource(error, job) : error;
  }
  observer.progress?.(total, total);
  return cases.map((settings, c) => ({
    settings,
    tensors: tensors.map(({ name, shape }, t) => ({ name, shape, tally: tensorTallies[c][t] })),
    steps: stepNumbers.map((step, i) => ({ step, tally: stepTallies[c][i] })),
    curve: curveOf(job, curves[c]),
  }));
}

function describe(
  { tensors, stepNumbers, cases, chunk }: ThreadedJob,
  formats: readonly Format[],
): WorkerTensor[] {
  let firstTask = 0;
  return tensors.map(({ name, weights, updates }) => {
    const tasks = Math.ceil(weights.length / chunk);
    const keys = cases.flatMap(({ seed, rounding }) => {
      if (rounding !== "stochastic") return stepNumbers.flatMap(() => [0, 0]);
      const key = tensorKey(seed, name);
      return stepNumbers.flatMap((step) => stepKey(key, step));
    });
    const tensor = {
      length: weights.length,
      weights: sourceOf(weights.stored!, formats),
      updates: updates.map(({ stored }) => sourceOf(stored!, formats)),
      keys: Uint32Array.from(keys),
      firstTask,
      tasks,
    };
    firstTask += tasks;
    return tensor;
  });
}

function sourceOf({ format, ...where }: StoredBytes, formats: readonly Format[]): WorkerSource {
  return { ...where, codeBytes: format.bits / 8, decode: `decode ${formats.indexOf(format)}` };
}

/** What the source itself says of numbers that a worker could not read; or else what the worker said. */
async function inWordsOfSource({ message, during }: WorkerFailure, { tensors, chunk }: ThreadedJob) {
  const { name, weights, updates } = tensors[during.tensor];
  const values = during.step === null ? weights : updates[during.step];
  try {
    await values.read(during.start, new Float32Array(Math.min(chunk, values.length - during.start)));
  } catch (error) {
    return error;
  }
  return new Error(`tensor ${name}: ${message}`);
}
