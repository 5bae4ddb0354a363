import { type BlockFormat, blockFormat } from "../format/block/block-format.js";
import { quantize } from "../format/block/quantize.js";
import { scaleRules } from "../format/block/scale-rule.js";
import { defineFormat } from "../format/format.js";
import type { Rounding } from "../format/round.js";
import type { BlockInput } from "./block-inputs.js";
import type { Mistake } from "./mistake.js";

/** A quantized tensor in codes: `scales` are codes, or numbers where the format of scales is fp32. */
export interface QuantizedCodes {
  readonly codes: ArrayLike<number>;
  readonly scales: ArrayLike<number>;
  readonly tensorScale?: number | null;
}

/** What the format makes of a tensor. */
export function quantized(
  { data, shape }: BlockInput,
  format: BlockFormat,
  rounding?: Rounding,
): QuantizedCodes {
  return quantize(data, shape, format, rounding && { rounding });
}

/** Other roundings of the elements. */
const elementRoundings: readonly (readonly [name: string, says: string, rounding: Rounding])[] = [
  ["half away", "ties of elements going away from zero instead of to even", "nearest-away"],
  ["truncated", "truncated elements", "toward-zero"],
];

/**
 * Every mistake that a quantizer can make: another scale rule, another rounding of the elements, another division; also
 * the first two at once, as neither alone gives a block in which both show.
 */
export function quantizerMistakes(format: BlockFormat): Mistake<BlockInput, QuantizedCodes>[] {
  const { element, rule } = format;
  const row = (name: string, says: string, as: BlockFormat, rounding?: Rounding) => ({
    name,
    says,
    answer: (input: BlockInput) => quantized(input, as, rounding),
  });
  const scaled = (says: string, change: (x: number, scale: number) => number) =>
    row("scaling", says, { ...format, rule: { ...rule, scaled: change } });
  const rules = otherRules(format).map(
    (as) => [as, `the scale rule ${as.rule.name} instead of ${rule.name}`] as const,
  );
  return [
    ...rules.map(([as, says]) => row("scale rule", says, as)),
    ...elementRoundings.map(([name, says, rounding]) => row(name, says, format, rounding)),
    row("flushed subnormals", "flushed subnormal elements", {
      ...format,
      element: defineFormat({ ...element, subnormals: false }),
    }),
    ...(rule.tensorScale === null
      ? [
          scaled("elements as x times the reciprocal of the scale, rounded", (x, scale) =>
            Math.fround(x * Math.fround(1 / scale)),
          ),
          scaled("elements clipped one step too early", (x, scale) =>
            Math.max(-element.maxFinite / 2, Math.min(element.maxFinite / 2, x / scale)),
          ),
        ]
      : []),
    ...rules.flatMap(([as, ofRule]) =>
      elementRoundings.map(([name, says, rounding]) =>
        row(`scale rule, ${name}`, `${ofRule}, and ${says}`, as, rounding),
      ),
    ),
  ];
}

/** The format under each other rule that its kind of scales can have. */
function otherRules(format: BlockFormat): BlockFormat[] {
  const family = format.name.split(":")[0];
  return Object.keys(scaleRules).flatMap((rule) => {
    if (rule === format.rule.name) return [];
    try {
      return [blockFormat(`${family}:${rule}`)];
    } catch {
      return [];
    }
  });
}

/** Whether two quantizations are the same; codes of a block whose scale is NaN do not matter. */
export function sameQuantized(format: BlockFormat): (a: QuantizedCodes, b: QuantizedCodes) => boolean {
  return (a, b) => firstDifference(a, b, format) === null;
}

/** Where two quantizations differ first, and how. */
export interface Difference {
  readonly where: "tensor scale" | "scale" | "element";
  readonly index: number;
  readonly expected: number;
  readonly found: number;
}

export function firstDifference(
  expected: QuantizedCodes,
  found: QuantizedCodes,
  format: BlockFormat,
): Difference | null {
  const [right, mine] = [expected.tensorScale ?? null, found.tensorScale ?? null];
  // One that is not given is not judged.
  if (mine !== null && right !== null && !Object.is(right, mine)) {
    return { where: "tensor scale", index: 0, expected: right, found: mine };
  }
  let anyNaN = false;
  for (let i = 0; i < expected.scales.length; i++) {
    if (isNaNScale(expected.scales[i], format) && isNaNScale(found.scales[i], format)) anyNaN = true;
    else if (!Object.is(expected.scales[i], found.scales[i])) {
      return { where: "scale", index: i, expected: expected.scales[i], found: found.scales[i] };
    }
  }
  if (anyNaN) return null;
  for (let i = 0; i < expected.codes.length; i++) {
    if (expected.codes[i] !== found.codes[i]) {
      return { where: "element", index: i, expected: expected.codes[i], found: found.codes[i] };
    }
  }
  return null;
}

function isNaNScale(scale: number, { scale: { bits, maxFiniteCode, signed } }: BlockFormat): boolean {
  if (bits > 8) return Number.isNaN(scale);
  return (signed ? scale % 2 ** (bits - 1) : scale) > maxFiniteCode;
}
