import type { Format } from "../../format/format.js";
import { classify, classifyShared } from "../../lens/classify.js";
import { displacement } from "../../lens/displacement.js";
import { bin, binOfGap, outermostBin, type SizedClass, sizedClasses } from "../../lens/histogram.js";
import { ulpRuleLost } from "../../lens/probes.js";
import { blockLength, laneCount } from "../../lens/sum.js";
import type { Tally, UpdateTally } from "../../lens/tally.js";
import { blockSchemes } from "../../update/block-scheme.js";
import type { CaseSettings } from "../../update/optimizer.js";
import { type Scheme, schemes } from "../../update/scheme.js";
import type { Chunk } from "../chunk-lens.js";
import { countCastChanged, countEnds, type EndCounts, movedFlag, nonfiniteFlag, takeLanes } from "../end.js";
import { BlockStepper } from "./block-stepper.js";
import type { Counterfactual } from "./counterfactual.js";
import { RecipeStepper } from "./recipe-stepper.js";
import { SchemeStepper } from "./scheme-stepper.js";
import type { Outcome, Stepper } from "./stepper.js";

/** Counts one case over successive chunks: the class of each update applied by its stepper. */
export class CaseLens {
  readonly #format: Format;
  readonly #holds: Scheme["holds"];
  readonly #stepper: Stepper;
  #start = new Float32Array(0);
  #flags = new Uint8Array(0);
  /** Elements of the current chunk that are not tallied yet. */
  #begun = 0;
  /** Counted during steps; added to the tally by {@link take}. */
  #castChanged = 0;
  #probes = { lost: 0, moved: 0, unmoved: 0 };
  #bins = emptyBins();

  constructor(settings: CaseSettings) {
    this.#format = settings.format;
    this.#holds = settings.blocks ? blockSchemes[settings.scheme].holds : schemes[settings.scheme].holds;
    this.#stepper = stepperOf(settings);
  }

  /** The current stored weights of the chunk. */
  get weights(): Float32Array {
    return this.#stepper.weights;
  }

  begin(chunk: Chunk): void {
    this.#stepper.begin(chunk);
    this.#start = this.weights.slice();
    this.#flags = new Uint8Array(chunk.weights.length);
    this.#castChanged = countCastChanged(chunk.weights, this.#start, 0, chunk.weights.length);
    this.#begun = chunk.weights.length;
    this.#forget();
  }

  #forget(): void {
    this.#probes = { lost: 0, moved: 0, unmoved: 0 };
    this.#bins = emptyBins();
  }

  /** Runs one step on the chunk. Inputs are updates, or gradients if the case has a recipe. */
  step(inputs: Float32Array, step: number, tally: UpdateTally): void {
    this.#stepper.beginStep(step, inputs);
    this.#stepper.countStep?.(tally);
    const updateSquared = new Float64Array(laneCount);
    const effectiveSquared = new Float64Array(laneCount);
    const product = new Float64Array(laneCount);
    for (let block = 0; block < inputs.length; block += blockLength) {
      const end = Math.min(block + blockLength, inputs.length);
      for (let i = block; i < end; i++) {
        const outcome = this.#stepper.step(i, inputs[i]);
        if (!this.#count(i, outcome, tally)) continue;
        const { update, before, after } = outcome;
        const effective = displacement(after.weight, before.weight);
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

  /** Counts the outcome of weight i; returns false if it is excluded as nonfinite. */
  #count(i: number, { before, after, update, shared }: Outcome, tally: UpdateTally): boolean {
    const className = shared
      ? classifyShared(before, update, after, shared.codeMoves)
      : classify(before, update, after);
    if (className !== "collateral") this.#stepper.classified?.(className);
    tally[className] += 1;
    if (className === "nonfinite") {
      this.#flags[i] |= nonfiniteFlag;
      return false;
    }
    const moved = after.weight !== before.weight;
    if (moved) this.#flags[i] |= movedFlag;
    if (className === "collateral" && update === 0) tally.collateralZeros += 1;
    if (className === "none" || update === 0) return true;
    if (className !== "collateral") {
      const at = shared ? binOfGap(update, shared.gap) : bin(update, before.weight, this.#format);
      this.#bins[className][at + outermostBin] += 1;
    }
    this.#probe(before.weight, update, moved);
    return true;
  }

  #probe(weight: number, update: number, moved: boolean): void {
    const lost = ulpRuleLost(weight, update);
    if (lost) this.#probes.lost += 1;
    if (lost && moved) this.#probes.moved += 1;
    if (!lost && !moved) this.#probes.unmoved += 1;
  }

  /** Compares the current stored weights with those at the start. */
  compare(counterfactual: Counterfactual, counts: EndCounts): void {
    const stored = {
      before: this.#start,
      after: this.weights,
      flags: this.#flags,
      holds: this.#holds,
      carriers: this.#stepper.carriers,
    };
    countEnds(stored, counterfactual, counts, 0, this.weights.length);
    this.#stepper.countEnd?.(counts.end);
  }

  /** Adds all other counts of the chunk since the last call. */
  take(tally: Tally): void {
    tally.elements += this.#begun;
    tally.castChanged += this.#castChanged;
    tally.probes.ulpRule += this.#probes.lost;
    tally.probes.ulpRuleMoved += this.#probes.moved;
    tally.probes.ulpRuleUnmoved += this.#probes.unmoved;
    for (const className of sizedClasses) {
      this.#bins[className].forEach((count, i) => {
        if (count > 0) tally.histogram.add(className, i - outermostBin, count);
      });
    }
    this.#stepper.take?.(tally);
    this.#begun = 0;
    this.#castChanged = 0;
    this.#forget();
  }
}

function stepperOf(settings: CaseSettings): Stepper {
  if (settings.recipe) return new RecipeStepper(settings);
  return settings.blocks ? new BlockStepper(settings) : new SchemeStepper(settings);
}

function emptyBins(): Record<SizedClass, Uint32Array> {
  const bins = () => new Uint32Array(2 * outermostBin + 1);
  return { lost: bins(), kept: bins(), moved: bins() };
}
