import { availableParallelism } from "node:os";
import { round } from "../../format/round.js";
import { type Chunk, numbersChanged, sampleChunks, storedBytes } from "../../lens/delta.js";
import { compareNumbers, DifferenceTally, type DifferenceTallyJson } from "../../lens/difference.js";
import { type Comparer, codeComparer } from "../../lens/difference-codes.js";
import type { DeltaSample } from "../../lens/difference-result.js";
import { blockLength } from "../../lens/sum.js";
import { type FileIdentity, fileIdentity } from "./file-reader.js";
import { type CheckpointPair, nameOf, type TensorPair } from "./pair-up.js";
import { type RangePair, type SampledChunk, sampledChunk } from "./range.js";
import { inlinePerformer, type Performer, together } from "./tasks.js";
import { workerPool } from "./worker-pool.js";

/** What was counted of a tensor before the comparison was interrupted, and where to put what is counted now. */
export interface Progress {
  tally(tensor: string): DifferenceTallyJson | null;
  /** Called once for each tensor that was compared to its end. */
  done(tensor: string, tally: DifferenceTallyJson): void;
}

export interface CompareOptions {
  /** Makes what compares codes on this thread; by default that in TypeScript. */
  readonly comparer?: () => Promise<Comparer>;
  /** The body of a thread, which calls `serveTasks`; without it all is done on this thread. */
  readonly worker?: URL;
  /** How many threads, this one among them; by default one a core, and none where there is little to do. */
  readonly threads?: number | undefined;
  /** Chunks of the sample that is compressed. */
  readonly sample: number;
  readonly seed: number;
  /** Called now and then with how many bytes of both sides have been compared. */
  progress?(done: number, total: number): void;
  readonly resume?: Progress | null;
}

export interface Comparison {
  /** One for each tensor of the pair. */
  readonly tallies: readonly DifferenceTally[];
  readonly sample: DeltaSample;
}

/** Elements of a task: tens of megabytes, milliseconds of work. */
const taskLength = 2 ** 24;

/** Elements of a tensor that is computed, read at once. */
const pieceLength = 2 ** 18;

/** With fewer bytes than this, threads take longer to start than to compare. */
const worthThreads = 2 ** 26;

/** More threads than this gain nothing: they wait for memory. */
const mostThreads = 8;

/**
 * Compares every tensor of a pair, in ranges that threads take one after the other. The tallies depend on neither
 * the ranges nor the threads.
 *
 * @throws InputError if a file cannot be read, or is no longer what it was.
 */
export async function comparePair(pair: CheckpointPair, options: CompareOptions): Promise<Comparison> {
  const { tensors } = pair;
  const { sample: chunks, seed, resume = null } = options;
  const identities = new Map(pair.files.map((file) => [file, fileIdentity(file)]));
  const bytesOf = (tensor: TensorPair) => tensor.elements * bytesPerElement(tensor);
  const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const tallies = tensors.map(({ name }) => {
    const known = resume?.tally(name);
    return known ? DifferenceTally.fromJSON(known) : new DifferenceTally();
  });
  const left = tensors.flatMap((tensor, index) => (resume?.tally(tensor.name) ? [] : [{ tensor, index }]));
  let done = total - left.reduce((sum, { tensor }) => sum + bytesOf(tensor), 0);
  const performer = await performerFor(total - done, options);

  async function compareTensor({ tensor, index }: (typeof left)[number], flow: Flow): Promise<void> {
    const length = tensor.before.stored && tensor.after.stored ? taskLength : pieceLength;
    let unfinished = Math.max(1, Math.ceil(tensor.elements / length));
    const add = (count: number, counted: DifferenceTally) => {
      tallies[index].merge(counted);
      done += count * bytesPerElement(tensor);
      options.progress?.(done, total);
      unfinished -= 1;
      if (unfinished === 0) resume?.done(tensor.name, tallies[index].toJSON());
    };
    if (tensor.elements === 0) return add(0, new DifferenceTally());
    for (let start = 0; start < tensor.elements; start += length) {
      const count = Math.min(length, tensor.elements - start);
      await flow.start(async () => add(count, await compareRange(tensor, start, count)));
    }
  }

  async function compareRange(tensor: TensorPair, start: number, count: number): Promise<DifferenceTally> {
    const range = rangeOf(tensor, start, count, identities);
    if (range) {
      return DifferenceTally.fromJSON(
        (await performer.perform({ kind: "compare", range })) as DifferenceTallyJson,
      );
    }
    const tally = new DifferenceTally();
    compareNumbers(await tensor.read(start, count), tensor.compared, tally);
    return tally;
  }

  async function sampleChunk({ tensor: index, start, count }: Chunk): Promise<SampledChunk> {
    const tensor = tensors[index];
    const range = rangeOf(tensor, start, count, identities);
    if (range) return (await performer.perform({ kind: "sample", range })) as SampledChunk;
    const { before, after } = await tensor.read(start, count);
    const { compared } = tensor;
    const rounded = (numbers: Float64Array) =>
      compared === "fp64" ? numbers : numbers.map((x) => round(x, compared));
    const [a, b] = [rounded(before), rounded(after)];
    return sampledChunk(count, numbersChanged(a, b), storedBytes(b, compared));
  }

  try {
    const flow = new Flow(performer.atOnce);
    const sampled: SampledChunk[] = [];
    const lengths = tensors.map(({ elements }) => elements);
    for (const chunk of sampleChunks(lengths, chunks, seed)) {
      await flow.start(async () => void sampled.push(await sampleChunk(chunk)));
    }
    for (const each of left) await compareTensor(each, flow);
    await flow.end();
    return { tallies, sample: addUp(sampled) };
  } finally {
    await performer.close();
  }
}

