import { plural } from "../../format/plural.js";
import { countOf, countOfAll } from "../../lens/input.js";
import type { CaseTally } from "../../lens/run/summarize.js";
import { blockLength } from "../../lens/sum.js";
import type { Engine, LensJob, Observer } from "../engine.js";
import { caseTallies, newTallies } from "../job-tallies.js";
import { proofOf, provenBlocks, provenCases, provenRecipes, provenShared } from "../proof.js";
import { Stop, Stopped } from "../stop.js";
import { expectCountable, walk } from "../walk.js";
import { refusal, takenBy } from "./admission.js";
import { moduleBytes } from "./assembler/module.js";
import { cores, webAssembly, whyNoThreads } from "./platform.js";
import { batchesOf } from "./tensor-blocks.js";
import { endThreads } from "./thread-pool.js";
import { forWorkers, runThreaded } from "./threaded.js";
import { WasmLens } from "./wasm-lens.js";

/** The maximum number of weights processed at once: all rows of one case fit in the L2 cache. */
const mostWeights = 2 ** 15;
/** Weight-steps of all cases from which threads pay off; starting one takes about 20 ms. */
export const worthThreads = 2 ** 22;

const proven = [...provenCases("exact"), ...provenRecipes(), ...provenShared(), ...provenBlocks()];

/** SIMD kernels specialized for the job, on all cores. */
export const wasm: Engine = {
  name: "wasm",
  get device() {
    const threads = whyNoThreads === null ? plural(cores(), "thread") : `one thread: ${whyNoThreads}`;
    return `CPU, WebAssembly SIMD, ${threads}`;
  },
  unavailable: async () => (hasSimd() ? null : "this platform has no WebAssembly with SIMD"),
  refuses: refusal,
  selfCheck: (cases = proven) => proof(cases),
  open: async (cases, mostWeights) => {
    // Blocks depend on the tensor's shape, and may depend on all of its updates.
    if (cases.some(({ blocks }) => blocks))
      throw new RangeError("engine wasm: a lens of its own takes no shared scales");
    return WasmLens.create(takenBy("wasm", cases), 2 ** Math.ceil(Math.log2(mostWeights)));
  },
  run,
  close: async () => endThreads(),
};

const proof = proofOf(wasm);

async function run(job: LensJob, observer: Observer = {}): Promise<CaseTally[]> {
  const cases = takenBy("wasm", job.cases, job.tensors);
  expectCountable(job);
  const chunk = chunkOf(job);
  const here: Runner = async (part, partObserver, stop) =>
    walk({ ...part, chunk }, await WasmLens.create(cases, chunk), stoppable(partObserver, stop));
  const stop = new Stop();
  const size = countOfAll(job.tensors) * job.stepNumbers.length;
  if (whyNoThreads !== null || size * cases.length < worthThreads) return here(job, observer, stop);

  const onThreads: Runner = (part, partObserver) =>
    runThreaded({ ...part, cases, chunk }, job.threads ?? cores(), partObserver, stop);
  const inTurn: Runner = (part, partObserver) => {
    const parts = batchesOf(cases, part.tensors, part.stepNumbers.length).map(
      (indices): Part => ({ indices, run: onThreads }),
    );
    return divided(part, partObserver, stop, parts, async (running) => {
      const counted: CaseTally[][] = [];
      for (const run of running) counted.push(await run());
      return counted;
    });
  };
  const isForWorkers = forWorkers(job, chunk);
  const indices = [...job.tensors.keys()];
  const parts: Part[] = [
    { indices: indices.filter((t) => isForWorkers(job.tensors[t])), run: inTurn },
    { indices: indices.filter((t) => !isForWorkers(job.tensors[t])), run: here },
  ];
  return divided(job, observer, stop, parts, (running) =>
    allOrStop(
      running.map((run) => run()),
      stop,
    ),
  );
}

/** Weights processed at once: a power of two, so that no chunk's pairs of random words straddle 2^32. */
function chunkOf({ tensors, cases, chunk }: LensJob): number {
  // Recipes and block formats have twice as many rows.
  const rows = cases.reduce((sum, settings) => sum + (settings.recipe || settings.blocks ? 2 : 1), 0);
  const longest = tensors.reduce((most, tensor) => Math.max(most, countOf(tensor)), 1);
  const most = Math.min(chunk ?? mostWeights / Math.max(1, rows), longest);
  return Math.max(blockLength, Math.min(mostWeights, 2 ** Math.ceil(Math.log2(most))));
}

type Runner = (job: LensJob, observer: Observer, stop: Stop) => Promise<CaseTally[]>;

/** Some tensors of a job, and how they are counted. */
interface Part {
  readonly indices: readonly number[];
  readonly run: Runner;
}

/** An observer whose `progress` throws {@link Stopped} once a stop is requested. */
function stoppable(observer: Observer, stop: Stop): Observer {
  return {
    ...observer,
    progress: (done, total) => {
      if (stop.asked) throw new Stopped();
      observer.progress?.(done, total);
    },
  };
}

/** Runs a job in parts, in order or concurrently as `runAll` does, and merges their counts. */
async function divided(
  job: LensJob,
  observer: Observer,
  stop: Stop,
  parts: readonly Part[],
  runAll: (running: readonly (() => Promise<CaseTally[]>)[]) => Promise<CaseTally[][]>,
): Promise<CaseTally[]> {
  const done = parts.map(() => 0);
  const total = countOfAll(job.tensors) * job.stepNumbers.length;
  const running = parts.map(({ indices, run }, part) => async () => {
    const tensors = indices.map((t) => job.tensors[t]);
    if (tensors.length === 0) return [];
    const { progress, weights } = observer;
    return run(
      { ...job, tensors },
      {
        ...(progress && {
          progress(soFar: number) {
            done[part] = soFar;
            progress.call(
              observer,
              done.reduce((sum, ofPart) => sum + ofPart, 0),
              total,
            );
          },
        }),
        ...(weights && {
          weights: (c: number, t: number, start: number, numbers: Float32Array) =>
            weights.call(observer, c, indices[t], start, numbers),
        }),
      },
      stop,
    );
  });
  const tallies = newTallies(job);
  for (const [part, counted] of (await runAll(running)).entries()) {
    const { indices } = parts[part];
    if (counted.length === 0) continue;
    for (const [c, { tensors, steps, curve }] of tallies.entries()) {
      for (const [i, t] of indices.entries()) tensors[t].merge(counted[c].tensors[i].tally);
      for (const [i, { tally }] of counted[c].steps.entries()) steps[i].merge(tally);
      for (const [i, { end }] of counted[c].curve.entries()) curve[i].merge(end);
    }
  }
  return caseTallies(job, tallies);
}

/** The results of all; if one fails, throws its error once all have ended. */
async function allOrStop<T>(running: readonly Promise<T>[], stop: Stop): Promise<T[]> {
  for (const each of running) each.catch(() => stop.ask());
  const outcomes = await Promise.allSettled(running);
  const failures = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  if (failures.length > 0) throw failures.find((error) => !(error instanceof Stopped)) ?? failures[0];
  return outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
}

let simd: boolean | null = null;

/** Whether the platform supports SIMD modules. */
function hasSimd(): boolean {
  simd ??=
    webAssembly?.validate(
      moduleBytes({ pages: 1, shared: false }, [
        {
          name: "probe",
          parameters: [],
          write: (k) => void k.i32x4.add(k.i32x4.constant(1), k.i32x4.constant(2)),
        },
      ]),
    ) ?? false;
  return simd;
}
