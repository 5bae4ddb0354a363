import { type Chunk, sampleChunks } from "../../lens/difference/delta.js";
import {
  compareNumbers,
  DifferenceTally,
  type DifferenceTallyJson,
} from "../../lens/difference/difference.js";
import { type Comparer, codeComparer } from "../../lens/difference/difference-codes.js";
import type { DeltaSample } from "../../lens/difference/difference-result.js";
import type { PartRange } from "../../lens/shard/part.js";
import { blockLength } from "../../lens/sum.js";
import { type FileIdentity, FileReader, fileIdentity } from "../file-reader.js";
import { compareInBlocks } from "./compare-blocks.js";
import { compareScales } from "./compare-scales.js";
import { type CheckpointPair, nameOf, type TensorPair } from "./pair-up.js";
import type { RangePair } from "./range.js";
import { type SampledChunk, sampleNumbers } from "./sample.js";
import { areAlike } from "./scaled-range.js";
import { ThisThread } from "./this-thread.js";
import type { ThreadPool } from "./thread-pool.js";
import { worthThreads } from "./threads.js";

/** Counts of a tensor from before an interruption, and the destination of new counts. */
export interface Progress {
  tally(tensor: string): DifferenceTallyJson | null;
  /** Called once for each completed tensor. */
  done(tensor: string, tally: DifferenceTallyJson): void;
}

/** Threads that compare ranges. */
export type RangePool = ThreadPool<RangePair, DifferenceTallyJson>;

export interface CompareOptions {
  /** Compares codes on this thread; default the one in TypeScript. */
  readonly comparer?: Comparer;
  /** Threads besides this one. They stay open. */
  readonly pool?: RangePool | null;
  /** The number of chunks in the compressed sample. */
  readonly sample: number;
  readonly seed: number;
  /** Called periodically with the number of bytes of both sides compared. */
  progress?(done: number, total: number): void;
  readonly resume?: Progress | null;
  /**
   * The ranges to compare, at most one per tensor, starting at multiples of sampleChunk; default everything.
   * The sample is then the part of the full sample in these ranges.
   */
  readonly ranges?: readonly PartRange[];
}

export interface Comparison {
  /** One for each range, or each tensor of the pair. */
  readonly tallies: readonly DifferenceTally[];
  readonly sample: DeltaSample;
}

/** Elements per task: tens of megabytes, milliseconds of work. */
const taskLength = 2 ** 24;

/** Elements read at once of a tensor that is computed. */
const pieceLength = 2 ** 18;

/**
 * Compares every tensor of a pair, in ranges distributed over threads. The tallies depend on neither ranges nor
 * threads.
 *
 * @throws InputError if a file cannot be read or has changed.
 */
