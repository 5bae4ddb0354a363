import { expect } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { reference } from "../../../src/engine/reference/reference.js";
import type { TensorInput } from "../../../src/lens/input.js";
import type { Case } from "../../../src/lens/run/case.js";
import { summarizeCase } from "../../../src/lens/run/summarize.js";
import { type BlockOptions, schemeSettings } from "../../../src/update/block-settings.js";
import { gaussian, valuesOf } from "../../support/values.js";
import type { Counts, Run } from "./by-hand.js";

export function drawnRun(shape: readonly number[], seed: number, steps = 4): Run {
  const normal = gaussian(seed);
  const length = shape.reduce((product, n) => product * n, 1);
  const draw = (size: number) => Float32Array.from({ length }, () => size * normal());
  return {
    shape,
    weights: draw(0.03).map((x, i) => (i % 11 === 5 ? 0 : x)),
    // Large enough that codes and scales change within a few steps; every seventh is zero.
    updates: Array.from({ length: steps }, () => draw(2e-4).map((x, i) => (i % 7 === 2 ? 0 : x))),
  };
}

function tensorOf({ shape, weights, updates }: Run): TensorInput {
  return { name: "w", shape, weights: valuesOf(weights), updates: updates.map(valuesOf) };
}

/** A run counted by an engine: its result, and the numbers it ends with. */
export async function counted(
  run: Run,
  options: BlockOptions,
  chunk?: number,
  engine: Pick<Engine, "run"> = reference,
) {
  const numbers = new Float32Array(run.weights.length);
  const job = {
    tensors: [tensorOf(run)],
    stepNumbers: run.updates.map((_, i) => i),
    cases: [schemeSettings(options)],
    milestones: [0],
    ...(chunk !== undefined && { chunk }),
  };
  const [tally] = await engine.run(job, {
    weights: (_, __, start, weights) => numbers.set(weights, start),
  });
  return { result: summarizeCase(tally), numbers };
}

/** The counts of every step, as written out by hand. */
export function expectCounts(result: Case, steps: readonly Counts[]) {
  for (const [i, expected] of steps.entries()) {
    const { none, lost, kept, moved, collateral, nonfinite, zeros, shared } = result.steps[i];
    expect({ none, lost, kept, moved, collateral, nonfinite, zeros, ...shared }).toEqual(expected);
  }
}
