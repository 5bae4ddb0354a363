import { expect, it } from "vitest";
import { reference } from "../../../src/engine/reference/reference.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import type { Format } from "../../../src/format/format.js";
import { nextDown, nextUp } from "../../../src/format/neighbours.js";
import { format } from "../../../src/format/registry.js";
import { round } from "../../../src/format/round.js";
import { updateSettings } from "../../../src/update/settings.js";
import { outcomeOf } from "../../support/outcome.js";
import { tensorOf } from "../../support/values.js";

/** Numbers from 2^-30 to 2^-8, each with the numbers around those 1e-5 away, where the probe of small moves decides. */
function* movesOfSize(size: number, to: Format): Generator<readonly [number, number]> {
  for (let weight = 2 ** -30; weight < 2 ** -8; weight = nextUp(weight, to)) {
    for (const signed of [weight, -weight]) {
      for (const target of [round(signed + size, to), round(signed - size, to)]) {
        yield [signed, target];
        yield [signed, nextUp(target, to)];
        yield [signed, nextDown(target, to)];
      }
    }
  }
}

// Formats of up to nine significand bits are probed in fp32, others in fp64.
it.each(["bf16", "e8m8", "e8m9"])("small moves of %s are those of fp64", async (name) => {
  const moves = [...movesOfSize(1e-5, format(name))];
  const weights = Float32Array.from(moves, ([from]) => from);
  const updates = Float32Array.from(moves, ([from, to]) => to - from);
  const job = {
    tensors: [tensorOf("w", weights, updates)],
    stepNumbers: [0],
    cases: [updateSettings({ format: name })],
  };
  const theirs = await outcomeOf(reference, job);
  expect(await outcomeOf(wasm, job)).toEqual(theirs);
  const { end, probes } = theirs[0].result;
  const small = probes["small-subnetworks"].unchanged;
  expect(small).toBeGreaterThan(end.unchanged + moves.length / 10);
  expect(small).toBeLessThan(moves.length * 0.9);
});
