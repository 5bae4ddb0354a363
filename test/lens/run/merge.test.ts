import { describe, expect, it } from "vitest";
import { runLens } from "../../../src/engine/run-lens.js";
import { selectEngine } from "../../../src/engine/select.js";
import type { TensorInput } from "../../../src/lens/input.js";
import { mergeResults } from "../../../src/lens/run/merge.js";
import type { Result, ResultOptimizer } from "../../../src/lens/run/result.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import { expectValid } from "../../support/schemas.js";
import { sized } from "../../support/tier.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

/** The last tensor has more than one block of sums in any case. */
const unit = sized({ quick: 1500, full: 5000 });
const tensors = [1, 2, 3].map((seed) => {
  const { weights, updates } = gaussianRun(seed, unit * seed, 4);
  if (seed === 2) weights[7] = Number.NaN;
  return tensorOf(`w${seed}`, weights, ...updates);
});

async function resultOf(
  given: readonly TensorInput[],
  options: Partial<UpdateOptions> = {},
  milestones: readonly number[] = [0, 2],
) {
  const cases = (["in-place", "kahan"] as const).map((scheme) =>
    updateSettings({ format: "bf16", scheme, ...options }),
  );
  const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} } as const;
  const described = { skipped: [], strict: false, source };
  const job = { tensors: given, stepNumbers: [0, 1, 2, 3], milestones, cases, ...described };
  return runLens(job, await selectEngine("reference"));
}

describe("mergeResults", () => {
  it("of shards is the result of the whole, every number of it", async () => {
    const whole = await resultOf(tensors);
    const shards = [await resultOf([tensors[0]]), await resultOf(tensors.slice(1))];
    expect(mergeResults(shards)).toEqual(whole);
    expect(mergeResults([whole])).toEqual(whole);
    expectValid("result", whole);
    expect(whole.cases[0].curve).toMatchObject([
      { step: 0, elements: 6 * unit, nonfinite: 1 },
      { step: 2, elements: 6 * unit, nonfinite: 1 },
    ]);
    const through = JSON.parse(JSON.stringify(shards));
    expect(mergeResults(through)).toEqual(whole);
  });

  it("keeps every engine and all that was handed over, whatever the order of the parts", async () => {
    const parts = await Promise.all(tensors.map((tensor) => resultOf([tensor])));
    const by = (i: number, engine: Partial<Result["engine"]>): Result => ({
      ...parts[i],
      engine: { ...parts[i].engine, ...engine },
    });
    const gpu = { name: "gpu", device: "a GPU", selfCheck: { passed: 50, failed: 0, firstFailure: null } };
    const shards = [by(0, { ...gpu, handedOver: 4096 }), by(1, {}), by(2, { ...gpu, handedOver: 100 })];
    const { passed } = parts[0].engine.selfCheck;
    for (const order of [
      [0, 1, 2],
      [1, 2, 0],
      [2, 1, 0],
    ]) {
      expect(mergeResults(order.map((i) => shards[i])).engine).toEqual({
        name: "gpu, reference",
        device: `${parts[0].engine.device}; a GPU`,
        selfCheck: { passed: 50 + passed, failed: 0, firstFailure: null },
        handedOver: 4196,
      });
    }
    expectValid("result", mergeResults(shards));
  });

  it("joins settings that a recording has by tensor, and no others", async () => {
    const parts = await Promise.all(tensors.slice(0, 2).map((tensor) => resultOf([tensor])));
    const recorded = { given: {}, override: false };
    const optimizer = { name: "adamw", lr: 1e-6, betas: [0.9, 0.95] as const, eps: 1e-8, weightDecay: 0.1 };
    const stepping = (i: number, settings: Partial<ResultOptimizer>): Result => ({
      ...parts[i],
      input: { ...parts[i].input, moments: `m${i}` },
      settings: { ...parts[i].settings, optimizer: { ...optimizer, ...settings } },
    });
    const shards = [
      stepping(0, { recorded, stepsTaken: 900 }),
      stepping(1, { recorded, lr: { least: 1e-7, most: 1e-6 }, weightDecay: 0, stepsTaken: 898 }),
    ];
    const merged = mergeResults(shards);
    expect(merged.settings.optimizer).toEqual({
      ...optimizer,
      lr: { least: 1e-7, most: 1e-6 },
      weightDecay: { least: 0, most: 0.1 },
      stepsTaken: { least: 898, most: 900 },
      recorded,
    });
    expect(merged.input.moments).toBe("m0, m1");
    expectValid("result", merged);
    expect(() => mergeResults([stepping(0, {}), stepping(1, { lr: 1e-5 })])).toThrow(RangeError);
  });

  it("refuses a tensor counted twice, and results of other cases", async () => {
    const one = await resultOf([tensors[0]]);
    expect(() => mergeResults([one, one])).toThrow('tensor "w1" is in two of the results');
    const other = await resultOf([tensors[1]], { rounding: "to-odd" });
    expect(() => mergeResults([one, other])).toThrow("not of the same input kind, steps, settings and cases");
    expect(() => mergeResults([])).toThrow(RangeError);
  });

  it("refuses synthetic runs, whose parts do not add up; one alone keeps what it tells", async () => {
    const share = { estimate: 0.5, standardError: 0.1, low: 0.3, high: 0.7 };
    const shares = { unchanged: share, hidden: share, apparentSparsity: share };
    const told = {
      sampling: { parameters: 99_999, confidence: 0.95, cases: [shares, shares] },
      firstShown: [{ case: 0, binades: [] }],
    };
    const [one, other] = [await resultOf([tensors[0]]), await resultOf([tensors[1]])];
    const synthetic = { ...one, input: { ...one.input, kind: "synthetic" as const } };
    const { sampling, firstShown } = told;
    for (const part of [synthetic, { ...one, sampling }, { ...one, firstShown }]) {
      expect(() => mergeResults([part, other])).toThrow("a synthetic run is no part of a larger one");
      expect(() => mergeResults([other, part])).toThrow(RangeError);
    }
    const alone = { ...synthetic, ...told };
    expectValid("result", alone);
    expect(mergeResults([alone])).toEqual(alone);
  });

  it("refuses curves of other milestones; results from before there were curves add up", async () => {
    const one = await resultOf([tensors[0]]);
    for (const milestones of [[0, 3], [0], []]) {
      const other = await resultOf([tensors[1]], {}, milestones);
      expect(() => mergeResults([one, other])).toThrow("not of the same input kind, steps");
    }
    const without = [tensors[0], tensors[1]].map((tensor) => resultOf([tensor], {}, []));
    const old = JSON.parse(JSON.stringify(await Promise.all(without)));
    for (const { cases } of old) for (const caseResult of cases) delete caseResult.curve;
    expectValid("result", old[0]);
    expect(mergeResults(old)).toEqual(await resultOf(tensors.slice(0, 2), {}, []));
  });
});
