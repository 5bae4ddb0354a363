import type { Format } from "../../format/format.js";
import {
  type Engines,
  measureModels,
  pairsOf,
  type TensorPart,
  type TensorTask,
} from "../../geometry/job.js";
import { jaccardOf, type SharedChanges, type Walk } from "../../geometry/size-measures.js";
import { outsideLayers, sampledLayers, summarizeGeometry } from "../../geometry/summarize.js";
import type { DifferenceTallyJson } from "../../lens/difference/difference.js";
import type { Geometry, ModelGeometry, Overlap, TensorGeometry } from "../../lens/geometry-result.js";
import { moduleOf } from "../../lens/module.js";
import { type ModuleKind, moduleKinds } from "../../lens/module-kind.js";
import { type FileIdentity, FileReader, fileIdentity } from "../file-reader.js";
import { InputError } from "../input-error.js";
import { computedMatrix } from "./matrix-pair.js";
import type { CheckpointPair, TensorPair } from "./pair-up.js";
import type { StoredRange } from "./range.js";
import { measureStored, type StoredTask } from "./stored-task.js";
import type { ThreadPool } from "./thread-pool.js";

export interface GeometryOptions {
  readonly rank: number;
  /** The number of layers of each stack whose spectra are computed. */
  readonly layers: number | "all";
  readonly walk: Walk | null;
  readonly seed: number;
  readonly engines: Engines;
  /** Threads to use; null: the calling thread. */
  readonly pool: ThreadPool<StoredTask, TensorPart> | null;
  /** Whether this thread measures beside those of the pool: only where no tensor takes long without a turn of others. */
  readonly here?: boolean;
  /** Called after each tensor with the work done and the total. */
  progress?(done: number, total: number): void;
  /** Called with the counts of `diff` of each tensor of a single model for which they were made on the way. */
  counted?(tensor: string, tally: DifferenceTallyJson): void;
  readonly resume?: {
    part(tensor: string): TensorPart | null;
    done(tensor: string, part: TensorPart): void;
  } | null;
}

/** The work of a spectrum relative to all other work on a matrix; used only for progress. */
const spectralWork = 60;

/** The shortest side for which the geometry of a matrix is meaningful. */
const leastSide = 8;

interface Task extends TensorTask {
  readonly tensors: readonly (TensorPair | null)[];
  readonly work: number;
}

/**
 * The geometry of the changes of tuned models, each paired with the same base.
 *
 * @throws InputError if a file cannot be read, or nothing has a geometry; ThreadEnded.
 */
export async function geometryOf(
  pairs: readonly CheckpointPair[],
  options: GeometryOptions,
): Promise<Geometry> {
  const { rank, seed, walk, pool, here = pool === null, engines, progress, resume = null } = options;
  const { tasks, leftOut, sampled } = planOf(pairs, options);
  const identities = new Map(pairs.flatMap(({ files }) => files).map((file) => [file, fileIdentity(file)]));
  const total = tasks.reduce((sum, { work }) => sum + work, 0);
  const parts = new Map<Task, TensorPart>();
  let done = 0;
  const files = new FileReader();

  async function partOf(task: Task, pool: GeometryOptions["pool"]): Promise<TensorPart> {
    const stored = storedTask(task, identities);
    if (stored === null) {
      return measureModels(
        presentOf(task).map((tensor) => ({
          matrix: computedMatrix(tensor, tensor.compared as Format),
          format: tensor.compared as Format,
        })),
        task,
        engines,
      );
    }
    return pool ? pool.perform(stored) : measureStored(stored, files, engines);
  }

  async function work(queue: Task[], pool: GeometryOptions["pool"]): Promise<void> {
    for (let task = queue.shift(); task; task = queue.shift()) {
      const { name } = presentOf(task)[0];
      const known = resume?.part(name) ?? null;
      const part = known ?? (await partOf(task, pool));
      if (known === null) resume?.done(name, part);
      if (part.difference) options.counted?.(name, part.difference);
      parts.set(task, part);
      done += task.work;
      progress?.(done, total);
    }
  }

  try {
    // Largest first, so that no thread is left with a large one at the end.
    const queue = [...tasks].sort((a, b) => b.work - a.work);
    const working = Array.from({ length: pool?.atOnce ?? 0 }, () => work(queue, pool));
    await Promise.all([...working, ...(here ? [work(queue, null)] : [])]);
  } finally {
    files.close();
  }
  const found = tasks.map((task) => ({ task, part: parts.get(task)! }));
  const modelOf = (index: number): ModelGeometry => {
    const tensors = found.flatMap(({ task, part }): TensorGeometry[] => {
      if (!task.tensors[index]) return [];
      return [part.geometries[task.tensors.slice(0, index).filter((tensor) => tensor !== null).length]];
    });
    return summarizeGeometry(tensors, sampled);
  };
  const others = pairs.slice(1).map(({ after }, i) => ({ path: after.path, ...modelOf(i + 1) }));
  return {
    rank,
    seed,
    walk,
    sampled: { ...sampled, all: options.layers === "all" },
    ...modelOf(0),
    ...(others.length > 0 && { others, jaccard: overlapsOf(found, pairs.length) }),
    leftOut,
  };
}

