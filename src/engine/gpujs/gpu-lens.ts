import { originOf } from "../../lens/input.js";
import { blockLength, laneCount, sumOfProducts } from "../../lens/sum.js";
import { UpdateTally } from "../../lens/tally.js";
import { schemes } from "../../update/scheme.js";
import type { UpdateSettings } from "../../update/settings.js";
import { type CounterfactualEnds, countCastChanged, countEnds, type StoredEnds } from "../end.js";
import type { JobTallies } from "../job-tallies.js";
import { ReferenceLens } from "../reference/reference-lens.js";
import type { Batch } from "./batch.js";
import { blockSums, CaseOnDevice } from "./case-on-device.js";
import type { Device, DeviceArray } from "./device.js";
import { fromDevice, isInDomain, toDevice } from "./domain.js";
import { EndsByBlock } from "./ends-by-block.js";
import type { Kernel } from "./kernels/kernel.js";
import { markKernel } from "./kernels/outcome.js";
import { laneSumKernel } from "./kernels/sums.js";
import { addKernel, drawsOf } from "./kernels/update.js";
import { drawOnDevice, randomOnDevice } from "./random.js";

/** The maximum number of case steps whose counts are in transfer at once. */
const inFlight = 4;

interface Step {
  /** The step number in the recording. */
  readonly number: number;
  /** Sums of u^2, by block. */
  updateSquared: Float64Array;
}

interface Milestone {
  /** The number of steps taken before it. */
  readonly steps: number;
  readonly cases: readonly EndsByBlock[];
}

/**
 * Runs all cases over successive batches on a device. Blocks with numbers outside the device's domain, at the start
 * or at any step, are counted by the reference instead, with the same result.
 */
export class GpuLens {
  readonly #device: Device;
  readonly #settings: readonly UpdateSettings[];
  readonly #cases: readonly CaseOnDevice[];
  #batch!: Batch;
  #weights = new Float64Array(0);
  /** Blocks left to the reference. */
  #outside = new Set<number>();
  #given!: DeviceArray;
  #zeros!: DeviceArray;
  /** The fp32 counterfactual, and 1 where an update was nonzero. */
  #now!: DeviceArray;
  #updated!: DeviceArray;
  #steps: Step[] = [];
  #milestones: Milestone[] = [];
  #counted: Promise<void>[] = [];
  /** Weight-steps counted by the reference. */
  handedOver = 0;

  constructor(device: Device, settings: readonly UpdateSettings[]) {
    this.#device = device;
    this.#settings = settings;
    this.#cases = settings.map((caseSettings) => new CaseOnDevice(device, caseSettings));
  }

