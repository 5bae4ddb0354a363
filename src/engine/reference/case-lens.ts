import type { Format } from "../../format/format.js";
import { classify } from "../../lens/classify.js";
import { bin, outermostBin, type SizedClass, sizedClasses } from "../../lens/histogram.js";
import { pathNotTakenUnchanged, smallSubnetworksUnchanged, ulpRuleLost } from "../../lens/probes.js";
import { blockLength, type ExactSum, laneCount, sumOfLanes } from "../../lens/sum.js";
import type { Tally, UpdateTally } from "../../lens/tally.js";
import type { CaseSettings } from "../../update/optimizer.js";
import type { Chunk } from "../walk.js";
import type { Counterfactual } from "./counterfactual.js";
import { RecipeStepper } from "./recipe-stepper.js";
import { SchemeStepper } from "./scheme-stepper.js";
import type { Outcome, Stepper } from "./stepper.js";

/** Flags of a weight over the steps so far. */
const movedFlag = 1;
const nonfiniteFlag = 2;

/** One case over one chunk after the other: what became of each update that its stepper makes. */
export class CaseLens {
  readonly #format: Format;
  readonly #stepper: Stepper;
  #start = new Float32Array(0);
  #flags = new Uint8Array(0);
  /** Counted with the steps, tallied at the end of the chunk. */
  #castChanged = 0;
  #probes = { lost: 0, moved: 0, unmoved: 0 };
  #bins = emptyBins();

  constructor(settings: CaseSettings) {
    this.#format = settings.format;
    this.#stepper = "recipe" in settings ? new RecipeStepper(settings) : new SchemeStepper(settings);
  }

  /** The stored weights of the chunk, as they are now. */
  get weights(): Float32Array {
    return this.#stepper.weights;
  }

  begin(chunk: Chunk): void {
    this.#stepper.begin(chunk);
    this.#start = this.weights.slice();
    this.#flags = new Uint8Array(chunk.weights.length);
    this.#castChanged = 0;
    for (let i = 0; i < chunk.weights.length; i++) {
      if (this.#start[i] !== chunk.weights[i] && !Number.isNaN(chunk.weights[i])) this.#castChanged += 1;
    }
    this.#probes = { lost: 0, moved: 0, unmoved: 0 };
    this.#bins = emptyBins();
  }

  /** Takes the chunk through one step. Inputs are updates, or gradients where the case has a recipe. */
  step(inputs: Float32Array, step: number, tally: UpdateTally): void {
    this.#stepper.beginStep(step);
    const updateSquared = new Float64Array(laneCount);
    const effectiveSquared = new Float64Array(laneCount);
    const product = new Float64Array(laneCount);
    for (let block = 0; block < inputs.length; block += blockLength) {
      const end = Math.min(block + blockLength, inputs.length);
      for (let i = block; i < end; i++) {
        const outcome = this.#stepper.step(i, inputs[i]);
        if (!this.#count(i, outcome, tally)) continue;
        const { update, before, after } = outcome;
        const effective = Math.fround(after.weight - before.weight);
        const lane = i % laneCount;
        updateSquared[lane] += update * update;
        effectiveSquared[lane] += effective * effective;
        product[lane] += effective * update;
      }
      takeLanes(updateSquared, tally.updateSquared);
      takeLanes(effectiveSquared, tally.effectiveSquared);
      takeLanes(product, tally.product);
    }
  }

  /** Counts what became of weight i; false if it is left out as nonfinite. */
  #count(i: number, { before, after, update }: Outcome, tally: UpdateTally): boolean {
    const of = classify(before, update, after);
    this.#stepper.classified?.(of);
    tally[of] += 1;
    if (of === "nonfinite") {
      this.#flags[i] |= nonfiniteFlag;
      return false;
    }
    const moved = after.weight !== before.weight;
    if (moved) this.#flags[i] |= movedFlag;
    if (of !== "none") {
      this.#bins[of][bin(update, before.weight, this.#format) + outermostBin] += 1;
      this.#probe(before.weight, update, moved);
    }
    return true;
  }

  #probe(weight: number, update: number, moved: boolean): void {
    const lost = ulpRuleLost(weight, update);
    if (lost) this.#probes.lost += 1;
    if (lost && moved) this.#probes.moved += 1;
    if (!lost && !moved) this.#probes.unmoved += 1;
  }

  end(counterfactual: Counterfactual, tally: Tally): void {
    tally.elements += this.weights.length;
    tally.castChanged += this.#castChanged;
    tally.probes.ulpRule += this.#probes.lost;
    tally.probes.ulpRuleMoved += this.#probes.moved;
    tally.probes.ulpRuleUnmoved += this.#probes.unmoved;
    for (const of of sizedClasses) {
      this.#bins[of].forEach((count, i) => {
        if (count > 0) tally.histogram.add(of, i - outermostBin, count);
      });
    }
    this.#stepper.end?.(tally);
    const displacementSquared = new Float64Array(laneCount);
    const product = new Float64Array(laneCount);
    for (let block = 0; block < this.weights.length; block += blockLength) {
      const end = Math.min(block + blockLength, this.weights.length);
      for (let i = block; i < end; i++) {
        if (!this.#countEnd(i, counterfactual, tally)) continue;
        const displacement = Math.fround(counterfactual.now[i] - counterfactual.start[i]);
        displacementSquared[i % laneCount] += displacement * displacement;
        product[i % laneCount] += Math.fround(this.weights[i] - this.#start[i]) * displacement;
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
    const after = this.weights[i];
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
