import { countOfAll, type TensorInput } from "../../lens/input.js";
import type { CaseTally } from "../../lens/run/summarize.js";
import type { LensJob, Observer } from "../engine.js";
import { caseTallies, newTallies } from "../job-tallies.js";
import { RecipePlan } from "../recipe-plan.js";
import { expectCountable } from "../walk.js";
import type { WebGpuJob, WebGpuSettings } from "./admission.js";
import { takenBy } from "./admission.js";
import { type Batch, type BatchLimits, batchesOf } from "./batch.js";
import { BatchRun } from "./batch-run.js";
import { CountsLayout } from "./counts.js";
import type { Device } from "./device.js";
import { type Kernels, kernelsOf, updatesWords } from "./kernels/kernels.js";
import { elementsOfGroup, fp32Words, momentWords, stateWords } from "./layout.js";
import { isSplit, mostTableWords, needsWhole } from "./scale-tables.js";
import { type SourceGroup, sourceGroups } from "./sources.js";
import { SplitMagnitudes } from "./split-magnitudes.js";

/** The maximum numbers of words on the device. Never changes a result. */
export interface Memory {
  /** For a batch without its counts. */
  readonly batch: number;
  /** For the counts of pieces without those of steps; and for those of steps between two reads. */
  readonly counts: number;
  readonly steps: number;
}

/** 4 GiB, 64 MiB and 16 MiB. */
const usual: Memory = { batch: 2 ** 30, counts: 2 ** 24, steps: 2 ** 22 };

/** Half the limit of the sums' digits, and enough to fill a large GPU. */
const mostElements = 2 ** 26;

/**
 * Runs a job on a device batch by batch, all steps of a batch in order.
 *
 * @throws RangeError for cases that admission.ts refuses.
 */
export async function runOnDevice(
  given: LensJob,
  device: Device,
  observer: Observer = {},
  memory: Memory = usual,
): Promise<CaseTally[]> {
  const job = { ...given, cases: takenBy(given.cases, given.tensors) };
  expectCountable(job);
  const { tensors, stepNumbers, cases } = job;
  const recipes = RecipePlan.of(cases);
  const tallies = newTallies(job);
  const total = countOfAll(tensors) * stepNumbers.length;
  let done = 0;

  const groups = sourceGroups(tensors).map((group) => ({
    group,
    kernels: kernelsOf(group, cases, recipes?.scalars ?? null),
  }));
  await device.compile(groups.flatMap(({ kernels }) => textsOf(kernels)));
  const isWhole = (input: TensorInput) =>
    cases.some((settings) => settings.blocks && needsWhole(input, settings));
  for (const { group, kernels } of groups) {
    const limits = limitsOf(job, cases, group, device, memory);
    const batches = [...batchesOf(tensors, group.tensors, limits, isWhole)];
    const runOf = (batch: Batch) => new BatchRun(device, job, recipes, group, kernels, batch, memory.steps);
    const split = new SplitMagnitudes(stepNumbers.length);
    const measured = batches.filter(({ pieces }) =>
      pieces.some((piece) => isSplit(piece) && isWhole(piece.input)),
    );
    if (measured.length > 0) await device.compile([kernels.advance]);
    for (const batch of measured) await device.guard(() => runOf(batch).measure(split));
    for (const batch of batches) {
      const elements = batch.pieces.reduce((sum, { length }) => sum + length, 0);
      await device.guard(() =>
        runOf(batch).run(
          tallies,
          split,
          () => {
            done += elements;
            observer.progress?.(done, total);
          },
          observer.weights &&
            ((c, { tensor, start }, offset, numbers) =>
              observer.weights?.(c, tensor, start + offset, numbers)),
        ),
      );
    }
  }

  return caseTallies(job, tallies);
}

/** The texts of the kernels used by every batch of a group. */
function textsOf({ begin, updates, cases }: Kernels): string[] {
  const ofCases = cases.flatMap(({ measureStart, measure, begin, step, end }) => [
    ...measureStart,
    ...measure,
    ...begin,
    ...step,
    ...end,
  ]);
  return [begin, ...(updates === null ? [] : [updates]), ...ofCases];
}

/** The maximum that the device's buffers and memory allow, or the job's chunk if smaller. */
function limitsOf(
  job: WebGpuJob,
  cases: readonly WebGpuSettings[],
  { updates, tensors }: SourceGroup,
  device: Device,
  memory: Memory,
): BatchLimits {
  const { milestones = [], stepNumbers, chunk } = job;
  const tables = cases.map((settings) =>
    settings.blocks
      ? mostTableWords(
          settings,
          tensors.map((t) => job.tensors[t]),
        )
      : { each: 0, edges: 0 },
  );
  const states = cases.map(
    (settings, c) => stateWords(settings) + Math.ceil(tables[c].each * elementsOfGroup),
  );
  const buffers = [updatesWords(cases), fp32Words, ...states];
  if (updates.kind === "simulated" || cases.some(({ recipe }) => recipe)) buffers.push(momentWords);
  const all = buffers.reduce((sum, words) => sum + words, 0);
  const room = device.mostWords - Math.max(...tables.map(({ edges }) => edges));
  const groups = Math.floor(Math.min(room / Math.max(...buffers), memory.batch / all));
  const sizes = { steps: stepNumbers.length, milestones: milestones.length };
  const one = new CountsLayout(cases, { ...sizes, pieces: 1, stepWords: memory.steps });
  return {
    elements: Math.min(chunk ?? mostElements, mostElements),
    groups: Math.max(1, Math.min(groups, mostElements / elementsOfGroup)),
    pieces: Math.max(1, Math.floor(memory.counts / one.steps)),
  };
}
