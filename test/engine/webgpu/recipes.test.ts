import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { hardRecipeJob } from "../../../src/engine/hard-recipes.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { runOnDevice } from "../../../src/engine/webgpu/run.js";
import { recipeSettings, recipes } from "../../../src/update/optimizer.js";
import type { OptimizerName, OptimizerSettings } from "../../../src/update/recipe/recipe.js";
import { expectGoldenWeights } from "../../support/golden-engine.js";
import { filesIn } from "../../support/golden-steps.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { fullTier, sized } from "../../support/tier.js";
import { gaussianRun, tensorOf } from "../../support/values.js";
import { withDevice } from "./with-device.js";

const settings: OptimizerSettings = { lr: 1e-4, eps: 1e-8, weightDecay: 0.01 };

type Named = readonly [OptimizerName, recipe: string, format: string];

// Compiling the kernels of a recipe takes SwiftShader seconds. The quick tier has two of SGD, below: what they lack, roots and
// quotients, arithmetic.test.ts has, and the lines of every recipe the SIMD kernels, which are written from the same text.
const some: readonly Named[] = [["adamw", "torch-2.13-cpu-fused", "fp16"]];
// Adam is AdamW but for a line, and other frameworks' AdamW is made of the same operations: torch's bits are below, and
// test/engine/wasm/recipes.test.ts has all of them from the same text.
const likeOthers = /^(adam |adamw (any.*[ns]|torch-1.13-cpu|transformer-engine-bf16-states)$)/;
const all = (Object.keys(recipes) as OptimizerName[]).flatMap((optimizer) =>
  [...recipes[optimizer].values()]
    .filter(({ name, whole }) => whole === undefined && !likeOthers.test(`${optimizer} ${name}`))
    .map(({ name }, i): Named => [optimizer, name, ["bf16", "fp16", "e4m3fn"][i % 3]]),
);

describeNeeding(requirements.vulkan, "recipes on the webgpu engine", () => {
  const on = withDevice();
  const { engine, expectSame } = on;

  it.each(sized({ quick: [], full: [...some, ...all] }))(
    "%s %s in %s: every count, sum and bit of the reference on hard numbers, with settings that change",
    async (optimizer, name, format) => {
      const cases = [recipeSettings(optimizer, name, { ...settings, format, seed: 3 })];
      const job = { ...hardRecipeJob(cases[0]), cases };
      await expectSame(job);
    },
  );

  it("several beside each other, in batches of a block, whose counts are read after each step", async () => {
    const names = ["torch-2.13-cpu-foreach", "torch-2.13-cuda-fused"];
    if (fullTier) names.push("fp32");
    const cases = names.map((name) => recipeSettings("sgd", name, { ...settings, format: "bf16" }));
    const { weights, updates } = gaussianRun(7, 2 * 4096 + 61, 3, 1e-3);
    const tensors = [tensorOf("w", weights, ...updates), ...hardRecipeJob(cases[0]).tensors.slice(2)];
    const job = { tensors, stepNumbers: [0, 1, 2], milestones: [0, 1], cases, chunk: 4096 };
    const run: Engine["run"] = (given, observer) =>
      runOnDevice(given, on.device, observer, { batch: 2 ** 30, counts: 2 ** 24, steps: 1 });
    const theirs = await outcomeOf(reference, job);
    expectEqual(await outcomeOf({ run }, job), theirs);
    expect(theirs[1].result.end.parted).toBeGreaterThan(0);
    if (fullTier) expect(theirs[2].result.end.parted).toBeNull();
  });

  if (fullTier)
    it("weights that only fp64 holds are rounded once, and start their fp32 master once", async () => {
      const given = [1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -8, 1 / 3, 2 ** -140 + 2 ** -160, 1e300, Number.NaN];
      const cases = [recipeSettings("sgd", "master", { ...settings, format: "bf16" })];
      const tensors = [tensorOf("w", given, [1e-3, -1, 0, 1e-3, 2, 1])];
      const job = { tensors, stepNumbers: [0], cases };
      await expectSame(job);
    });

  // The quick tier has kernels of SGD in the test above, with the reference's bits, which are torch's.
  if (fullTier)
    describe("torch's own bits", () => {
      const files = ["adamw", "cuda", "tail", "torch-1.13"].flatMap((folder) =>
        filesIn(folder).map((file) => `${folder}/${file}`),
      );
      const trained = files.filter((path) => !path.includes("sgd-bf16-cpu-fused"));

      it.each(trained)("%s: p after one step, and at the end", async (path) => {
        await expectGoldenWeights(engine, path, [1, 2, 10]);
      });
    });
});
