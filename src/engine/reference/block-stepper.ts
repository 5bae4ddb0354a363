import { BlockLayout } from "../../format/block/block-layout.js";
import { largestMagnitude } from "../../format/block/quantize-block.js";
import { noTensorScale, type TensorScale } from "../../format/block/scale-rule.js";
import { decodeTable } from "../../format/encode.js";
import { ulp } from "../../format/neighbours.js";
import { roundSum } from "../../format/round.js";
import { SharedTally } from "../../lens/shared-tally.js";
import type { EndTally, UpdateTally } from "../../lens/tally.js";
import type { BlockSettings } from "../../update/block-settings.js";
import {
  type BlockState,
  type BlockStep,
  numbersToQuantize,
  startBlock,
  startNumbers,
  stepBlock,
} from "../../update/block-step.js";
import type { Chunk } from "../chunk-lens.js";
import { ElementBits } from "./element-bits.js";
import type { Outcome, Stepper } from "./stepper.js";

/** A block of the chunk: the indices of its elements, and its stored state. */
interface Block {
  readonly elements: readonly number[];
  readonly start: BlockState;
  state: BlockState;
  /** The last step. */
  step: BlockStep | null;
}

/** Applies recorded updates to weights with shared scales: a step runs over all blocks first, then by weight. */
export class BlockStepper implements Stepper {
  readonly #settings: BlockSettings;
  readonly #bits: ElementBits;
  /** The gap at each code for a scale of 1. */
  readonly #gaps: Float64Array;
  #blocks: Block[] = [];
  /** The block of each weight, and its index in that block. */
  #blockOf = new Uint32Array(0);
  #placeOf = new Uint32Array(0);
  #before: readonly BlockState[] = [];
  #magnitudes: Float64Array | null = null;
  /** Whether this is the first chunk of its tensor, with which the tensor scale is counted. */
  #isFirst = true;
  #steps = 0;
  weights = new Float32Array(0);
  carriers = new Float32Array(0);

  constructor(settings: BlockSettings) {
    this.#settings = settings;
    this.#bits = new ElementBits(settings.seed);
    const { element } = settings.blocks;
    this.#gaps = Float64Array.from(decodeTable(element), (number) =>
      Number.isFinite(number) ? ulp(number, element) : NaN,
    );
  }

  begin(chunk: Chunk): void {
    const { weights, start, shape = [weights.length], magnitudes = null } = chunk;
    this.#bits.begin(chunk);
    this.#isFirst = start === 0;
    this.#magnitudes = magnitudes;
    this.#steps = 0;
    const layout = new BlockLayout(shape, this.#settings.blocks);
    const first = layout.blockOf(start);
    const elements: number[][] = [];
    this.#blockOf = Uint32Array.from(weights, (_, i) => layout.blockOf(start + i) - first);
    this.#placeOf = this.#blockOf.map((block, i) => {
      elements[block] ??= [];
      return elements[block].push(i) - 1;
    });
    const given = elements.map((indices) => indices.map((i) => weights[i]));
    const tensorScale = this.#tensorScale(() =>
      given.map((numbers) => startNumbers(numbers, this.#settings)),
    );
    this.#blocks = elements.map((indices, b) => {
      const state = startBlock(given[b], this.#settings, tensorScale);
      return { elements: indices, start: state, state, step: null };
    });
    this.weights = new Float32Array(weights.length);
    this.carriers = new Float32Array(weights.length);
    this.#show();
  }

  beginStep(step: number, updates: Float32Array): void {
    this.#bits.beginStep(step);
    this.#steps += 1;
    this.#before = this.#blocks.map(({ state }) => state);
    const ofBlock = this.#blocks.map(({ elements }) => elements.map((i) => updates[i]));
    const tensorScale = this.#tensorScale(() =>
      this.#blocks.map(({ state }, b) => numbersToQuantize(state, ofBlock[b], this.#settings)),
    );
    for (const [b, block] of this.#blocks.entries()) {
      block.step = stepBlock(block.state, ofBlock[b], this.#settings, tensorScale, this.#random(block));
      block.state = block.step.after;
    }
    this.#show();
  }

  #random({ elements }: Block) {
    if (this.#settings.rounding !== "stochastic") return {};
    const randomBits = (place: number) => {
      this.#bits.seek(elements[place]);
      return this.#bits.next();
    };
    return { randomBits };
  }

  /** From the tensor's largest magnitude if known, else from the numbers to quantize: the chunk is the whole tensor. */
  #tensorScale(numbers: () => readonly (readonly number[])[]): TensorScale {
    const { blocks, through, scales } = this.#settings;
    if (blocks.rule.tensorScale === null || (scales === "kept" && this.#steps > 0)) return noTensorScale;
    const known = this.#magnitudes?.[this.#steps];
    // Rounding is monotonic.
    const largest =
      known === undefined
        ? largestMagnitude(numbers().map(largestMagnitude))
        : through === null
          ? known
          : roundSum(known, 0, through, "nearest-even", "ieee", 0);
    return blocks.rule.tensorScale(largest, blocks);
  }

  #show(): void {
    for (const { elements, state } of this.#blocks) {
      for (const [place, i] of elements.entries()) {
        this.weights[i] = state.weights[place];
        this.carriers[i] = state.carriers[place];
      }
    }
  }

  step(i: number, update: number): Outcome {
    const [block, place] = [this.#blockOf[i], this.#placeOf[i]];
    const { codes, scale, tensorScale, weights, carriers } = this.#before[block];
    return {
      before: { weight: weights[place], carrier: carriers[place] },
      after: { weight: this.weights[i], carrier: this.carriers[i] },
      update,
      shared: {
        codeMoves: this.#blocks[block].step!.codeMoves[place],
        gap: this.#gaps[codes[place]] * Math.fround(scale * tensorScale.stored),
      },
    };
  }

  countStep(tally: UpdateTally): void {
    const { blocks } = this.#settings;
    tally.shared ??= new SharedTally();
    for (const [b, { state, step }] of this.#blocks.entries()) {
      tally.shared.addBlock(this.#before[b], state, blocks);
      tally.shared.addFit(step!.quantized, state, blocks, state.tensorScale);
    }
    this.#countTensor(tally.shared, this.#before);
  }

  countEnd(tally: EndTally): void {
    tally.shared ??= new SharedTally();
    for (const { start, state } of this.#blocks) tally.shared.addBlock(start, state, this.#settings.blocks);
    this.#countTensor(
      tally.shared,
      this.#blocks.map(({ start }) => start),
    );
  }

  #countTensor(tally: SharedTally, [before]: readonly BlockState[]): void {
    if (!this.#isFirst || this.#settings.blocks.rule.tensorScale === null) return;
    tally.addTensor(before.tensorScale, this.#blocks[0].state.tensorScale);
  }
}
