import type { Format } from "../../format/format.js";
import { nextDown, nextUp } from "../../format/neighbours.js";
import { type Rounding, round } from "../../format/round.js";
import { type Class, classify } from "../../lens/classify.js";
import { percent, short } from "../../report/numbers.js";
import { applyUpdate } from "../../update/apply.js";

/** One update of one weight, stored in place. */
export interface WeightStep {
  readonly stored: number;
  readonly update: number;
  /** w + u in fp32, as it is before it is stored. */
  readonly sum: number;
  /** What is stored then; under stochastic rounding the likelier outcome. */
  readonly result: number;
  readonly becomes: Class;
  /** The gap on the side to which the update points; NaN beyond the finite numbers. */
  readonly gap: number;
  readonly tie: boolean;
  /** At a power of two the gap below is half of that above. */
  readonly edge: boolean;
}

export function stepOf(stored: number, given: number, format: Format, rounding: Rounding): WeightStep {
  const update = Math.fround(given);
  const before = { weight: stored, carrier: 0 };
  const effective = rounding === "stochastic" ? "nearest-even" : rounding;
  const after = applyUpdate(before, update, { format, rounding: effective });
  const sum = Math.fround(stored + update);
  const up = nextUp(stored, format) - stored;
  const down = stored - nextDown(stored, format);
  const [low, high] = [nextDown(sum, format), nextUp(sum, format)];
  return {
    stored,
    update,
    sum,
    result: after.weight,
    becomes: classify(before, update, after),
    gap: update < 0 ? down : up,
    tie: round(sum, format) !== sum && sum - low === high - sum,
    edge: up !== down,
  };
}

/** What the step shows, in a sentence or two. */
export function stepWords(
  { stored, update, result, becomes, gap, tie, edge }: WeightStep,
  rounding: Rounding,
) {
  if (becomes === "nonfinite") return "A number is not finite: nothing is counted.";
  if (becomes === "none") return "The update is zero: a real zero.";
  const part = Math.abs(update) / (gap / 2);
  const size = `u is ${part < 0.1 ? percent(part) : short(Number(part.toPrecision(3)))}${part < 0.1 ? " of half" : " times half"} the gap of ${short(gap)}`;
  const edgeWords = edge ? " w is a power of two: the gap below is half the gap above." : "";
  if (rounding === "stochastic") {
    return `${size}: w moves with a chance of ${percent(Math.min(1, part / 2))}.${edgeWords}`;
  }
  const where = tie ? "w + u lies in the middle, a tie" : size;
  const outcome =
    becomes === "lost"
      ? `${where}: it rounds back to w. *Lost.*`
      : `${where}: it rounds to ${short(result)}. *Moved*, by ${short(Math.abs(result - stored) / gap)} gaps.`;
  return outcome + edgeWords;
}
