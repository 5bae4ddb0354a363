import { plural } from "../format/plural.js";
import { countOf, countOfAll, type MomentKind, type TensorInput, type Values } from "../lens/input.js";
import type { CaseTally } from "../lens/run/summarize.js";
import { blockLength } from "../lens/sum.js";
import { UpdateTally } from "../lens/tally.js";
import { chunkEnds, tensorMagnitudes } from "./block-chunks.js";
import type { ChunkLens, ChunkOptimizer } from "./chunk-lens.js";
import type { LensJob, Observer } from "./engine.js";
import { caseTallies, newTallies } from "./job-tallies.js";

/**
 * Runs a job through a {@link ChunkLens}: tensor by tensor, chunk by chunk, all steps of a chunk in order, so that
 * memory use is that of one chunk for any number of tensors and steps. The updates of the next step are read while the
 * current step runs.
 *
 * @throws RangeError if counts could exceed 2^53, or tensors or milestones do not fit the job.
 */
export async function walk(job: LensJob, lens: ChunkLens, observer: Observer = {}): Promise<CaseTally[]> {
  expectCountable(job);
  const { tensors, stepNumbers, cases, milestones = [] } = job;
  const tallies = newTallies(job);
  const length = chunkLength(job);
  const total = countOfAll(tensors) * stepNumbers.length;
  let done = 0;

  for (const [t, tensor] of tensors.entries()) {
    const ofTensor = tallies.map(({ tensors }) => tensors[t]);
    const ends = chunkEnds(tensor, lens.prepare ? [] : cases, length);
    const magnitudes = lens.prepare ? null : await tensorMagnitudes(tensor, cases, ends);
    await lens.prepare?.(tensor, ends);
    for (const [k, end] of ends.entries()) {
      const start = ends[k - 1] ?? tensor.start ?? 0;
      const count = end - start;
      const weights = new Float64Array(count);
      await tensor.weights.read(start, weights);
      const optimizer = await optimizerOf(tensor, start, count);
      const { name, shape } = tensor;
      await lens.begin({
        tensor: name,
        shape,
        start,
        weights,
        ...(optimizer && { optimizer }),
        ...(magnitudes && { magnitudes }),
      });
      const ofChunk = stepNumbers.map(() => cases.map(() => new UpdateTally()));
      const read = (step: number) => readUpdates(tensor.updates[step], start, count);
      let ready = read(0);
      for (const [i, step] of stepNumbers.entries()) {
        const updates = await ready;
        ready = read(i + 1);
        await lens.step(updates, step, ofChunk[i]);
        const milestone = milestones.indexOf(i);
        if (milestone >= 0) await lens.compare(tallies.map(({ curve }) => ({ end: curve[milestone] })));
        done += count;
        observer.progress?.(done, total);
      }
      await lens.compare(ofTensor);
      await lens.take(ofTensor);
      for (const [i, ofStep] of ofChunk.entries()) {
        for (const [c, tally] of ofStep.entries()) {
          tallies[c].steps[i].merge(tally);
          ofTensor[c].updates.merge(tally);
        }
      }
      if (!observer.weights) continue;
      for (const c of cases.keys()) observer.weights(c, t, start, await lens.weights(c));
    }
  }

  return caseTallies(job, tallies);
}

/**
 * The elements per chunk: the job's `chunk` rounded up to whole blocks of sums; by default so many that the states of
 * all cases take a few megabytes.
 */
export function chunkLength({ chunk, cases }: Pick<LensJob, "chunk" | "cases">): number {
  const wished = chunk ?? 2 ** 19 / Math.max(1, cases.length);
  return Math.max(1, Math.ceil(wished / blockLength)) * blockLength;
}

async function optimizerOf(
  { optimizer }: TensorInput,
  start: number,
  count: number,
): Promise<ChunkOptimizer | null> {
  if (!optimizer) return null;
  const moments: Partial<Record<MomentKind, Float32Array>> = {};
  for (const kind of ["M", "V"] as const) {
    const values = optimizer.moments[kind];
    if (values) moments[kind] = await readNumbers(values, start, count);
  }
  return { ...optimizer, moments };
}

async function readUpdates(updates: Values | undefined, start: number, count: number) {
  return updates ? readNumbers(updates, start, count) : new Float32Array(0);
}

async function readNumbers(values: Values, start: number, count: number): Promise<Float32Array> {
  const numbers = new Float32Array(count);
  await values.read(start, numbers);
  return numbers;
}

/** @throws RangeError if milestones are not steps of the job in ascending order. */
function expectMilestones({ stepNumbers, milestones = [] }: LensJob): void {
  for (const [i, index] of milestones.entries()) {
    if (stepNumbers[index] === undefined || index <= (milestones[i - 1] ?? -1)) {
      throw new RangeError(`milestone ${index}: expected indices below ${stepNumbers.length}, ascending`);
    }
  }
}

export function expectCountable(job: LensJob): void {
  const { tensors, stepNumbers, threads = 1 } = job;
  expectMilestones(job);
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new RangeError(`expected a number of threads of at least 1, found ${threads}`);
  }
  let elements = 0;
  for (const tensor of tensors) {
    const { name, weights, updates, start = 0 } = tensor;
    elements += countOf(tensor);
    const what = name === "" ? "the tensor" : `tensor ${name}`;
    if (start % blockLength !== 0 || start > weights.length) {
      throw new RangeError(`${what}: expected a piece from a multiple of ${blockLength} on, found ${start}`);
    }
    if (updates.length !== stepNumbers.length) {
      throw new RangeError(
        `${what}: expected ${plural(stepNumbers.length, "update")}, found ${updates.length}`,
      );
    }
    for (const { length } of updates) {
      if (length !== weights.length) {
        throw new RangeError(
          `${what}: expected updates of ${plural(weights.length, "element")}, found ${length}`,
        );
      }
    }
  }
  if (elements * Math.max(1, stepNumbers.length) > Number.MAX_SAFE_INTEGER) {
    throw new RangeError("more than 2^53 weight-steps: counts would no longer be exact");
  }
}
