import { expect } from "vitest";
import { Evaluator } from "../../src/learn/evaluate.js";
import { data, modelIn } from "./support.js";

export const model = (path: string) => modelIn(data(`recorded/${path}.safetensors`));
export const evaluator = await Evaluator.open();

/**
 * KL by a decoder in NumPy, its sums in fp64, over all 13 tokens at each of the three places: forward, reverse. Of all
 * prompts, and of the hundred that begin with 37.
 */
export const ofNumpy = {
  rlvr: { all: [0.17727, 0.121148], first37: [0.110979, 0.080278] },
  opd: { all: [0.17722, 0.121113] },
  sft: { all: [1.087495, 0.404326] },
} as const;

type Divergence = Awaited<ReturnType<Evaluator["divergence"]>>;

/** Of a recorded run, on the prompts with these first operands. */
export function divergenceOf(run: keyof typeof ofNumpy, firsts: readonly number[]): Promise<Divergence> {
  return evaluator.divergence(model("base"), model(`${run}/final-fp32`), [...firsts]);
}

/** Texts with a sign among the first two tokens are left out here, and not by NumPy. */
export function expectNear(found: Divergence, [forward, reverse]: readonly [number, number]): void {
  expect(Math.abs(found.forward - forward)).toBeLessThan(found.leftOut);
  expect(Math.abs(found.reverse - reverse)).toBeLessThan(found.leftOut);
  expect(found.leftOut).toBeLessThan(1e-2);
}
