import type { Format } from "../../format/format.js";
import { countOfAll, originOf, type StoredBytes, type TensorInput, type Values } from "../../lens/input.js";
import type { CaseTally } from "../../lens/run/summarize.js";
import { sumOrNull, UpdateTally } from "../../lens/tally.js";
import { stepKey, tensorKey } from "../../update/threefry.js";
import type { LensJob, Observer } from "../engine.js";
import { caseTallies, newTallies } from "../job-tallies.js";
import { bitsOf } from "../lane/numbers.js";
import { isCompared, momentKinds, RecipePlan, ScalarTable } from "../recipe-plan.js";
import { Stop, Stopped } from "../stop.js";
import type { WasmSettings } from "./admission.js";
import { pageBytes } from "./assembler/module.js";
import { compileKernels } from "./kernel/kernels.js";
import { type Layout, layOut, stepTally, tensorTally } from "./layout.js";
import { LowRankPlan, sourcesOf } from "./low-rank.js";
import { readsFiles } from "./platform.js";
import { SyntheticPlan } from "./synthetic.js";
import { TallyReader } from "./tallies.js";
import { blocksOfTensor, isMeasured, TensorScales } from "./tensor-blocks.js";
import { runOnThreads, WorkerFailure } from "./thread-pool.js";
import type { WorkerRecipe, WorkerSource, WorkerTensor } from "./worker-job.js";

/** A job whose numbers workers can read or generate themselves. */
export interface ThreadedJob extends LensJob {
  readonly cases: readonly WasmSettings[];
  /** A power of two. */
  readonly chunk: number;
}

/** Whether workers can read or generate all numbers of a tensor. @param chunk the job's chunk length. */
export function forWorkers(
  { tensors, stepNumbers }: LensJob,
  chunk = 2 ** 15,
): (tensor: TensorInput) => boolean {
  const plan = new SyntheticPlan(tensors, stepNumbers.length);
  const products = new LowRankPlan(tensors, chunk);
  return (tensor) =>
    (plan.makes(tensor) || products.makes(tensor)) &&
    momentsOf(tensor).every((values) => originOf(values, "stored") !== undefined) &&
    storedIn(tensor).every((stored) => typeof stored.in !== "string" || readsFiles);
}

function momentsOf({ optimizer }: TensorInput): readonly Values[] {
  return momentKinds.flatMap((kind) => optimizer?.moments[kind] ?? []);
}

/** All stored bytes that workers read of a tensor. */
function storedIn(tensor: TensorInput): StoredBytes[] {
  return [tensor.weights, ...tensor.updates, ...momentsOf(tensor)].flatMap((values) => {
    const product = originOf(values, "product");
    const parts = product ? sourcesOf(product) : [originOf(values, "stored")];
    return parts.flatMap((part) => part ?? []);
  });
}