/** This thread works too: it makes its comparer and begins while the others start. */
async function performerFor(
  bytes: number,
  { worker, threads, comparer = async () => codeComparer() }: CompareOptions,
): Promise<Performer> {
  const worthwhile = bytes < worthThreads ? 1 : Math.min(availableParallelism(), mostThreads);
  const others = (threads ?? worthwhile) - 1;
  const pool = worker && others > 0 ? workerPool(worker, others) : null;
  try {
    const here = inlinePerformer(await comparer());
    return pool ? together(here, pool) : here;
  } catch (error) {
    await pool?.close();
    throw error;
  }
}

function bytesPerElement({ before, after }: TensorPair): number {
  const bytes = (format: TensorPair["before"]["format"]) => (format === "fp64" ? 8 : format!.bits / 8);
  return bytes(before.format) + bytes(after.format);
}

/** The range in the files; null for a tensor that has to be computed. `start` is a multiple of blockLength. */
function rangeOf(
  { before, after, compared }: TensorPair,
  start: number,
  count: number,
  identities: ReadonlyMap<string, FileIdentity>,
): RangePair | null {
  if (start % blockLength !== 0) throw new RangeError(`${start} is no multiple of ${blockLength}`);
  const [from, to] = [before, after].map(({ stored, dtype, format }) => {
    if (!stored || format === null) return null;
    const bytes = format === "fp64" ? 8 : format.bits / 8;
    return { file: identities.get(stored.file)!, position: stored.begin + start * bytes, dtype };
  });
  return from && to && { before: from, after: to, elements: count, compared: nameOf(compared) };
}

function addUp(chunks: readonly SampledChunk[]): DeltaSample {
  const sum = (numberOf: (chunk: SampledChunk) => number) =>
    chunks.reduce((all, chunk) => all + numberOf(chunk), 0);
  const bytes = (of: (chunk: SampledChunk) => SampledChunk["plain"]) => ({
    full: sum((chunk) => of(chunk).full),
    gapValue: sum((chunk) => of(chunk).gapValue),
    maskValue: sum((chunk) => of(chunk).maskValue),
  });
  return {
    chunks: chunks.length,
    elements: sum(({ elements }) => elements),
    changed: sum(({ changed }) => changed),
    plain: bytes(({ plain }) => plain),
    gzip: bytes(({ gzip }) => gzip),
    zstd: chunks.every(({ zstd }) => zstd !== null) ? bytes(({ zstd }) => zstd!) : null,
  };
}

/** At most so many actions under way; the first error ends it. */
class Flow {
  readonly #most: number;
  readonly #underWay = new Set<Promise<void>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Starts an action as soon as there is room. */
  async start(action: () => Promise<void>): Promise<void> {
    while (this.#underWay.size >= this.#most) await Promise.race(this.#underWay);
    const running = action().then(() => void this.#underWay.delete(running));
    // An error is thrown where it is waited for, here or at the end.
    running.catch(() => undefined);
    this.#underWay.add(running);
  }

  async end(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