/** The tensors to measure, and how. */
function planOf(pairs: readonly CheckpointPair[], { rank, seed, walk, layers }: GeometryOptions) {
  const byName = pairs.map(({ tensors }) => new Map(tensors.map((tensor) => [tensor.name, tensor])));
  const names = [...new Set(byName.flatMap((tensors) => [...tensors.keys()]))];
  const leftOut: { name: string; reason: string }[] = [];
  const matrices = names.flatMap((name) => {
    const tensors = byName.map((tensorsByName) => tensorsByName.get(name) ?? null);
    const reason = whyNot(tensors.find((tensor) => tensor !== null)!);
    if (reason !== null) leftOut.push({ name, reason });
    return reason === null ? [{ name, tensors, module: moduleOf(name) }] : [];
  });
  if (matrices.length === 0) {
    const expected = "a matrix that both sides have, of at least 8 x 8 numbers of at most fp32";
    throw new InputError(pairs[0].after.path, expected, "none");
  }
  const stacks = new Map<string, number[]>();
  for (const { module } of matrices) {
    if (module.stack === null) continue;
    stacks.set(module.stack, [...(stacks.get(module.stack) ?? []), module.layer!]);
  }
  const most = layers === "all" ? Number.POSITIVE_INFINITY : layers;
  const taken = new Map([...stacks].map(([stack, stackLayers]) => [stack, sampledLayers(stackLayers, most)]));
  const reasonOf = ({ module }: (typeof matrices)[number]): string | null => {
    if (layers === "all") return null;
    if (layers === 0) return "no spectra were asked for (--layers 0)";
    if (module.stack === null) {
      return outsideLayers.has(module.kind) ? "it is in no layer: --layers all takes its spectrum" : null;
    }
    return taken.get(module.stack)!.has(module.layer!) ? null : "its layer is not in the sample (--layers)";
  };
  const tasks = matrices.map((matrix): Task => {
    const withoutSpectra = reasonOf(matrix);
    const elements = matrix.tensors.reduce((sum, tensor) => sum + (tensor?.elements ?? 0), 0);
    const work = elements * (withoutSpectra === null ? spectralWork : 1);
    return { tensors: matrix.tensors, rank, seed, walk, withoutSpectra, work };
  });
  const count = (groups: Iterable<Iterable<number>>) =>
    [...groups].reduce((sum, each) => sum + new Set(each).size, 0);
  const sampled = { layers: count(taken.values()), of: count(stacks.values()) };
  return { tasks, leftOut, sampled };
}

function whyNot({ shape, compared }: TensorPair): string | null {
  if (shape.length !== 2)
    return `it has ${shape.length} ${shape.length === 1 ? "dimension" : "dimensions"}, not two`;
  if (Math.min(...shape) < leastSide) return `its short side is under ${leastSide}`;
  return compared === "fp64" ? "it is compared in fp64: --view names a format that fp32 holds" : null;
}

function presentOf({ tensors }: Task): TensorPair[] {
  return tensors.filter((tensor) => tensor !== null);
}

/** Null for a computed tensor. */
function storedTask(task: Task, identities: ReadonlyMap<string, FileIdentity>): StoredTask | null {
  const { rank, seed, walk, withoutSpectra } = task;
  const present = presentOf(task);
  const range = ({ stored, dtype }: TensorPair["before"]): StoredRange | null =>
    stored && { file: identities.get(stored.file)!, position: stored.begin, dtype };
  const models = present.map(({ before, after, compared }) => ({
    before: range(before)!,
    after: range(after)!,
    compared: (compared as Format).name,
  }));
  if (models.some(({ before, after }) => before === null || after === null)) return null;
  const [{ name, shape }] = present;
  return { rank, seed, walk, withoutSpectra, name, shape: [shape[0], shape[1]], models };
}

/** The overlaps of every two models: in total, by kind and by tensor. */
function overlapsOf(found: readonly { task: Task; part: TensorPart }[], models: number): Overlap[] {
  return pairsOf(models).map(([a, b]): Overlap => {
    const tensors = found.flatMap(({ task, part }) => {
      if (!task.tensors[a] || !task.tensors[b]) return [];
      const place = (model: number) =>
        task.tensors.slice(0, model).filter((tensor) => tensor !== null).length;
      const index = pairsOf(part.geometries.length).findIndex(([x, y]) => x === place(a) && y === place(b));
      const { name, kind } = part.geometries[0];
      return [{ name, kind, shared: part.shared[index] }];
    });
    const sum = (parts: typeof tensors) => jaccardOf(added(parts.map(({ shared }) => shared)));
    const ofKind = (kind: ModuleKind) => tensors.filter((tensor) => tensor.kind === kind);
    return {
      models: [a, b],
      totals: sum(tensors),
      kinds: moduleKinds
        .filter((kind) => ofKind(kind).length > 0)
        .map((kind) => ({ kind, jaccard: sum(ofKind(kind)) })),
      tensors: tensors.map(({ name, shared }) => ({ name, jaccard: jaccardOf(shared) })),
    };
  });
}

function added(shared: readonly SharedChanges[]): SharedChanges {
  const sum = (field: keyof SharedChanges) => shared.reduce((all, each) => all + each[field], 0);
  return { shared: sum("shared"), a: sum("a"), b: sum("b"), bySize: sum("bySize") };
}
