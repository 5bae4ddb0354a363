import { beforeAll, describe, expect, it } from "vitest";
import { runLens } from "../../../src/engine/run-lens.js";
import { selectEngine } from "../../../src/engine/select.js";
import { mergeResults } from "../../../src/lens/run/merge.js";
import type { Result, ResultOptimizer } from "../../../src/lens/run/result.js";
import { recipeSettings } from "../../../src/update/optimizer.js";
import { caseOf, renamed, resultOf } from "../../support/results.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

describe("mergeResults of inputs", () => {
  let results: Result[];

  beforeAll(async () => {
    const caseResult = await caseOf([1, 2], [0.1, 0]);
    results = ["a", "b", "c"].map((name) => resultOf([renamed(caseResult, name)]));
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

  it.each<[string, (caseResult: Result["cases"][0]) => Partial<Result["cases"][0]>]>([
    ["another recipe", () => ({ recipe: { name: "muon", of: "a test", verified: null } })],
    ["scales of the start", () => ({ scales: "kept" })],
    ["another point of the curve", ({ end }) => ({ curve: [{ ...end, step: 1, elements: 2 }] })],
  ])("refuses cases with %s", (_, change) => {
    const [one, { cases, ...other }] = results;
    const changed = { ...other, cases: cases.map((each) => ({ ...each, ...change(each) })) };
    expect(() => mergeResults([one, changed])).toThrow(
      "not of the same input kind, steps, settings and cases",
    );
  });

  it("refuses the merge of an adapter, which has all tensors that the adapter touches", () => {
    const merge = { rank: 8 } as unknown as NonNullable<Result["merge"]>;
    for (const parts of [
      [{ ...results[0], merge }, results[1]],
      [results[0], { ...results[1], merge }],
    ]) {
      expect(() => mergeResults(parts)).toThrow(
        new RangeError("the merge of an adapter is no part of a larger one"),
      );
    }
    const alone = { ...results[0], merge };
    expect(mergeResults([alone])).toEqual(alone);
  });

  it("leaves shards to the function that checks their ranges", () => {
    const part = { index: 0, of: 2, plan: "p", ranges: [], whole: { tensors: 0, elements: 0 } };
    expect(() => mergeResults([results[0], { ...results[1], part }])).toThrow(
      new RangeError("of shards: mergeShards adds them up"),
    );
    expect(mergeResults([{ ...results[0], part }]).part).toEqual(part);
  });

  it("refuses a tensor that two results have, and only that", () => {
    expect(() => mergeResults([results[0], results[1], results[0]])).toThrow('tensor "a" is in two');
    const empty = results.map((result) => ({ ...result, cases: [] }));
    expect(mergeResults(empty).cases).toEqual([]);
  });
});

describe("what merged results say of casts, optimizers and engines", async () => {
  const caseResult = await caseOf([1, 2], [0.1, 0]);
  const [a, b] = ["a", "b"].map((name) => resultOf([renamed(caseResult, name)]));

  it("adds up the casts to the formats that all results have", () => {
    const cast = (format: string, elements: number) => ({
      ...{ format, minNormal: 2 ** -6, elements, belowNormal: elements / 2, zero: elements / 4 },
    });
    const merged = mergeResults([
      { ...a, casts: [cast("e4m3fn", 8), cast("e2m1fn", 16), cast("e5m2", 4)] },
      { ...b, casts: [cast("e5m2", 12), cast("e4m3fn", 4)] },
    ]);
    expect(merged.casts).toEqual([cast("e4m3fn", 12), cast("e5m2", 16)]);
    expect("casts" in mergeResults([{ ...a, casts: [cast("e5m2", 4)] }, b])).toBe(false);
    expect("casts" in mergeResults([a, { ...b, casts: [cast("e5m2", 4)] }])).toBe(false);
    expect(mergeResults([{ ...a, casts: [cast("e5m2", 4)] }]).casts).toEqual([cast("e5m2", 4)]);
  });

  const optimizer: ResultOptimizer = {
    ...{ name: "adamw", lr: 1, betas: [0.5, 0.75], eps: 0, weightDecay: 0 },
    recorded: { given: {}, override: false },
  };
  const by = (result: Result, changes: Partial<ResultOptimizer>, settings = optimizer): Result => ({
    ...result,
    settings: { ...result.settings, optimizer: { ...settings, ...changes } },
  });

  it("joins every setting that was recorded; steps taken only where they are known", () => {
    const merged = mergeResults([by(a, {}), by(b, { lr: 2, betas: [0.25, 0.875], eps: 1, weightDecay: 3 })]);
    expect(merged.settings.optimizer).toEqual({
      ...optimizer,
      lr: { least: 1, most: 2 },
      betas: [
        { least: 0.25, most: 0.5 },
        { least: 0.75, most: 0.875 },
      ],
      eps: { least: 0, most: 1 },
      weightDecay: { least: 0, most: 3 },
    });
    expect("stepsTaken" in merged.settings.optimizer!).toBe(false);
    const some = mergeResults([by(a, {}), by(b, { stepsTaken: 5 })]);
    expect(some.settings.optimizer?.stepsTaken).toBe(5);
  });

  it("refuses another optimizer, other settings that were given, and settings of which only one is recorded", () => {
    const { recorded: _, ...given } = optimizer;
    for (const other of [
      by(b, { name: "sgd" }),
      by(b, { recorded: { given: { lr: 1 }, override: true } }),
      by(b, {}, given),
      b,
    ]) {
      for (const parts of [
        [by(a, {}), other],
        [other, by(a, {})],
      ]) {
        expect(() => mergeResults(parts)).toThrow("not of the same input kind, steps, settings and cases");
      }
    }
    const same = mergeResults([by(a, {}, given), by(b, {}, given)]);
    expect(same.settings.optimizer).toEqual(given);
  });

  it("tells the first failure by the names of the engines, and every remark once", () => {
    const on = (result: Result, engine: Partial<Result["engine"]>): Result => ({
      ...result,
      engine: { ...result.engine, ...engine },
    });
    const check = (passed: number, failed: number, firstFailure: string | null) => ({
      selfCheck: { passed, failed, firstFailure },
    });
    const parts = [
      on(a, { name: "wasm", ...check(5, 1, "of wasm"), remark: "Two." }),
      on(b, { name: "gpujs", ...check(7, 2, "of gpujs"), remark: "One." }),
      on(resultOf([renamed(caseResult, "c")]), { name: "best", ...check(3, 0, null), remark: "Two." }),
      on(resultOf([renamed(caseResult, "d")]), { name: "wasm", ...check(5, 1, "of wasm") }),
    ];
    for (const order of [parts, parts.toReversed(), [parts[1], parts[3], parts[0], parts[2]]]) {
      expect(mergeResults(order).engine).toEqual({
        name: "best, gpujs, wasm",
        device: "CPU",
        // Two of the parts were counted by one engine, which was checked once.
        selfCheck: { passed: 15, failed: 3, firstFailure: "of gpujs" },
        remark: "One. Two.",
      });
    }
    expect("remark" in mergeResults([a, b]).engine).toBe(false);
    expect("handedOver" in mergeResults([a, b]).engine).toBe(false);
  });

  it("names the files of moments of those that have them", () => {
    const from = (result: Result, moments: string) => ({ ...result, input: { ...result.input, moments } });
    expect(mergeResults([a, from(b, "m2")]).input.moments).toBe("m2");
    expect("moments" in mergeResults([a, b]).input).toBe(false);
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
