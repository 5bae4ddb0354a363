import { classify } from "../../lens/classify.js";
import { bin, outermostBin, type SizedClass, sizedClasses } from "../../lens/histogram.js";
import { pathNotTakenUnchanged, smallSubnetworksUnchanged, ulpRuleLost } from "../../lens/probes.js";
import { blockLength, type ExactSum, laneCount, sumOfLanes } from "../../lens/sum.js";
import type { Tally, UpdateTally } from "../../lens/tally.js";
import { startState } from "../../update/apply.js";
import { type Arithmetic, storageArithmetic } from "../../update/arithmetic.js";
import { type Scheme, schemes } from "../../update/scheme.js";
import type { UpdateSettings } from "../../update/settings.js";
import { randomBits, stepKey, tensorKey, type Words } from "../../update/threefry.js";
import type { Chunk } from "../walk.js";
import type { Counterfactual } from "./counterfactual.js";

/** Flags of a weight over the steps so far. */
const movedFlag = 1;
const nonfiniteFlag = 2;

/** One case over one chunk after the other. Stored weights and carriers are fp32 numbers in every scheme. */
export class CaseLens {
  readonly #settings: UpdateSettings;
  readonly #scheme: Scheme;
  readonly #arithmetic: Arithmetic;

  #first = 0;
  #start = new Float32Array(0);
  #weights = new Float32Array(0);
  #carriers = new Float32Array(0);
  #flags = new Uint8Array(0);
  /** Counted with the steps, tallied at the end of the chunk. */
  #castChanged = 0;
  #probes = { lost: 0, moved: 0, unmoved: 0 };
  #bins = emptyBins();

  #tensor: Words = [0, 0];
  #key: Words = [0, 0];
  #element = 0;
  #draw = 0;

  constructor(settings: UpdateSettings) {
    this.#settings = settings;
    this.#scheme = schemes[settings.scheme];
    this.#arithmetic = storageArithmetic(settings, () => randomBits(this.#key, this.#element, this.#draw++));
  }

  begin({ tensor, start, weights }: Chunk): void {
    this.#tensor = tensorKey(this.#settings.seed, tensor);
    this.#first = start;
    this.#weights = new Float32Array(weights.length);
    this.#carriers = new Float32Array(weights.length);
    this.#flags = new Uint8Array(weights.length);
    this.#castChanged = 0;
    for (let i = 0; i < weights.length; i++) {
      const { weight, carrier } = startState(weights[i], this.#settings);
      if (weight !== weights[i] && !Number.isNaN(weights[i])) this.#castChanged += 1;
      this.#weights[i] = weight;
      this.#carriers[i] = carrier;
    }
    this.#start = this.#weights.slice();
    this.#probes = { lost: 0, moved: 0, unmoved: 0 };
    this.#bins = emptyBins();
  }

  step(updates: Float32Array, step: number, tally: UpdateTally): void {
    this.#key = stepKey(this.#tensor, step);
    const sums = {
      updateSquared: new Float64Array(laneCount),
      effectiveSquared: new Float64Array(laneCount),
      product: new Float64Array(laneCount),
    };
    for (let block = 0; block < updates.length; block += blockLength) {
      const end = Math.min(block + blockLength, updates.length);
      for (let i = block; i < end; i++) {
        const effective = this.#update(i, updates[i], tally);
        if (Number.isNaN(effective)) continue;
        const lane = i % laneCount;
        sums.updateSquared[lane] += updates[i] * updates[i];
        sums.effectiveSquared[lane] += effective * effective;
        sums.product[lane] += effective * updates[i];
      }
      takeLanes(sums.updateSquared, tally.updateSquared);
      takeLanes(sums.effectiveSquared, tally.effectiveSquared);
      takeLanes(sums.product, tally.product);
    }
  }

  /** Applies one update; gives what the stored weight did, w' - w, or NaN for a nonfinite weight-step. */
  #update(i: number, update: number, tally: UpdateTally): number {
    this.#element = this.#first + i;
    this.#draw = 0;
    const before = { weight: this.#weights[i], carrier: this.#carriers[i] };
    const after = this.#scheme.step(before, update, this.#arithmetic);
    this.#weights[i] = after.weight;
    this.#carriers[i] = after.carrier;

    const of = classify(before, update, after);
    tally[of] += 1;
    if (of === "nonfinite") {
      this.#flags[i] |= nonfiniteFlag;
      return NaN;
    }
    const moved = after.weight !== before.weight;
    if (moved) this.#flags[i] |= movedFlag;
    if (of !== "none") {
      this.#bins[of][bin(update, before.weight, this.#settings.format) + outermostBin] += 1;
      this.#probe(before.weight, update, moved);
    }
    return after.weight - before.weight;
  }

  #probe(weight: number, update: number, moved: boolean): void {
    const lost = ulpRuleLost(weight, update);
    if (lost) this.#probes.lost += 1;
    if (lost && moved) this.#probes.moved += 1;
    if (!lost && !moved) this.#probes.unmoved += 1;
  }

  end(counterfactual: Counterfactual, tally: Tally): void {
    tally.elements += this.#weights.length;
    tally.castChanged += this.#castChanged;
    tally.probes.ulpRule += this.#probes.lost;
    tally.probes.ulpRuleMoved += this.#probes.moved;
    tally.probes.ulpRuleUnmoved += this.#probes.unmoved;
    for (const of of sizedClasses) {
      this.#bins[of].forEach((count, i) => {
        if (count > 0) tally.histogram.add(of, i - outermostBin, count);
      });
    }
    const displacementSquared = new Float64Array(laneCount);
    const product = new Float64Array(laneCount);
    for (let block = 0; block < this.#weights.length; block += blockLength) {
      const end = Math.min(block + blockLength, this.#weights.length);
      for (let i = block; i < end; i++) {
        if (!this.#countEnd(i, counterfactual, tally)) continue;
        const displacement = counterfactual.now[i] - counterfactual.start[i];
        displacementSquared[i % laneCount] += displacement * displacement;
        product[i % laneCount] += (this.#weights[i] - this.#start[i]) * displacement;
      }
      takeLanes(displacementSquared, tally.end.displacementSquared);
      takeLanes(product, tally.end.product);
    }
  }

  /** Counts weight i at its end; false if it is left out as nonfinite. */
  #countEnd(i: number, { start, now, updated }: Counterfactual, { end, probes }: Tally): boolean {
    const finite =
      (this.#flags[i] & nonfiniteFlag) === 0 && Number.isFinite(start[i]) && Number.isFinite(now[i]);
    if (!finite) {
      end.nonfinite += 1;
      return false;
    }
    const before = this.#start[i];
    const after = this.#weights[i];
    if (pathNotTakenUnchanged(before, after)) probes.pathNotTaken += 1;
    if (smallSubnetworksUnchanged(before, after)) probes.smallSubnetworks += 1;
    if (after !== before) return true;
    end.unchanged += 1;
    if (updated[i] === 0) end.neverUpdated += 1;
    else if (now[i] === start[i]) end.cancelled += 1;
    else end.hidden += 1;
    if (this.#flags[i] & movedFlag) end.returned += 1;
    return true;
  }
}

function takeLanes(lanes: Float64Array, sum: ExactSum): void {
  sum.add(sumOfLanes(lanes));
  lanes.fill(0);
}

function emptyBins(): Record<SizedClass, Uint32Array> {
  const bins = () => new Uint32Array(2 * outermostBin + 1);
  return { lost: bins(), kept: bins(), moved: bins() };
}