  async begin(batch: Batch): Promise<void> {
    this.#batch = batch;
    this.#weights = new Float64Array(batch.length);
    await batch.read(({ weights }) => weights, this.#weights);
    this.#outside = new Set();
    this.#given = await this.#device.upload(toDevice(this.#weights, this.#outside));
    this.#zeros = await this.#device.upload(new Float32Array(batch.length));
    this.#now = this.#given;
    this.#updated = this.#zeros;
    this.#steps = [];
    this.#milestones = [];
    this.#counted = [];
    for (const caseOnDevice of this.#cases) await caseOnDevice.begin(this.#given, this.#zeros, batch.length);
  }

  /** The updates of a step for {@link step}; null if the device draws them. */
  async read(index: number): Promise<Float32Array | null> {
    if (this.#drawn(index)) return null;
    const updates = new Float32Array(this.#batch.length);
    await this.#batch.read((input) => input.updates[index], updates);
    return updates;
  }

  /** The table from which all updates of a step are drawn; null if they are not drawn, or not by this device. */
  #drawn(index: number): Float32Array | null {
    if (!this.#device.hasIntegers) return null;
    const tables = this.#batch.pieces.map(
      ({ input }) => originOf(input.updates[index], "quantiles")?.table ?? null,
    );
    const [first] = tables;
    return first?.every(isInDomain) && tables.every((table) => table === first) ? first : null;
  }

  /** Runs the step with this number in the recording on the batch. */
  async step(updates: Float32Array | null, number: number): Promise<void> {
    const step: Step = { number, updateSquared: new Float64Array(0) };
    const array = updates === null ? await this.#draw(step) : await this.#upload(updates, step);
    this.#steps.push(step);
    this.#now = await this.#replace(this.#now, addKernel, array);
    this.#updated = await this.#replace(this.#updated, markKernel, array);
    const bits = await this.#bits(number);
    for (const [c, caseOnDevice] of this.#cases.entries()) {
      const { seed } = this.#settings[c];
      const own = drawsOf(this.#settings[c]) > 0 ? bits.get(seed)! : null;
      const { counted } = await caseOnDevice.step({ updates: array, bits: own, outside: this.#outside });
      this.#track(counted);
      await this.#settle(inFlight);
    }
    this.#device.release(array, ...bits.values());
  }

  async #draw(step: Step): Promise<DeviceArray> {
    const index = this.#steps.length;
    const array = await drawOnDevice(this.#device, this.#drawn(index)!, index, this.#batch);
    const lanes = [laneCount, this.#batch.blocks] as const;
    const squares = await this.#device.fetch(laneSumKernel, lanes, array, array);
    const sum = async () => {
      step.updateSquared = blockSums(await squares.numbers);
    };
    this.#track(sum());
    return array;
  }

  async #upload(updates: Float32Array, step: Step): Promise<DeviceArray> {
    step.updateSquared = Float64Array.from({ length: this.#batch.blocks }, (_, block) =>
      sumOfProducts(updates, updates, block * blockLength, (block + 1) * blockLength),
    );
    return this.#device.upload(toDevice(updates, this.#outside));
  }

  /** Random bits by seed, for the cases that need them. */
  async #bits(step: number): Promise<Map<number, DeviceArray>> {
    const draws = new Map<number, number>();
    for (const settings of this.#settings) {
      const { seed } = settings;
      if (drawsOf(settings) > 0) draws.set(seed, Math.max(draws.get(seed) ?? 0, drawsOf(settings)));
    }
    const bits = new Map<number, DeviceArray>();
    for (const [seed, most] of draws) {
      bits.set(seed, await randomOnDevice(this.#device, seed, step, most, this.#batch));
    }
    return bits;
  }

  /** Compares the current weights with the start, for the next milestone. */
  async soFar(): Promise<void> {
    const counterfactual = await this.#counterfactual();
    const cases = [];
    for (const c of this.#cases.keys()) {
      cases.push(new EndsByBlock(this.#batch, await this.#stored(c), counterfactual, this.#outside));
    }
    this.#milestones.push({ steps: this.#steps.length, cases });
  }

  async #counterfactual(): Promise<CounterfactualEnds> {
    return {
      start: Float32Array.from(this.#weights),
      now: fromDevice(await this.#device.download(this.#now), this.#outside),
      updated: await this.#device.download(this.#updated),
    };
  }

  async #stored(c: number): Promise<StoredEnds> {
    const { before, after, flags, carriers } = await this.#cases[c].ends();
    return {
      before: fromDevice(before, this.#outside),
      after: fromDevice(after, this.#outside),
      flags,
      holds: schemes[this.#settings[c].scheme].holds,
      carriers: carriers === after ? after : fromDevice(carriers, this.#outside),
    };
  }

  /** Adds all counts and returns the final stored weights of every case. */
  async end(tallies: readonly JobTallies[]): Promise<Float32Array[]> {
    await this.#settle(0);
    const outside = this.#outside;
    const counterfactual = await this.#counterfactual();
    const ends: StoredEnds[] = [];
    for (const c of this.#cases.keys()) ends.push(await this.#stored(c));
    for (let block = 0; block < this.#batch.blocks; block++) {
      if (outside.has(block)) continue;
      const [from, to] = this.#batch.rangeOf(block);
      for (const [c, caseOnDevice] of this.#cases.entries()) {
        const tally = tallies[c].tensors[this.#batch.pieceOf(block).tensor];
        const ofSteps = tallies[c].steps;
        for (const [i, { updateSquared }] of this.#steps.entries()) {
          ofSteps[i].updateSquared.add(updateSquared[block]);
          tally.updates.updateSquared.add(updateSquared[block]);
        }
        caseOnDevice.tally(block, to - from, ofSteps, tally);
        tally.elements += to - from;
        tally.castChanged += countCastChanged(this.#weights, ends[c].before, from, to);
        for (const [i, { cases }] of this.#milestones.entries()) {
          cases[c].tally(block, tallies[c].curve[i]);
        }
        countEnds(ends[c], counterfactual, tally, from, to);
      }
    }
    const stored = ends.map(({ after }) => after);
    for (const block of outside) await this.#byReference(block, tallies, stored);
    this.#release();
    return stored;
  }

  /** Counts a block from its start with the reference, and writes its weights over those of the device. */
  async #byReference(
    block: number,
    tallies: readonly JobTallies[],
    stored: readonly Float32Array[],
  ): Promise<void> {
    const lens = new ReferenceLens(this.#settings);
    const { tensor, input } = this.#batch.pieceOf(block);
    const start = this.#batch.startOf(block);
    const weights = this.#weights.slice(block * blockLength, this.#batch.endOf(block));
    lens.begin({ tensor: input.name, start, weights });
    for (const [i, { number }] of this.#steps.entries()) {
      const updates = new Float32Array(weights.length);
      await input.updates[i].read(start, updates);
      const ofStep = this.#settings.map(() => new UpdateTally());
      lens.step(updates, number, ofStep);
      for (const [c, tally] of ofStep.entries()) {
        tallies[c].steps[i].merge(tally);
        tallies[c].tensors[tensor].updates.merge(tally);
      }
      const milestone = this.#milestones.findIndex(({ steps }) => steps === i + 1);
      if (milestone >= 0) lens.compare(this.#settings.map((_, c) => ({ end: tallies[c].curve[milestone] })));
    }
    const ofTensor = this.#settings.map((_, c) => tallies[c].tensors[tensor]);
    lens.compare(ofTensor);
    lens.take(ofTensor);
    for (const [c, whole] of stored.entries()) whole.set(lens.weights(c), block * blockLength);
    this.handedOver += weights.length * this.#steps.length;
  }

  async #replace(old: DeviceArray, kernel: Kernel, updates: DeviceArray): Promise<DeviceArray> {
    const next = await this.#device.compute(kernel, [this.#batch.length], old, updates);
    if (old !== this.#given && old !== this.#zeros) this.#device.release(old);
    return next;
  }

  /** {@link #settle} reports a failure; this avoids an additional unhandled rejection. */
  #track(counted: Promise<void>): void {
    counted.catch(() => {});
    this.#counted.push(counted);
  }

  /** Waits until at most this many steps are in flight. */
  async #settle(atMost: number): Promise<void> {
    while (this.#counted.length > atMost) await this.#counted.shift();
  }

  #release(): void {
    for (const caseOnDevice of this.#cases) caseOnDevice.finish();
    this.#device.release(...new Set([this.#given, this.#zeros, this.#now, this.#updated]));
  }
}
