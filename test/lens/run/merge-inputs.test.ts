import { beforeAll, describe, expect, it } from "vitest";
import { runLens } from "../../../src/engine/run-lens.js";
import { selectEngine } from "../../../src/engine/select.js";
import { mergeResults } from "../../../src/lens/run/merge.js";
import type { Result } from "../../../src/lens/run/result.js";
import { recipeSettings } from "../../../src/update/optimizer.js";
import { caseOf, renamed, resultOf } from "../../support/results.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

describe("mergeResults of inputs", () => {
  let results: Result[];

  beforeAll(async () => {
    const lensCase = await caseOf([1, 2], [0.1, 0]);
    results = ["a", "b", "c"].map((name) => resultOf([renamed(lensCase, name)]));
  });

  /** The three results, each with its own input. */
  const withInputs = (...inputs: readonly Partial<Result["input"]>[]) =>
    inputs.map((input, i) => ({ ...results[i], input: { ...results[i].input, ...input } }));

  it("adds tensors and elements", () => {
    expect(mergeResults(results).input).toMatchObject({ tensors: 3, elements: 6 });
    expect(mergeResults(results).cases[0].tensors.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("names every file that is known, none where none is", () => {
    const merged = mergeResults(
      withInputs({ weights: "w1", updates: "u1" }, { weights: null, updates: "u2" }, { weights: "w3" }),
    );
    expect(merged.input).toMatchObject({ weights: "w1, w3", updates: "u1, u2" });
    expect(mergeResults(results).input).toMatchObject({ weights: null, updates: null });
  });

  it("keeps all metadata and all that was skipped", () => {
    const [a, b] = withInputs({ metadata: { lr: "1", run: "x" } }, { metadata: { seed: "3" } });
    const skipped = ["one", "two"].map((name) => ({ name, reason: "integers" }));
    const merged = mergeResults([
      { ...a, skipped: [skipped[0]] },
      { ...b, skipped: [skipped[1]] },
    ]);
    expect(merged.input.metadata).toEqual({ lr: "1", run: "x", seed: "3" });
    expect(merged.skipped).toEqual(skipped);
  });

  it("of one result is that result, and of none is refused", () => {
    expect(mergeResults(results.slice(0, 1))).toEqual(results[0]);
    expect(() => mergeResults([])).toThrow("no result to merge");
  });

  it.each<[string, (result: Result) => Result]>([
    ["another kind of input", (result) => ({ ...result, input: { ...result.input, kind: "recorded" } })],
    ["other step numbers", (result) => ({ ...result, input: { ...result.input, stepNumbers: [5] } })],
    ["other settings", (result) => ({ ...result, settings: { ...result.settings, seed: 1 } })],
    [
      "another format",
      (result) => ({ ...result, cases: result.cases.map((one) => ({ ...one, format: "fp16" })) }),
    ],
    [
      "another rounding",
      (result) => ({ ...result, cases: result.cases.map((one) => ({ ...one, rounding: "to-odd" })) }),
    ],
    [
      "another scheme",
      (result) => ({ ...result, cases: result.cases.map((one) => ({ ...one, scheme: "kahan" })) }),
    ],
    [
      "another opmath",
      (result) => ({ ...result, cases: result.cases.map((one) => ({ ...one, opmath: "exact" })) }),
    ],
    ["more cases", (result) => ({ ...result, cases: [...result.cases, ...result.cases] })],
    [
      "another step",
      (result) => ({
        ...result,
        cases: result.cases.map((one) => ({
          ...one,
          steps: one.steps.map((step) => ({ ...step, step: 9 })),
        })),
      }),
    ],
    ["fewer steps", (result) => ({ ...result, cases: result.cases.map((one) => ({ ...one, steps: [] })) })],
  ])("refuses %s", (_, change) => {
    expect(() => mergeResults([results[0], change(results[1])])).toThrow(
      "the results are not of the same input kind, steps, settings and cases",
    );
  });

  it("refuses a tensor that two results have, and only that", () => {
    expect(() => mergeResults([results[0], results[1], results[0]])).toThrow('tensor "a" is in two');
    const empty = results.map((result) => ({ ...result, cases: [] }));
    expect(mergeResults(empty).cases).toEqual([]);
  });
});

it("adds up causes and moments of recipes, and where they part", async () => {
  const cases = ["torch-2.13-cpu-for-loop", "collage-plus"].map((name) =>
    recipeSettings("adamw", name, { lr: 1e-4, weightDecay: 0.1, format: "bf16" }),
  );
  const tensors = [4, 5].map((seed) => {
    const { weights, updates } = gaussianRun(seed, 300, 3, 1e-3);
    return tensorOf(`w${seed}`, weights, ...updates);
  });
  const engine = await selectEngine("reference");
  const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} } as const;
  const run = (given: typeof tensors) =>
    runLens({ tensors: given, stepNumbers: [0, 1, 2], cases, skipped: [], strict: false, source }, engine);
  const whole = await run(tensors);
  expect(mergeResults([await run(tensors.slice(0, 1)), await run(tensors.slice(1))])).toEqual(whole);
  expect(whole.cases[1].end.parted).toBeGreaterThan(0);
});
