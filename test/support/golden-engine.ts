import { expect } from "vitest";
import type { Engine, LensJob } from "../../src/engine/engine.js";
import { recipeSettings } from "../../src/update/optimizer.js";
import { goldenNumbers, vector } from "./golden-steps.js";
import { Mismatches } from "./mismatches.js";
import { tensorOf } from "./values.js";

/** Checks that an engine stores the same weights as torch after each number of steps, bit for bit. */
export async function expectGoldenWeights(
  engine: Pick<Engine, "run">,
  path: string,
  steps: readonly number[],
): Promise<void> {
  const golden = vector(path);
  const numbers = (name: string, t: number) => goldenNumbers(golden, name, t);
  const settings = recipeSettings(golden.optimizer, golden.recipe, {
    format: golden.format,
    ...golden.settings,
  });
  const wrong = new Mismatches();
  for (const last of steps) {
    const gradients = Array.from({ length: last }, (_, i) => numbers("g", i + 1));
    const job: LensJob = {
      tensors: [tensorOf("w", numbers("p", 0), ...gradients)],
      stepNumbers: gradients.map((_, i) => i),
      cases: [settings],
    };
    const expected = numbers("p", last);
    let seen = 0;
    await engine.run(job, {
      weights: (_case, _tensor, start, stored) => {
        seen += stored.length;
        for (const [i, weight] of stored.entries())
          wrong.compare(weight, expected[start + i], () => `${path}, step ${last}, weight ${start + i}`);
      },
    });
    expect(seen).toBe(expected.length);
  }
  wrong.expectNone();
}
