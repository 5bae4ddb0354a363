import { expect, it } from "vitest";
import { reference } from "../../src/engine/reference/reference.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import { recipeSettings } from "../../src/update/optimizer.js";
import { recorded } from "../support/recorded.js";

it("rlvr: the intended updates are the recorded ones, so that the classes are those of the recorded run", async () => {
  const gradients = await openRecording(await recordedRun(recorded("rlvr/early"), "gradients"));
  const { tensors, stepNumbers } = gradients;
  const cases = ["fp32", "master"].map((name) =>
    recipeSettings("adamw", name, { lr: 1e-5, betas: [0.9, 0.95], format: "bf16" }),
  );
  const [fp32, master] = (await reference.run({ tensors, stepNumbers, cases })).map(summarizeCase);
  await gradients.close();
  // As numpy counted from the recorded updates (expected.json): in place in fp32, and the bf16 master.
  expect(fp32.totals).toMatchObject({ none: 768, lost: 45, kept: 0, moved: 207571 });
  expect(master.totals).toMatchObject({ none: 768, lost: 45, kept: 199712, moved: 7859 });
  expect(master.end).toMatchObject({ unchanged: 22374, neverUpdated: 96, cancelled: 2, hidden: 22276 });
  expect(master.totals.effectiveDescent).toBeCloseTo(0.20936664718968942, 12);
});