export async function comparePair(pair: CheckpointPair, options: CompareOptions): Promise<Comparison> {
  const { tensors } = pair;
  const { ranges = tensors.map(({ elements }, i) => [i, 0, elements] as const) } = options;
  const { sample: chunks, seed, comparer = codeComparer(), pool = null, resume = null } = options;
  const identities = new Map(pair.files.map((file) => [file, fileIdentity(file)]));
  const mine = ranges.map(([t, begin, end], index) => ({ tensor: tensors[t], begin, end, index }));
  const bytesOf = (pieces: readonly (typeof mine)[number][]) =>
    pieces.reduce((sum, { tensor, begin, end }) => sum + (end - begin) * bytesPerElement(tensor), 0);
  const total = bytesOf(mine);
  const tallies = mine.map(({ tensor: { name } }) => {
    const known = resume?.tally(name);
    return known ? DifferenceTally.fromJSON(known) : new DifferenceTally();
  });
  const left = mine.filter(({ tensor }) => !resume?.tally(tensor.name));
  let done = total - bytesOf(left);
  const here = new ThisThread(comparer);
  const files = { of: new FileReader(), identities };

  async function compareTensor(
    { tensor, begin, end, index }: (typeof left)[number],
    flow: Flow,
  ): Promise<void> {
    const inFiles = [tensor.before, tensor.after].every(({ stored, scaled }) => stored ?? scaled);
    const length = inFiles ? taskLength : pieceLength;
    // Scales are compared separately, once, with the first piece.
    const byCode = areAlike(tensor.before.scaled, tensor.after.scaled);
    let unfinished = Math.max(1, Math.ceil((end - begin) / length));
    const add = (count: number, counted: DifferenceTally) => {
      tallies[index].merge(counted);
      done += count * bytesPerElement(tensor);
      options.progress?.(done, total);
      unfinished -= 1;
      if (unfinished === 0) resume?.done(tensor.name, tallies[index].toJSON());
    };
    if (tensor.blocks !== null) {
      const { blocks } = tensor;
      return flow.start(async () => {
        const counted = new DifferenceTally();
        await compareInBlocks(tensor, blocks, counted, (count) => {
          done += count * bytesPerElement(tensor);
          options.progress?.(done, total);
        });
        tallies[index].merge(counted);
        resume?.done(tensor.name, tallies[index].toJSON());
      });
    }
    if (begin === end) return add(0, new DifferenceTally());
    for (let start = begin; start < end; start += length) {
      const count = Math.min(length, end - start);
      await flow.start(async () => {
        const tally = await compareRange(tensor, start, count);
        if (byCode && start === 0) compareScales(tensor.before.scaled!, tensor.after.scaled!, files, tally);
        add(count, tally);
      });
    }
  }

  async function compareRange(tensor: TensorPair, start: number, count: number): Promise<DifferenceTally> {
    const range = rangeOf(tensor, start, count, identities);
    if (range) {
      const counted = await (pool === null || here.isFree ? here.compare(range) : pool.perform(range));
      return DifferenceTally.fromJSON(counted);
    }
    const tally = new DifferenceTally();
    compareNumbers(await tensor.read(start, count), tensor.compared, tally);
    return tally;
  }

  async function sampledChunk({ tensor: index, start, count }: Chunk): Promise<SampledChunk> {
    const tensor = tensors[index];
    const range = rangeOf(tensor, start, count, identities);
    if (range) return here.sample(range);
    const { before, after } = await tensor.read(start, count);
    return sampleNumbers(before, after, tensor.compared);
  }

  async function takeSample(): Promise<DeltaSample> {
    // Block formats are not sampled: their compressors are format-specific.
    const lengths = tensors.map(({ elements, blocks }) => (blocks === null ? elements : 0));
    const sampled: SampledChunk[] = [];
    const isMine = ({ tensor, start }: Chunk) =>
      ranges.some(([t, begin, end]) => t === tensor && start >= begin && start < end);
    for (const chunk of sampleChunks(lengths, chunks, seed).filter(isMine))
      sampled.push(await sampledChunk(chunk));
    return addUp(sampled);
  }

  try {
    // Runs on this thread while the others start.
    const sampling = takeSample();
    // An error is thrown where the promise is awaited.
    sampling.catch(() => undefined);
    const flow = new Flow(1 + (pool?.atOnce ?? 0));
    for (const each of left) await compareTensor(each, flow);
    await flow.end();
    return { tallies, sample: await sampling };
  } finally {
    here.close();
    files.of.close();
  }
}

/** Whether starting threads takes less time than comparing what has no counts yet. */
export function isWorthThreads({ tensors }: CheckpointPair, counted: ReadonlyMap<string, unknown>): boolean {
  const left = tensors.filter(({ name }) => !counted.has(name));
  return left.reduce((sum, tensor) => sum + tensor.elements * bytesPerElement(tensor), 0) >= worthThreads;
}

/** On both sides. */
export function bytesPerElement({ before, after }: TensorPair): number {
  const bytes = ({ format, scaled }: TensorPair["before"]) =>
    format === "fp64" ? 8 : (scaled?.bits ?? format!.bits) / 8;
  return bytes(before) + bytes(after);
}

/** The range in the files; null for a computed tensor. `start` is a multiple of blockLength. */
function rangeOf(
  { before, after, compared, tells }: TensorPair,
  start: number,
  count: number,
  identities: ReadonlyMap<string, FileIdentity>,
): RangePair | null {
  if (start % blockLength !== 0) throw new RangeError(`${start} is no multiple of ${blockLength}`);
  const [from, to] = [before, after].map(({ stored, dtype, format, scaled }) => {
    if (scaled) {
      const codes = identities.get(scaled.codes.file)!;
      const scales = scaled.scales.map(({ file }) => identities.get(file)!);
      return { file: codes, position: 0, dtype: "F32", scaled: { layout: scaled, start, codes, scales } };
    }
    if (!stored || format === null) return null;
    const bytes = format === "fp64" ? 8 : format.bits / 8;
    return { file: identities.get(stored.file)!, position: stored.begin + start * bytes, dtype };
  });
  return (
    from &&
    to && { before: from, after: to, elements: count, compared: nameOf(compared), hidden: tells.hidden }
  );
}

function addUp(chunks: readonly SampledChunk[]): DeltaSample {
  const sum = (numberOf: (chunk: SampledChunk) => number) =>
    chunks.reduce((all, chunk) => all + numberOf(chunk), 0);
  const bytes = (sizesOf: (chunk: SampledChunk) => SampledChunk["plain"]) => ({
    full: sum((chunk) => sizesOf(chunk).full),
    gapValue: sum((chunk) => sizesOf(chunk).gapValue),
    maskValue: sum((chunk) => sizesOf(chunk).maskValue),
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

/** Limits concurrent actions; the first error ends it. */
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
    // An error is thrown where the promise is awaited, here or at the end.
    running.catch(() => undefined);
    this.#underWay.add(running);
  }

  async end(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