/** Runs a job on worker threads, each of which reads and counts its own chunks. */
export async function runThreaded(
  job: ThreadedJob,
  threads: number,
  observer: Observer = {},
  stop = new Stop(),
): Promise<CaseTally[]> {
  const { tensors, stepNumbers, cases, chunk, milestones = [] } = job;
  const steps = stepNumbers.length;
  const plan = new SyntheticPlan(tensors, steps);
  const products = new LowRankPlan(tensors, chunk);
  const { rows: product } = products;
  const recipes = RecipePlan.of(cases);
  const scalars = recipes && new ScalarTable(recipes, tensors, steps);
  const constants = joined(plan.constants(), scalars?.words ?? new Float32Array(0));
  const synthetic = { constantBytes: constants.length, simulates: plan.simulates, product };
  const layout = layOut(cases, chunk, { steps, milestones: milestones.length }, synthetic);
  const size = { pages: Math.ceil(layout.bytes / pageBytes), shared: false };
  const decoded = new Set<Format>();
  for (const tensor of tensors) for (const { format } of storedIn(tensor)) decoded.add(format);
  const formats = [...decoded].filter(({ bits }) => bits < 32);
  const own = {
    key: `${plan.key} ${products.key}`,
    functions: (given: Layout) => [...plan.functions(given), ...products.functions()],
  };
  const module = await compileKernels(cases, formats, layout, size, own);

  const tallies = newTallies(job);
  const recipeOf = (tensor: TensorInput): WorkerRecipe | null => {
    if (recipes === null) return null;
    const { optimizer } = tensor;
    return {
      scalars: layout.constants + plan.bytes + 4 * scalars!.of(tensor),
      moments: momentKinds.flatMap((kind) => {
        const moment = optimizer?.moments[kind];
        const recorded = moment && originOf(moment, "stored");
        if (recorded === undefined) return [];
        const starts = recipes.starts(kind, optimizer!.stepsTaken, optimizer!.settings[0]);
        return [{ kind, row: layout.moments![kind], source: sourceOf(recorded, formats), starts }];
      }),
    };
  };
  const workerTensors = describe(job, formats, plan, products, layout, recipeOf);
  const { measured, measuring } = measuringOf(workerTensors);
  const tasks = workerTensors.reduce((sum, tensor) => sum + tensor.tasks, measuring);
  const total = countOfAll(tensors) * steps;
  const workerJob = {
    module,
    pages: size.pages,
    layout,
    constants,
    stepTallyBytes: stepTally.bytes,
    tensorTallyBytes: tensorTally.bytes,
    cases: cases.length,
    steps,
    milestones,
    recipes: recipes && { scalarBytes: recipes.scalarBytes, tailBlocks: recipes.tailBlocks },
    tensors: workerTensors.map((tensor) => ({ ...tensor, firstTask: measuring + tensor.firstTask })),
    measured,
    measuring,
    tasks,
    wantsWeights: observer.weights !== undefined,
  };
  try {
    await runOnThreads(
      workerJob,
      Math.min(threads, tasks),
      {
        onProgress: (done) => observer.progress?.(Math.floor((done / tasks) * total), total),
        onAnswer: (answer) => {
          if ("weights" in answer) {
            observer.weights?.(answer.case, answer.tensor, answer.start, answer.weights);
          } else if ("tallies" in answer) {
            const { tensor, elements, padding } = answer;
            for (const [c, counted] of answer.tallies.entries()) {
              const { steps: ofSteps, curve, tensors: ofTensors } = tallies[c];
              const caseLayout = layout.cases[c];
              const reader = new TallyReader(counted, caseLayout.tally);
              const tally = ofTensors[tensor];
              reader.comparison(caseLayout.tally, cases[c], padding, tally);
              const weightSteps = { weights: elements * steps, padding: padding * steps };
              reader.rest(caseLayout, cases[c], elements, weightSteps, tally);
              for (const [i, end] of curve.entries()) {
                reader.comparison(caseLayout.curve + i * tensorTally.bytes, cases[c], padding, {
                  end,
                });
              }
              for (let step = 0; step < steps; step++) {
                const ofStep = new UpdateTally();
                reader.step(caseLayout.steps + step * stepTally.bytes, cases[c], elements, padding, ofStep);
                if (isCompared(cases, c))
                  ofStep.parted = reader.parted(caseLayout.steps + step * stepTally.bytes);
                tally.updates.merge(ofStep);
                ofSteps[step].merge(ofStep);
                const comparisons = milestones.flatMap((at, i) => (at === step ? [curve[i]] : []));
                if (step === steps - 1) comparisons.push(tally.end);
                for (const end of comparisons) end.parted = sumOrNull(end.parted, ofStep.parted);
              }
            }
          }
        },
      },
      stop,
    );
  } catch (error) {
    throw error instanceof WorkerFailure ? await inWordsOfSource(error, job) : error;
  }
  if (stop.asked) throw new Stopped();
  for (const [t, { blocks, start, tasks: chunks }] of workerTensors.entries()) {
    for (const [c, settings] of cases.entries()) {
      const ofTensor = tallies[c].tensors[t];
      // Counted with the first chunk.
      const scales = start === 0 && chunks > 0 ? TensorScales.of(settings, blocks) : null;
      for (let step = 0; step < steps && scales; step++) {
        scales.countStep(step, tallies[c].steps[step]);
        scales.countStep(step, ofTensor.updates);
      }
      for (const [i, at] of milestones.entries()) scales?.countEnd(at + 1, tallies[c].curve[i]);
      scales?.countEnd(steps, ofTensor.end);
    }
  }
  observer.progress?.(total, total);
  return caseTallies(job, tallies);
}

