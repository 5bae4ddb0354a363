import {
  codesUnder,
  dequantizeBlock,
  type ElementRounding,
  type QuantizedBlock,
  quantizeBlock,
} from "../format/block/quantize-block.js";
import type { TensorScale } from "../format/block/scale-rule.js";
import { roundSum } from "../format/round.js";
import { type BlockScheme, blockSchemes } from "./block-scheme.js";
import type { BlockSettings } from "./block-settings.js";

/** A block of weights as stored, and the carrier of each weight. */
export interface BlockState extends QuantizedBlock {
  readonly tensorScale: TensorScale;
  /** The numbers represented by codes and scales. */
  readonly weights: readonly number[];
  readonly carriers: readonly number[];
}

/** The result of one step of a block. */
export interface BlockStep {
  readonly after: BlockState;
  /** The numbers that were quantized. */
  readonly quantized: readonly number[];
  /**
   * For each weight, whether its code would also have changed under the scales before the step, with +0 = -0.
   */
  readonly codeMoves: readonly boolean[];
}

/** A block before its first update, quantized by nearest-even whatever the run's rounding. */
export function startBlock(
  given: ArrayLike<number>,
  settings: BlockSettings,
  tensorScale: TensorScale,
): BlockState {
  const { blocks, scheme } = settings;
  const numbers = startNumbers(given, settings);
  const block = quantizeBlock(numbers, blocks, tensorScale);
  return {
    ...block,
    tensorScale,
    weights: dequantizeBlock(block, blocks, tensorScale.stored),
    carriers: Array.from(given, (x) => blockSchemes[scheme].start(x)),
  };
}

/** What {@link startBlock} quantizes. */
export function startNumbers(given: ArrayLike<number>, { through }: BlockSettings): number[] {
  return Array.from(given, (x) => sent(Math.fround(x), through));
}

/** What {@link stepBlock} quantizes; a tensor scale follows from the tensor's largest. */
export function numbersToQuantize(
  state: Pick<BlockState, "weights" | "carriers">,
  updates: ArrayLike<number>,
  settings: BlockSettings,
): number[] {
  return proposedNumbers(state, updates, settings).map((x) => sent(x, settings.through));
}

/** The scheme's new weights before any rounding below fp32. */
function proposedNumbers(
  { weights, carriers }: Pick<BlockState, "weights" | "carriers">,
  updates: ArrayLike<number>,
  { scheme, momentum }: BlockSettings,
): number[] {
  const { proposed }: BlockScheme = blockSchemes[scheme];
  return weights.map((weight, i) => proposed({ weight, carrier: carriers[i] }, updates[i], momentum ?? 0));
}

function sent(x: number, through: BlockSettings["through"]): number {
  return through === null ? x : roundSum(x, 0, through, "nearest-even", "ieee", 0);
}

/**
 * Takes a block of weights through one step: the specification of every engine.
 *
 * @param updates the addends, one for each weight.
 * @param renewed the tensor scale after the step; not read if scales are kept.
 */
export function stepBlock(
  before: BlockState,
  updates: ArrayLike<number>,
  settings: BlockSettings,
  renewed: TensorScale,
  { randomBits }: Pick<ElementRounding, "randomBits"> = {},
): BlockStep {
  const { blocks, scheme, rounding, scales, through, momentum } = settings;
  const { carried }: BlockScheme = blockSchemes[scheme];
  const proposed = proposedNumbers(before, updates, settings);
  const quantized = proposed.map((x) => sent(x, through));
  const tensorScale = scales === "kept" ? before.tensorScale : renewed;
  const elements = { rounding, randomBits };
  const block =
    scales === "kept"
      ? { codes: codesUnder(before.scale, quantized, blocks, tensorScale, elements), scale: before.scale }
      : quantizeBlock(quantized, blocks, tensorScale, elements);
  const weights = dequantizeBlock(block, blocks, tensorScale.stored);
  const carriers = weights.map((weight, i) => {
    const state = { weight: before.weights[i], carrier: before.carriers[i] };
    return carried(state, proposed[i], weight, momentum ?? 0);
  });
  const sameScales = block.scale === before.scale && tensorScale.stored === before.tensorScale.stored;
  const codes = sameScales
    ? block.codes
    : codesUnder(before.scale, quantized, blocks, before.tensorScale, elements);
  const zeros = 2 ** (blocks.element.bits - 1);
  return {
    after: { ...block, tensorScale, weights, carriers },
    quantized,
    codeMoves: codes.map((code, i) => code !== before.codes[i] && (code | before.codes[i]) !== zeros),
  };
}
