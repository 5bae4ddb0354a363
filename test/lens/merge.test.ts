import { describe, expect, it } from "vitest";
import { runLens } from "../../src/engine/run-lens.js";
import { selectEngine } from "../../src/engine/select.js";
import type { TensorInput } from "../../src/lens/input.js";
import { mergeResults } from "../../src/lens/merge.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";
import { expectValid } from "../support/schemas.js";
import { sized } from "../support/tier.js";
import { gaussianRun, tensorOf } from "../support/values.js";

/** The last tensor has more than one block of sums in any case. */
const unit = sized({ quick: 1500, full: 5000 });
const tensors = [1, 2, 3].map((seed) => {
  const { weights, updates } = gaussianRun(seed, unit * seed, 4);
  if (seed === 2) weights[7] = Number.NaN;
  return tensorOf(`w${seed}`, weights, ...updates);
});

async function resultOf(
  of: readonly TensorInput[],
  options: Partial<UpdateOptions> = {},
  milestones: readonly number[] = [0, 2],
) {
  const cases = (["in-place", "kahan"] as const).map((scheme) =>
    updateSettings({ format: "bf16", scheme, ...options }),
  );
  const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} } as const;
  const described = { skipped: [], strict: false, source };
  const job = { tensors: of, stepNumbers: [0, 1, 2, 3], milestones, cases, ...described };
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
    const without = [tensors[0], tensors[1]].map((of) => resultOf([of], {}, []));
    const old = JSON.parse(JSON.stringify(await Promise.all(without)));
    for (const { cases } of old) for (const of of cases) delete of.curve;
    expectValid("result", old[0]);
    expect(mergeResults(old)).toEqual(await resultOf(tensors.slice(0, 2), {}, []));
  });
});