/** The tasks that measure: one for each chunk of a tensor to be measured. */
function measuringOf(tensors: readonly WorkerTensor[]) {
  let measuring = 0;
  const measured = tensors.flatMap(({ blocks, tasks }, tensor) => {
    if (blocks === null || !isMeasured(blocks)) return [];
    const firstTask = measuring;
    measuring += tasks;
    return [{ tensor, firstTask }];
  });
  return { measured, measuring };
}

/** The tables of both kinds in their memory layout. */
function joined(bytes: Uint8Array, words: Float32Array): Uint8Array {
  const all = new Uint8Array(bytes.length + words.byteLength);
  all.set(bytes);
  all.set(new Uint8Array(words.buffer), bytes.length);
  return all;
}

function describe(
  { tensors, stepNumbers, cases, chunk }: ThreadedJob,
  formats: readonly Format[],
  plan: SyntheticPlan,
  products: LowRankPlan,
  layout: Layout,
  recipeOf: (tensor: TensorInput) => WorkerRecipe | null,
): WorkerTensor[] {
  let firstTask = 0;
  const source = (stored: StoredBytes) => sourceOf(stored, formats);
  const storedOf = (values: Values) => originOf(values, "stored");
  return tensors.map((tensor) => {
    const { name, weights, updates } = tensor;
    const { start = 0 } = tensor;
    // Chunks of a piece end at the same elements as those of the whole tensor: see chunkOf.
    const tasks = Math.max(0, Math.ceil(weights.length / chunk) - Math.floor(start / chunk));
    const keys = cases.flatMap(({ seed, rounding }) => {
      if (rounding !== "stochastic") return stepNumbers.flatMap(() => [0, 0]);
      const key = tensorKey(seed, name);
      return stepNumbers.flatMap((step) => stepKey(key, step));
    });
    const storedWeights = storedOf(weights);
    const described = {
      start,
      length: weights.length,
      weights: storedWeights ? source(storedWeights) : plan.weights(originOf(weights, "weights")!),
      updates: updates.every(storedOf)
        ? updates.map((values) => source(storedOf(values)!))
        : products.makes(tensor)
          ? products.updates(updates, source)
          : plan.updates(updates, layout),
      keys: Uint32Array.from(keys),
      recipe: recipeOf(tensor),
      blocks: blocksOfTensor(cases, tensor, stepNumbers.length, true),
      firstTask,
      tasks,
    };
    firstTask += tasks;
    return described;
  });
}

function sourceOf({ format, scale, ...where }: StoredBytes, formats: readonly Format[]): WorkerSource {
  return {
    ...where,
    scale: scale === undefined ? null : bitsOf(scale),
    codeBytes: format.bits / 8,
    decode: `decode ${formats.indexOf(format)}`,
  };
}

/** The source's own error for numbers that a worker could not read; else the worker's message. */
async function inWordsOfSource({ message, during }: WorkerFailure, { tensors, chunk }: ThreadedJob) {
  const { name, weights, updates, optimizer } = tensors[during.tensor];
  const { step } = during;
  const values =
    step === null ? weights : typeof step === "number" ? updates[step] : optimizer!.moments[step]!;
  try {
    await values.read(during.start, new Float32Array(Math.min(chunk, values.length - during.start)));
  } catch (error) {
    return error;
  }
  return new Error(`tensor ${name}: ${message}`);
}
