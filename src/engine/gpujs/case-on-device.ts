import { blockLength, laneCount, sumOfLanes } from "../../lens/sum.js";
import type { Tally, UpdateTally } from "../../lens/tally.js";
import type { UpdateSettings } from "../../update/settings.js";
import { DeviceHistogram, sizedOf } from "./bins.js";
import type { Device, DeviceArray } from "./device.js";
import type { Kernel } from "./kernels/kernel.js";
import { codesKernel, countBase, countsKernel, differenceKernel, markKernel } from "./kernels/outcome.js";
import { laneSumKernel } from "./kernels/sums.js";
import { castKernel, updateKernels } from "./kernels/update.js";

/** Data shared by all cases of a step. */
export interface StepOnDevice {
  readonly updates: DeviceArray;
  /** Halves of random words, a pair of rows for each rounding; null if no case is stochastic. */
  readonly bits: DeviceArray | null;
  /** Receives blocks that the device cannot handle. */
  readonly outside: Set<number>;
}

/** The classes of the updates of one step, block by block. */
interface StepCounts {
  readonly none: Uint16Array;
  readonly lost: Uint16Array;
  readonly kept: Uint16Array;
  readonly rule: Uint16Array;
  readonly ruleMoved: Uint16Array;
  readonly ruleUnmoved: Uint16Array;
  readonly effectiveSquared: Float64Array;
  readonly product: Float64Array;
}

/** Runs one case over successive chunks. Weights, carriers and marks stay on the device over all steps. */
export class CaseOnDevice {
  readonly #device: Device;
  readonly #cast: Kernel;
  readonly #weight: Kernel;
  readonly #carrier: Kernel | null;
  readonly #codes: Kernel;
  readonly #startsFromGiven: boolean;
  readonly #histogram: DeviceHistogram;
  #length = 0;
  #blocks = 0;
  /** Arrays shared with other cases. */
  #shared = new Set<DeviceArray>();
  #start!: DeviceArray;
  #weights!: DeviceArray;
  #carriers!: DeviceArray;
  /** 1 where the stored weight moved in any step. */
  #moved!: DeviceArray;
  #steps: StepCounts[] = [];

  constructor(device: Device, settings: UpdateSettings) {
    const { weight, carrier } = updateKernels(settings);
    this.#device = device;
    this.#cast = castKernel(settings);
    this.#weight = weight;
    this.#carrier = carrier;
    this.#codes = codesKernel(settings.format);
    this.#startsFromGiven = settings.scheme === "master";
    this.#histogram = new DeviceHistogram(device);
  }

  /** Stores the weights of a chunk. @param given padded to whole blocks. @param zeros as many zeros. */
  async begin(given: DeviceArray, zeros: DeviceArray, length: number): Promise<void> {
    this.#length = length;
    this.#blocks = length / blockLength;
    this.#shared = new Set([given, zeros]);
    this.#start = await this.#device.compute(this.#cast, [length], given);
    this.#weights = this.#start;
    this.#shared.add(this.#start);
    this.#carriers = this.#startsFromGiven ? given : zeros;
    this.#moved = zeros;
    this.#steps = [];
    this.#histogram.begin(this.#blocks);
  }

