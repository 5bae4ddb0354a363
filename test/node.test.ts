/** What the library for Node can be asked with what it exports, and nothing else. */
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type CaseSettings,
  type DescribedJob,
  diff,
  openRecording,
  recipeSettings,
  recordedRun,
  replayOf,
  runLens,
  selectEngine,
  type TensorInput,
  updateSettings,
  type Values,
} from "../src/node.js";
import { output } from "./support/cli.js";
import { recorded } from "./support/recorded.js";
import { expectValid } from "./support/schemas.js";

const [base, after] = ["base.safetensors", "rlvr/final-fp32.safetensors"].map(recorded);

test("diff gives what the command gives", async () => {
  const told: number[] = [];
  const found = await diff(base, after, {
    view: "bfloat16",
    sample: 2,
    seed: 3,
    progress: (done, total) => told.push(done / total),
  });
  expectValid("diff", JSON.parse(JSON.stringify(found)));
  const args = ["--view", "bf16", "--sample", "2", "--seed", "3", "--json", "-"];
  expect(found).toEqual(JSON.parse(await output("diff", base, after, ...args)));
  expect(told.at(-1)).toBe(1);
  await expect(diff(base, after, { view: "bf61" })).rejects.toThrow("unknown format");
  await expect(diff(base, join(after, "nowhere"))).rejects.toThrow("expected");
});

test("runLens counts a job of arrays and one of files, as run does", async () => {
  const numbers = (data: Float32Array): Values => ({
    length: data.length,
    read: async (start, into) => into.set(data.subarray(start, start + into.length)),
  });
  const tensor: TensorInput = {
    name: "w",
    shape: [2],
    weights: numbers(Float32Array.of(1, 0.5)),
    updates: [numbers(Float32Array.of(1e-3, 0.1))],
  };
  const cases: CaseSettings[] = [updateSettings({ format: "bf16", scheme: "kahan" })];
  const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} } as const;
  const job: DescribedJob = { tensors: [tensor], stepNumbers: [0], cases, source, skipped: [], strict: true };
  const result = await runLens(job, await selectEngine("auto", job));
  expectValid("result", JSON.parse(JSON.stringify(result)));
  expect(result.cases[0].totals).toMatchObject({ elements: 2, kept: 1, moved: 1 });

  const paths = await recordedRun(recorded("rlvr/early"), "gradients");
  const recording = await openRecording({ ...paths, of: "gradient" });
  const replay = replayOf(recording, { given: {} });
  const { stepNumbers, skipped } = recording;
  const byRecipe: DescribedJob = {
    tensors: replay.tensors.slice(0, 3),
    stepNumbers,
    cases: [recipeSettings("adamw", "master", { ...replay.settings, format: "bf16" })],
    source: { ...source, kind: "recorded", weights: paths.weights, gradients: paths.updates },
    skipped,
    strict: true,
    recorded: { given: {}, override: false },
  };
  const { settings, input } = await runLens(byRecipe, await selectEngine("reference", byRecipe));
  await recording.close();
  expect(settings.optimizer).toMatchObject({ name: "adamw", lr: 1e-5, betas: [0.9, 0.95] });
  expect(input.tensors).toBe(3);
});

test("runLens refuses what is no number of threads", async () => {
  const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} } as const;
  const cases = [updateSettings({ format: "bf16" })];
  const job = { tensors: [], stepNumbers: [], cases, source, skipped: [], strict: true, threads: 0 };
  await expect(runLens(job, await selectEngine("reference"))).rejects.toThrow("threads of at least 1");
});
