import { expect, it } from "vitest";
import { toText } from "../../support/gpu/jobs.js";
import type { Runner } from "../../support/gpu/runners.js";
import { Mismatches } from "../../support/mismatches.js";
import { deterministicRoundings } from "../../support/oracle.js";
import { readGolden } from "../../support/safetensors.js";

/** Every number of golden/round, NaN, Inf and subnormals included: nothing is left to another engine. */
export function roundsAsGolden(runner: Runner, names: readonly string[]): void {
  it.each(names)("golden/round of %s: every rounding, bit for bit", async (name) => {
    const golden = readGolden(`round/round-${name}.safetensors`);
    const input = golden.float32("input");
    // An update of -0 under `master`: the stored weight is the number as given, rounded by the run's rounding.
    const outcome = await runner.outcome({
      tensors: [
        {
          name: "numbers",
          weights: toText(Float64Array.from(input)),
          updates: [toText(new Float32Array(input.length).fill(-0))],
        },
      ],
      cases: deterministicRoundings.map((rounding) => ({ format: name, scheme: "master", rounding })),
    });
    expect(outcome.handedOver).toBe(0);
    const wrong = new Mismatches();
    for (const [c, rounding] of deterministicRoundings.entries()) {
      const expected = golden.float32(rounding);
      const stored = new Float32Array(
        Uint8Array.from(atob(outcome.weights[c]), (x) => x.charCodeAt(0)).buffer,
      );
      for (const [i, x] of input.entries())
        wrong.compare(stored[i], expected[i], () => `${rounding} of ${x}`);
    }
    wrong.expectNone();
  });
}