  /** Starts a step; `counted` resolves when its counts have arrived. */
  async step({ updates, bits, outside }: StepOnDevice): Promise<{ readonly counted: Promise<void> }> {
    const device = this.#device;
    const output = [this.#length] as const;
    const lanes = [laneCount, this.#blocks] as const;
    const [weights, carriers, moved] = [this.#weights, this.#carriers, this.#moved];
    const inputs = [weights, carriers, updates, ...(bits ? [bits, this.#length] : [])];
    const next = await device.compute(this.#weight, output, ...inputs);
    const nextCarriers = this.#carrier ? await device.compute(this.#carrier, output, ...inputs) : carriers;
    const effective = await device.compute(differenceKernel, output, next, weights);
    const ends = [weights, carriers, next, nextCarriers, updates] as const;
    const codes = await device.compute(this.#codes, output, ...ends);
    this.#moved = await device.compute(markKernel, output, moved, effective);
    const histogram = await this.#histogram.expect(codes, this.#blocks);
    const fetched = [
      await device.fetch(countsKernel, lanes, ...ends),
      await device.fetch(laneSumKernel, lanes, effective, effective),
      await device.fetch(laneSumKernel, lanes, effective, updates),
    ];
    this.#release(weights, moved, effective);
    if (nextCarriers !== carriers) this.#release(carriers);
    [this.#weights, this.#carriers] = [next, nextCarriers];
    const index = this.#steps.length;
    const counted = async () => {
      const [counts, squares, products] = await Promise.all(fetched.map(({ numbers }) => numbers));
      const step = stepCounts(counts, squares, products, outside);
      await this.#histogram.add(codes, histogram, sizedOf(step.none), outside);
      this.#release(codes);
      this.#steps[index] = step;
    };
    this.#steps.push(null as never);
    return { counted: counted() };
  }

  /** Adds the counts of a block to the tallies of the steps and to that of its tensor. */
  tally(block: number, elements: number, ofSteps: readonly UpdateTally[], tally: Tally): void {
    for (const [i, step] of this.#steps.entries()) {
      const [none, lost, kept] = [step.none[block], step.lost[block], step.kept[block]];
      for (const updates of [ofSteps[i], tally.updates]) {
        // The last block of a tensor is padded with zero updates.
        updates.none += none - (blockLength - elements);
        updates.lost += lost;
        updates.kept += kept;
        updates.moved += blockLength - none - lost - kept;
        updates.effectiveSquared.add(step.effectiveSquared[block]);
        updates.product.add(step.product[block]);
      }
      tally.probes.ulpRule += step.rule[block];
      tally.probes.ulpRuleMoved += step.ruleMoved[block];
      tally.probes.ulpRuleUnmoved += step.ruleUnmoved[block];
    }
    this.#histogram.tally(block, tally);
  }

  /** The stored weights at both ends, the flags of moved weights, and the carriers, as device values. */
  async ends(): Promise<Record<"before" | "after" | "flags" | "carriers", Float32Array>> {
    const [before, after, flags] = await Promise.all(
      [this.#start, this.#weights, this.#moved].map((array) => this.#device.download(array)),
    );
    const carriers = this.#carrier === null ? after : await this.#device.download(this.#carriers);
    return { before, after, flags, carriers };
  }

  /** Frees the arrays of the chunk. */
  finish(): void {
    this.#release(this.#weights, this.#carriers, this.#moved);
    this.#device.release(this.#start);
  }

  #release(...arrays: readonly DeviceArray[]): void {
    this.#device.release(...arrays.filter((array) => !this.#shared.has(array)));
  }
}

/** Adds up the lanes of each block. Blocks with numbers no longer finite are added to `outside`. */
function stepCounts(
  counts: Float32Array,
  squares: Float32Array,
  products: Float32Array,
  outside: Set<number>,
): StepCounts {
  const blocks = counts.length / (4 * laneCount);
  const [none, lost, kept, rule, ruleMoved, ruleUnmoved] = Array.from(
    { length: 6 },
    () => new Uint16Array(blocks),
  );
  for (let block = 0; block < blocks; block++) {
    for (let lane = 0; lane < laneCount; lane++) {
      const at = (block * laneCount + lane) * 4;
      const second = (i: number) => Math.floor(counts[at + i] / countBase);
      const first = (i: number) => counts[at + i] % countBase;
      none[block] += first(0);
      lost[block] += second(0);
      kept[block] += first(1);
      if (second(1) > 0) outside.add(block);
      rule[block] += first(2);
      ruleMoved[block] += second(2);
      ruleUnmoved[block] += first(3);
    }
  }
  const effectiveSquared = blockSums(squares);
  return { none, lost, kept, rule, ruleMoved, ruleUnmoved, effectiveSquared, product: blockSums(products) };
}

/** The sums of blocks from the lane sums of laneSumKernel. */
export function blockSums(lanes: Float32Array): Float64Array {
  const sums = new Float64Array(lanes.length / (4 * laneCount));
  const ofBlock = new Float64Array(laneCount);
  for (let block = 0; block < sums.length; block++) {
    for (let lane = 0; lane < laneCount; lane++) {
      const [top, middle, low, exponent] = lanes.subarray((block * laneCount + lane) * 4);
      const rest = middle * 2 ** 20 + low;
      // 56 bits, of which the lowest three are zero.
      ofBlock[lane] = (top * 2 ** 40 + (top < 0 ? -rest : rest)) * 2 ** exponent;
    }
    sums[block] = sumOfLanes(ofBlock);
  }
  return sums;
}
