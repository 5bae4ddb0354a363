import { type BlockFormat, blockFormat, rulesOf } from "../../format/block/block-format.js";
import { noTensorScale, type TensorScale } from "../../format/block/scale-rule.js";
import { decode } from "../../format/encode.js";
import { ulp } from "../../format/neighbours.js";
import type { BlockSchemeName } from "../../update/block-scheme.js";
import { type BlockOptions, schemeSettings } from "../../update/block-settings.js";
import { numbersToQuantize, startBlock, startNumbers, stepBlock } from "../../update/block-step.js";
import type { SchemeName } from "../../update/scheme.js";
import { classifyShared, type SharedClass } from "../classify.js";
import { type Numeral, numeral } from "./numeral.js";

/** One number of a block, and one update, under each scale rule of its format. docs/block-explanation.schema.json is its schema. */
export interface BlockExplanation {
  readonly schema: "precision-lens-block-explanation/1";
  /** With the requested rule. */
  readonly format: string;
  readonly element: string;
  /** How many numbers share a scale, and the format of the scale. */
  readonly block: { readonly rows: number; readonly columns: number; readonly scale: string };
  readonly scheme: SchemeName | BlockSchemeName;
  readonly through: string | null;
  readonly weight: Numeral;
  /** As fp32, which is what is added. */
  readonly update: Numeral;
  /**
   * The largest magnitude of the block (including the weight), and of the tensor if it has a scale; before
   * the update.
   */
  readonly amax: Numeral;
  readonly tensorAmax: Numeral | null;
  /** Of the format that was asked for first. */
  readonly rules: readonly RuleExplanation[];
}

/** The result of one rule. */
export interface RuleExplanation {
  readonly rule: string;
  readonly before: StoredNumber;
  readonly after: StoredNumber;
  readonly becomes: SharedClass;
}

export interface StoredNumber {
  /** Of the block, and of the tensor; null where there is none. */
  readonly scale: Numeral;
  readonly tensorScale: Numeral | null;
  /** The number rounded to an element; beyond the largest it is clipped. */
  readonly scaled: Numeral;
  readonly clipped: boolean;
  readonly code: number;
  readonly element: Numeral;
  readonly number: Numeral;
  /** Between numbers of this code's binade; null where the scale is none. */
  readonly gap: number | null;
}

export interface ExplainBlockOptions extends BlockOptions {
  readonly format: string;
  /** At least |weight|. */
  readonly amax: number;
  /** At least amax, which is the default. */
  readonly tensorAmax?: number | undefined;
}

/**
 * Explains one number of a block in a format with shared scales, and one update of it alone, under each of
 * the format's scale rules. If the number equals `amax`, it is the largest of its block and determines the
 * scale.
 *
 * @param weight any fp32 number.
 * @param update the addend; it is first rounded to fp32.
 * @param options the format, by name, with the rule to list first; the largest magnitudes of block and
 * tensor; scheme (default `master`), `through`.
 * @returns facts as JSON; NaN, infinities and -0 by name.
 * @throws RangeError for unknown or incompatible names, and for an amax below the weight.
 * @example explainBlock(957, 0, { format: "mxfp8-e4m3", amax: 960 }).rules[0].before.number; // 896
 */
export function explainBlock(weight: number, update: number, options: ExplainBlockOptions): BlockExplanation {
  const { amax, tensorAmax, ...how } = options;
  const asked = blockFormat(options.format);
  const given = Math.fround(weight);
  const largest = Math.fround(amax);
  if (!(Math.abs(given) <= largest)) {
    throw new RangeError(`amax: expected at least the weight's magnitude ${Math.abs(given)}, found ${amax}`);
  }
  const ofTensor = tensorAmax === undefined ? largest : Math.fround(tensorAmax);
  if (!(ofTensor >= largest)) {
    throw new RangeError(`tensorAmax: expected at least that of the block, ${largest}, found ${tensorAmax}`);
  }
  const hasTensor = asked.rule.tensorScale !== null;
  const [family] = asked.name.split(":");
  const rules = [asked.rule.name, ...rulesOf(asked).filter((rule) => rule !== asked.rule.name)];
  const numbers = { given, u: Math.fround(update), largest, ofTensor };
  const settings = schemeSettings({ scheme: "master", ...how });
  return {
    schema: "precision-lens-block-explanation/1",
    format: asked.name,
    element: asked.element.name,
    block: { rows: asked.rows, columns: asked.columns, scale: asked.scale.name },
    scheme: settings.scheme,
    through: settings.blocks ? (settings.through?.name ?? null) : null,
    weight: numeral(given),
    update: numeral(numbers.u),
    amax: numeral(largest),
    tensorAmax: hasTensor ? numeral(ofTensor) : null,
    rules: rules.map((rule) => explainRule(numbers, { ...how, format: `${family}:${rule}` })),
  };
}

interface Numbers {
  readonly given: number;
  readonly u: number;
  readonly largest: number;
  readonly ofTensor: number;
}

/** A block of the weight and, if different, the largest number; the specification does the rest. */
function explainRule({ given, u, largest, ofTensor }: Numbers, options: BlockOptions): RuleExplanation {
  const settings = schemeSettings({ scheme: "master", ...options });
  if (!settings.blocks) throw new RangeError(`${settings.format.name} has no shared scales`);
  const { blocks } = settings;
  const block = Math.abs(given) === largest ? [given] : [given, largest];
  const updates = block.map((_, i) => (i === 0 ? u : 0));
  const isLargest = block.length === 1 && ofTensor === largest;
  const start = startNumbers(block, settings);
  const rest = isLargest ? 0 : Math.abs(startNumbers([ofTensor], settings)[0]);
  const before = startBlock(block, settings, tensorScaleOf(blocks, [...start, rest]));
  const proposed = numbersToQuantize(before, updates, settings);
  const step = stepBlock(before, updates, settings, tensorScaleOf(blocks, [...proposed, rest]));
  const { after, codeMoves } = step;
  const states = [before, after].map(({ weights, carriers }) => ({
    weight: weights[0],
    carrier: carriers[0],
  }));
  return {
    rule: blocks.rule.name,
    before: stored(blocks, start[0], before.codes[0], before.scale, before.tensorScale),
    after: stored(blocks, step.quantized[0], after.codes[0], after.scale, after.tensorScale),
    becomes: classifyShared(states[0], u, states[1], codeMoves[0]),
  };
}

function tensorScaleOf(blocks: BlockFormat, numbers: readonly number[]): TensorScale {
  return blocks.rule.tensorScale?.(Math.max(...numbers.map(Math.abs)), blocks) ?? noTensorScale;
}

function stored(
  { element, rule }: BlockFormat,
  x: number,
  code: number,
  scale: number,
  tensorScale: TensorScale,
): StoredNumber {
  const scaled = rule.scaled(x, scale, tensorScale);
  const decoded = decode(code, element);
  const step = Math.fround(scale * tensorScale.stored);
  const gap = Number.isFinite(decoded) ? ulp(decoded, element) * step : NaN;
  return {
    scale: numeral(scale),
    tensorScale: rule.tensorScale === null ? null : numeral(tensorScale.stored),
    scaled: numeral(scaled),
    clipped: Math.abs(scaled) > element.maxFinite,
    code,
    element: numeral(decoded),
    number: numeral(Math.fround(decoded * step)),
    gap: Number.isFinite(gap) ? gap : null,
  };
}
