import { type SizedClass, sizedClasses } from "../../lens/histogram.js";
import { blockLength, laneCount } from "../../lens/sum.js";
import type { Tally } from "../../lens/tally.js";
import type { Device, DeviceArray, Fetched } from "./device.js";
import {
  binCount,
  codesPerThread,
  firstBin,
  histogramBase,
  histogramKernel,
  rangeBase,
  rangesKernel,
} from "./kernels/outcome.js";

/** First and last bin of a class, from 0 to binCount - 1; none if first > last. */
type Range = readonly [number, number];

const empty: Range = [binCount, -1];

/** Counts in transfer, of the bins in these ranges. */
interface ExpectedBins extends Fetched {
  readonly ranges: readonly Range[];
}

/**
 * The histogram of one case over one chunk, block by block. A device scans every code once for each group of
 * bins. Therefore only the bins of the previous step are counted first, and all bins only if these do not cover
 * every update.
 */
export class DeviceHistogram {
  readonly #device: Device;
  #ranges: readonly Range[] = sizedClasses.map(() => empty);
  /** By block, class and bin. */
  #counts = new Uint32Array(0);

  constructor(device: Device) {
    this.#device = device;
  }

  begin(blocks: number): void {
    this.#counts = new Uint32Array(blocks * sizedClasses.length * binCount);
  }

  /** Starts to count the expected codes: those in the ranges of the previous step. */
  async expect(codes: DeviceArray, blocks: number): Promise<ExpectedBins> {
    const ranges = this.#ranges;
    return { ranges, ...(await this.#fetch(codes, blocks, ranges)) };
  }

  /**
   * Adds the counts of a step.
   *
   * @param sized the number of nonzero updates in each block.
   * @param outside receives the blocks with an update outside the device's bins.
   */
  async add(
    codes: DeviceArray,
    expected: ExpectedBins,
    sized: Uint16Array,
    outside: Set<number>,
  ): Promise<void> {
    const blocks = sized.length;
    let { ranges } = expected;
    let counts = await expected.numbers;
    if (blocksShort(counts, ranges, sized).length > 0) {
      ranges = rangesOf(await (await this.#device.fetch(rangesKernel, [laneCount, blocks], codes)).numbers);
      this.#ranges = ranges;
      counts = await (await this.#fetch(codes, blocks, ranges)).numbers;
      for (const block of blocksShort(counts, ranges, sized)) outside.add(block);
    }
    forEachCount(counts, ranges, blocks, (block, classIndex, bin, count) => {
      this.#counts[(block * sizedClasses.length + classIndex) * binCount + bin] += count;
    });
  }

  /** Adds the counts of a block. */
  tally(block: number, tally: Tally): void {
    for (const [c, className] of sizedClasses.entries()) {
      const at = (block * sizedClasses.length + c) * binCount;
      for (let bin = 0; bin < binCount; bin++) {
        const count = this.#counts[at + bin];
        if (count > 0) tally.histogram.add(className satisfies SizedClass, firstBin + bin, count);
      }
    }
  }

  async #fetch(codes: DeviceArray, blocks: number, ranges: readonly Range[]): Promise<Fetched> {
    const [lost, kept, moved] = ranges.map(threadsOf);
    const threads = lost + kept + moved;
    if (threads === 0) return { numbers: Promise.resolve(new Float32Array(0)) };
    const first = ranges.map(([from], c) => c * binCount + from);
    return this.#device.fetch(
      histogramKernel,
      [threads, blocks],
      codes,
      first[0],
      lost,
      first[1],
      kept,
      first[2],
    );
  }
}

function threadsOf([first, last]: Range): number {
  return first > last ? 0 : Math.ceil((last - first + 1) / codesPerThread);
}

/** The union of the ranges of all lanes. */
function rangesOf(lanes: Float32Array): Range[] {
  return sizedClasses.map((_, c) => {
    let [first, last] = empty;
    for (let i = c; i < lanes.length; i += 4) {
      const laneLast = Math.floor(lanes[i] / rangeBase);
      const laneFirst = lanes[i] - laneLast * rangeBase;
      if (laneFirst < binCount) {
        first = Math.min(first, laneFirst);
        last = Math.max(last, laneLast);
      }
    }
    return [first, last];
  });
}

/** Calls back for every count of the histogram kernel. A thread may count codes past the range of its class. */
function forEachCount(
  counts: Float32Array,
  ranges: readonly Range[],
  blocks: number,
  take: (block: number, classIndex: number, bin: number, count: number) => void,
): void {
  const threads = ranges.map(threadsOf);
  const perBlock = threads.reduce((sum, n) => sum + n, 0);
  for (let block = 0; block < blocks; block++) {
    let at = block * perBlock * 4;
    for (const [classIndex, [first]] of ranges.entries()) {
      for (let pair = 0; pair < threads[classIndex] * 4; pair++, at++) {
        const both = counts[at];
        if (both === 0) continue;
        const bin = first + 2 * pair;
        const second = Math.floor(both / histogramBase);
        if (bin < binCount) take(block, classIndex, bin, both - second * histogramBase);
        if (bin + 1 < binCount) take(block, classIndex, bin + 1, second);
      }
    }
  }
}

/** Blocks in which not every update was counted. */
function blocksShort(counts: Float32Array, ranges: readonly Range[], sized: Uint16Array): number[] {
  const left = Int32Array.from(sized);
  forEachCount(counts, ranges, sized.length, (block, _, __, count) => {
    left[block] -= count;
  });
  return [...left.keys()].filter((block) => left[block] !== 0);
}

/** The number of nonzero updates in each block. */
export function sizedOf(none: Uint16Array): Uint16Array {
  return none.map((count) => blockLength - count);
}
