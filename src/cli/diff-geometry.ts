import { geometryEngines, provenGeometry } from "../engine/wasm/geometry-engines.js";
import { cores } from "../engine/wasm/platform.js";
import type { TensorPart } from "../geometry/job.js";
import type { Geometry } from "../lens/geometry-result.js";
import { geometryOf } from "../source/pair/geometry-of.js";
import { GeometryPool } from "../source/pair/geometry-pool.js";
import type { CheckpointPair } from "../source/pair/pair-up.js";
import type { DiffOptions } from "./diff.js";
import type { ComparisonLog } from "./diff-files.js";
import { progressBar } from "./progress.js";
import type { Streams } from "./streams.js";

const threadScript = new URL("./geometry-worker.cjs", import.meta.url);

/** With fewer weights than this in all, a thread takes longer to start than to measure. */
const worthThreads = 2 ** 16;

/** What is told of progress: weights times what is done to them. */
const work = { name: "billion steps of work", size: 1e9 };

/**
 * The geometry of the changes of all pairs, which have one base.
 *
 * @throws InputError, ThreadEnded
 */
export async function measured(
  pairs: readonly CheckpointPair[],
  log: ComparisonLog | null,
  options: DiffOptions,
  { err }: Streams,
): Promise<Geometry> {
  const { rank = 64, layers = 5, lr, steps, seed } = options;
  const kernels = await provenGeometry();
  const elements = pairs.flatMap(({ tensors }) => tensors).reduce((sum, tensor) => sum + tensor.elements, 0);
  const threads = options.threads ?? (elements < worthThreads ? 1 : cores());
  const pool = threads > 1 ? new GeometryPool(threadScript, threads, kernels) : null;
  const bar = await progressBar(options.quiet ? null : err, work);
  const keyOf = (tensor: string) => `geometry of ${tensor}`;
  try {
    return await geometryOf(pairs, {
      rank,
      layers,
      walk: lr === undefined || steps === undefined ? null : { lr, steps },
      seed,
      engines: geometryEngines(kernels),
      pool,
      progress: bar.progress,
      resume: log && {
        part: (tensor) => log.part(keyOf(tensor)) as TensorPart | null,
        done: (tensor, part) => log.add(keyOf(tensor), part),
      },
    });
  } finally {
    bar.stop();
    await pool?.close();
  }
}
