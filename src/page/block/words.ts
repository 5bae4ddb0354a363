import { short } from "../../report/numbers.js";
import { changedOthers, largestAt, largestOfTensor, type SharedStep } from "./shared-step.js";

/** A scale, as a power of two if it is one: "2^-4". */
export function scaleText(scale: number): string {
  const exponent = Math.log2(scale);
  return Number.isInteger(exponent) ? `2^${exponent}` : short(scale);
}

/** For formats with a tensor scale: where it is from, and whether the updated weight is too large for it; else null. */
export function tensorScaleNote({ blocks, sum, grid }: SharedStep): string | null {
  if (!blocks.rule.tensorScale) return null;
  const origin = `The tensor scale is that of a tensor whose largest weight is ${largestOfTensor}, in another block`;
  // The scale of a block is at its maximum where its largest weight is that of the tensor.
  return Math.abs(sum) > largestOfTensor
    ? `${origin}: w + u = ${short(sum)} exceeds it and is clipped to ${short(Math.sign(sum) * grid.at(-1)!)}.`
    : `${origin}.`;
}

/** The effect of the update in two sentences: on the scale, and on weights without update. */
export function blockFinding(step: SharedStep): { readonly scale: string; readonly others: string } {
  const { scales, weights } = step;
  const own = weights[largestAt];
  const count = changedOthers(step);
  const ofOthers = `${count} of the ${weights.length - 1} other weights change`;
  if (scales.after === scales.before) {
    const moved = own.after !== own.before;
    return {
      scale: `The ${step.update === 0 ? "update is zero" : "largest weight is updated"}, and the block keeps its scale.`,
      others: moved ? "That weight moves, and no other." : "No stored number changes.",
    };
  }
  const [from, to] = [scales.before, scales.after].map(scaleText);
  const doubled =
    scales.after === 2 * scales.before ? "doubles the scale of its block" : "moves the scale of its block";
  return {
    scale: `The update of one weight ${doubled}, from ${from} to ${to}.`,
    others: count === 0 ? "No other weight changes." : `${ofOthers}, though their updates are zero.`,
  };
}
