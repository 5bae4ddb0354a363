import type { DifferenceKernel } from "../engine/wasm/difference/comparison.js";
import { geometryEngines, provenGeometry } from "../engine/wasm/geometry-engines.js";
import { cores } from "../engine/wasm/platform.js";
import type { TensorPart } from "../geometry/job.js";
import type { Walk } from "../geometry/size-measures.js";
import type { DifferenceTallyJson } from "../lens/difference/difference.js";
import { defaultLayers, defaultRank, type Geometry, type MeanMeasures } from "../lens/geometry-result.js";
import { geometryOf } from "../source/pair/geometry-of.js";
import { openPair } from "../source/pair/open-pair.js";
import type { CheckpointPair, PairOptions } from "../source/pair/pair-up.js";
import type { StoredTask } from "../source/pair/stored-task.js";
import { ThreadPool } from "../source/pair/thread-pool.js";
import type { ComparisonLog } from "./diff-options.js";
import type { GeometryOptions } from "./geometry-options.js";
import { progressBar } from "./progress.js";
import type { Streams } from "./streams.js";

const threadScript = new URL("./geometry-worker.cjs", import.meta.url);

/** The number of weights from which starting a thread takes less time than measuring. */
const worthThreads = 2 ** 16;

/** The unit of progress: weights times operations on them. */
const work = { name: "billion steps of work", size: 1e9 };

/** What to measure, and how. */
export interface GeometryJob extends GeometryOptions {
  readonly pair: PairOptions;
  readonly seed: number;
  /** The noise walk of the first updates, or of all; null if rate or steps are unknown. */
  readonly walk: (updates?: number) => Walk | null;
  readonly threads?: number | undefined;
  readonly quiet?: boolean | undefined;
  /** The kernel of `diff` and where its counts go, if they are to be made on the way. */
  readonly difference?: DifferenceKernel;
  readonly counted?: (tensor: string, tally: DifferenceTallyJson) => void;
}

/**
 * The geometry of the changes of all pairs, which share one base.
 *
 * @param before the path of that base.
 * @throws InputError, ThreadEnded
 */
export async function measured(
  pairs: readonly CheckpointPair[],
  before: string,
  log: ComparisonLog | null,
  options: GeometryJob,
  { err }: Streams,
): Promise<Geometry> {
  const { rank = defaultRank, layers = defaultLayers, seed, walk } = options;
  const kernels = await provenGeometry(layers !== 0, options.difference);
  const elements = pairs.flatMap(({ tensors }) => tensors).reduce((sum, tensor) => sum + tensor.elements, 0);
  const threads = options.threads ?? (elements < worthThreads ? 1 : cores());
  // To start a thread takes as long as 30 million weights (measured): this one works too, unless spectra would make others wait.
  const here = threads === 1 || layers === 0;
  const started = here ? threads - 1 : threads;
  const pool = started > 0 ? new ThreadPool<StoredTask, TensorPart>(threadScript, started, 1) : null;
  pool?.prepare(kernels);
  const bar = await progressBar(options.quiet ? null : err, work);
  const keyOf = (tensor: string) => `geometry of ${tensor}`;
  const engines = geometryEngines(kernels);
  const common = { rank, layers, seed, engines };
  try {
    // First, because it fails at once if a step does not exist.
    const curve = await curveOf(options.milestones ?? [], async (updates) => {
      const pair = await openPair(before, pairs[0].after.path, { ...options.pair, updates });
      try {
        return (await geometryOf([pair], { ...common, walk: walk(updates), pool: null })).totals;
      } finally {
        await pair.close();
      }
    });
    const geometry = await geometryOf(pairs, {
      ...common,
      walk: walk(),
      pool,
      here,
      progress: bar.progress,
      ...(options.counted && { counted: options.counted }),
      resume: log && {
        part: (tensor) => log.part(keyOf(tensor)) as TensorPart | null,
        done: (tensor, part) => log.add(keyOf(tensor), part),
      },
    });
    return curve.length > 0 ? { ...geometry, curve } : geometry;
  } finally {
    bar.stop();
    await pool?.close();
  }
}

async function curveOf(
  milestones: readonly number[],
  totalsAfter: (updates: number) => Promise<MeanMeasures>,
): Promise<NonNullable<Geometry["curve"]>> {
  const curve = [];
  for (const updates of milestones) curve.push({ updates, totals: await totalsAfter(updates) });
  return curve;
}
