import { unknownName } from "../format/unknown-name.js";
import { countOf, countOfAll, pieceOf, type TensorInput } from "../lens/input.js";
import type { SelfCheck } from "../lens/run/result.js";
import { blockLength } from "../lens/sum.js";
import type { CaseSettings } from "../update/optimizer.js";
import type { ChunkLens } from "./chunk-lens.js";
import type { Engine, LensJob } from "./engine.js";
import { EngineRefused } from "./engine-refused.js";
import { engines as known } from "./registry.js";
import { worthThreads } from "./wasm/wasm.js";

/** An engine that passed its self-check. */
export interface ProvenEngine {
  readonly engine: Engine;
  readonly selfCheck: SelfCheck;
}

function isDevice({ worthFrom }: Engine): boolean {
  return worthFrom !== undefined;
}

/**
 * The number of weight updates, over all cases, that the reference counts during another engine's self-check: 0.1 s.
 */
const smallJob = 2 ** 17;

/**
 * Selects an engine by name. `gpu` is the first device engine that passes its self-check. `auto` is the
 * reference for a small job, otherwise the first CPU engine that passes; for a job large enough to start a
 * device, a device engine that passes and is faster on a sample of the job. `auto` does not try drivers that
 * compute on the CPU: they cannot be faster than its own engine, and take up to minutes to compile kernels.
 *
 * @param name one of `engineNames`.
 * @param job the job: engines check themselves on its cases, and `auto` depends on its size.
 * @param engines the available engines by name.
 * @returns the engine and the result of its self-check.
 * @example (await selectEngine("reference")).selfCheck.failed; // 0
 * @throws RangeError for an unknown name; EngineRefused for an engine that is not available, does not take the job's
 *   cases, or fails its self-check.
 */
export async function selectEngine(
  name: string,
  job?: LensJob,
  engines: ReadonlyMap<string, Engine> = known,
): Promise<ProvenEngine> {
  if (name === "gpu") return firstProven([...engines.values()].filter(isDevice), job, "engine gpu");
  if (name !== "auto") {
    const engine = engines.get(name);
    if (engine) return prove(engine, job);
    throw unknownName("engine", name, ["auto", "gpu", ...engines.keys()]);
  }
  const size = job === undefined ? null : sizeOf(job);
  const reference = engines.get("reference");
  if (reference && size !== null && size > 0 && size <= smallJob) return prove(reference, job);
  const all = [...engines.values()];
  const chosen = await firstProven(
    all.filter((engine) => !isDevice(engine)),
    job,
  );
  if (job === undefined || size === null) return chosen;
  for (const engine of all) {
    if (size < (engine.worthFrom ?? Infinity)) continue;
    const candidate = await prove(engine, job, { onCpu: false }).catch(() => null);
    if (candidate && (await secondsFor(engine, job)) < (await secondsFor(chosen.engine, job)))
      return candidate;
    await engine.close?.();
    // The other devices would run on the same hardware through other libraries.
    if (candidate) return chosen;
  }
  return chosen;
}

/** Opens a lens of the first CPU engine that passes its self-check for these cases; see Engine.open. */
export async function openLens(
  cases: readonly CaseSettings[],
  mostWeights: number,
): Promise<ProvenEngine & { readonly lens: ChunkLens }> {
  const proven = await selectEngine("auto", { tensors: [], stepNumbers: [], cases });
  const { engine } = proven;
  if (!engine.open) throw new Error(`engine ${engine.name} opens no lens`);
  return { ...proven, lens: await engine.open(cases, mostWeights) };
}

/** @param onCpu whether a device's driver may compute on the CPU. */
async function prove(engine: Engine, job?: LensJob, { onCpu = true } = {}): Promise<ProvenEngine> {
  const reason = (job && engine.refuses?.(job.cases, job.tensors)) ?? (await engine.unavailable?.()) ?? null;
  if (reason !== null) throw new EngineRefused(`engine ${engine.name}: ${reason}`);
  if (!onCpu && engine.isFallback)
    throw new EngineRefused(`engine ${engine.name}: its driver computes on the CPU`);
  const selfCheck = await engine.selfCheck(job?.cases);
  if (selfCheck.failed === 0) return { engine, selfCheck };
  const { failed, passed, firstFailure } = selfCheck;
  throw new EngineRefused(
    `engine ${engine.name} fails its self-check on ${engine.device}: ` +
      `${failed} of ${passed + failed} hard cases are wrong, first ${firstFailure}`,
  );
}

async function firstProven(
  candidates: readonly Engine[],
  job?: LensJob,
  what = "no engine passes its self-check",
): Promise<ProvenEngine> {
  const reasons: string[] = [];
  for (const engine of candidates) {
    try {
      return await prove(engine, job);
    } catch (error) {
      if (!(error instanceof EngineRefused)) throw error;
      reasons.push(error.message);
    }
  }
  throw new EngineRefused(`${what}: ${reasons.join("; ")}`);
}

/** Weight updates of a job, over all cases. */
function sizeOf({ tensors, stepNumbers, cases }: LensJob): number {
  const elements = countOfAll(tensors);
  return elements * stepNumbers.length * cases.length;
}

/** Weight-steps of all cases in a sample: enough for CPU threads to pay off, with many chunks each. */
const sampleSize = 4 * worthThreads;

/** Seconds for a sample of a job on the second run, after compilation and start-up. */
async function secondsFor(engine: Engine, job: LensJob): Promise<number> {
  const sample = sampleOf(job);
  await engine.run(sample);
  const began = performance.now();
  await engine.run(sample);
  return (performance.now() - began) / 1000;
}

/** Weight updates per second, over all cases, from a nonempty sample of a job. */
export async function sampleRate(engine: Engine, job: LensJob): Promise<number> {
  return sizeOf(sampleOf(job)) / (await secondsFor(engine, job));
}

/**
 * The first step of a few cases on the beginnings of the largest tensors, with the job's number of threads.
 */
export function sampleOf({ tensors, stepNumbers, cases, threads }: LensJob): LensJob {
  const few = cases.slice(0, 4);
  const taken: TensorInput[] = [];
  // Whole blocks of sums, which are whole blocks of shared scales too.
  let left = Math.ceil(sampleSize / few.length / blockLength) * blockLength;
  for (const tensor of tensors.toSorted((a, b) => countOf(b) - countOf(a))) {
    if (left <= 0) break;
    taken.push(beginningOf(tensor, left));
    left -= countOf(tensor);
  }
  return {
    tensors: taken,
    stepNumbers: stepNumbers.slice(0, 1),
    cases: few,
    ...(threads !== undefined && { threads }),
  };
}

function beginningOf(tensor: TensorInput, most: number): TensorInput {
  const { start = 0, weights, updates, optimizer } = tensor;
  const first = { ...tensor, updates: updates.slice(0, 1) };
  const piece = pieceOf(first, start, Math.min(start + most, weights.length));
  return {
    ...piece,
    ...(start === 0 && { shape: [piece.weights.length] }),
    ...(optimizer && { optimizer: { ...piece.optimizer!, settings: optimizer.settings.slice(0, 1) } }),
  };
}
