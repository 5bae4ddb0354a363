import { describe, expect, it } from "vitest";
import { originOf, type Values } from "../../../src/lens/input.js";
import { moduleOf } from "../../../src/lens/module.js";
import { elementsOf, models, modelTensors } from "../../../src/source/synthetic/models.js";
import { stratify } from "../../../src/source/synthetic/sample.js";
import { syntheticRun } from "../../../src/source/synthetic/synthetic-run.js";
import { student4 } from "../../../src/update/distribution.js";
import { steadyStateUpdates } from "../../../src/update/steady-state.js";
import { toBfloat16 } from "../../support/bfloat16.js";
import { syntheticSettings } from "../../support/synthetic.js";
import { sized } from "../../support/tier.js";
import { valuesOf } from "../../support/values.js";

type Run = Parameters<typeof syntheticSettings>[0];
type Others = Parameters<typeof syntheticSettings>[1];

const runOf = (run?: Run, others?: Others) => syntheticRun(syntheticSettings(run, others));
const model = models.get("qwen2.5-0.5b")!;
const sample = { model, elements: 40_000 };

async function read(values: Values): Promise<Float32Array> {
  const into = new Float32Array(values.length);
  await values.read(0, into);
  return into;
}

const meanSquare = (numbers: Float32Array, about = 0) =>
  numbers.reduce((sum, x) => sum + (x - about) ** 2, 0) / numbers.length;

describe("tensors", () => {
  it("one, or those of a model, or a sample of each", () => {
    const one = runOf({ steps: 3 }, { elements: 77 });
    expect(one.tensors.map(({ name, shape }) => [name, shape])).toEqual([["weights", [77]]]);
    expect([one.stepNumbers, one.sizes, one.description.parameters]).toEqual([[1, 2, 3], [77], 77]);
    const whole = modelTensors(model);
    const sizes = whole.map(({ shape }) => elementsOf(shape));
    const all = runOf({}, { model, elements: null });
    expect(all.tensors.map(({ name, shape }) => [name, shape])).toEqual(
      whole.map(({ name, shape }) => [name, shape]),
    );
    const some = runOf({}, sample);
    expect(some.tensors.map(({ shape }) => shape)).toEqual(stratify(sizes, 40_000).map((n) => [n]));
    for (const { tensors, sizes: told, description } of [all, some]) {
      expect(told).toEqual(sizes);
      expect(description).toMatchObject({ model: "qwen2.5-0.5b", parameters: 494_032_768 });
      for (const { weights, shape, updates } of tensors) {
        expect(weights.length).toBe(elementsOf(shape));
        expect(updates.map(({ length }) => length)).toEqual(Array(6).fill(weights.length));
      }
    }
  });

  it("a sample has the first weights and updates of each tensor", async () => {
    const tiny = { ...model, hidden: 8, layers: 1, heads: 1, keyValueHeads: 1, headSize: 8, vocabulary: 50 };
    const small = { ...tiny, intermediate: 16 };
    const others = { weightFormat: "fp32", scaleSpread: 0.5 };
    const all = runOf({ snr: 0.5 }, { ...others, model: small, elements: null });
    const some = runOf({ snr: 0.5 }, { ...others, model: small, elements: 200 });
    for (const [i, { weights, updates }] of some.tensors.entries()) {
      const { length } = weights;
      expect(await read(weights)).toEqual((await read(all.tensors[i].weights)).subarray(0, length));
      for (const t of [0, 5])
        expect(await read(updates[t])).toEqual((await read(all.tensors[i].updates[t])).subarray(0, length));
    }
  });

  it("refuses fewer elements than tensors", () => {
    expect(() => runOf({}, { model, elements: 289 })).toThrow(RangeError);
  });
});

describe("weights", () => {
  it("matrices have the sigma given, or the model's, and gains are about 1", async () => {
    for (const [sigma, expected] of [
      [null, 0.022],
      [0.5, 0.5],
    ] as const) {
      const { tensors, description } = runOf({}, { ...sample, sigma, weightFormat: "fp32" });
      expect(description.weights).toMatchObject({
        sigma: expected,
        distribution: "gaussian",
        format: "fp32",
      });
      const [embedding] = tensors;
      const n = embedding.weights.length;
      const found = Math.sqrt(meanSquare(await read(embedding.weights)));
      // A sigma is known to sigma / sqrt(2 n).
      expect(Math.abs(found / expected - 1)).toBeLessThan(4 / Math.sqrt(2 * n));
      let [square, gains] = [0, 0];
      for (const { name, weights } of tensors) {
        if (moduleOf(name).kind !== "norm") continue;
        square += meanSquare(await read(weights), 1) * weights.length;
        gains += weights.length;
      }
      expect(gains).toBeGreaterThan(40);
      expect(Math.abs(Math.sqrt(square / gains) / 0.1 - 1)).toBeLessThan(4 / Math.sqrt(2 * gains));
    }
    expect(runOf().description.weights?.sigma).toBe(0.028);
  });

  it("query and key matrices take the shape given, all others stay Gaussian", () => {
    const { tensors, description } = runOf({}, { ...sample, queryKeyShape: 1.13 });
    expect(description.weights?.queryKeyDistribution).toBe("weibull-1.13");
    for (const { name, weights } of tensors) {
      const headed = /\.(q|k)_proj\./.test(name);
      expect(originOf(weights, "weights")?.distribution.name).toBe(headed ? "weibull-1.13" : "gaussian");
    }
  });
});

describe("gradients", () => {
  const scaleOf = ({ updates }: ReturnType<typeof runOf>["tensors"][number]) =>
    originOf(updates[0], "simulated")!.of.gradientScale;

  it.each([
    [1, 1, 1],
    [0.25, 1, 0.25],
    [80, 1, 1],
    [80, null, 80],
    [80, 2.5, 2.5],
  ])("a norm of %s clipped at %s is %s over the whole model", (gradientNorm, clip, norm) => {
    for (const snr of [0, 0.5]) {
      for (const scaleSpread of [0, 1]) {
        const { tensors, sizes, description } = runOf(
          { snr },
          { ...sample, gradientNorm, clip, scaleSpread },
        );
        // Of each gradient the mean square is scale^2 (1 + snr^2).
        const square = tensors.reduce(
          (sum, tensor, i) => sum + sizes[i] * scaleOf(tensor) ** 2 * (1 + snr ** 2),
          0,
        );
        expect(Math.sqrt(square)).toBeCloseTo(norm, 10);
        expect(description.gradients).toEqual({ noise: "gaussian", snr, norm, scaleSpread });
      }
    }
  });

  it("that are drawn have that norm", async () => {
    const { tensors } = runOf({ snr: 1, noise: student4 }, { source: "gradients", elements: 2 ** 16 });
    const [{ updates }] = tensors;
    const square = meanSquare(await read(updates[0])) * 2 ** 16;
    // Heavy tails: of the table the fourth moment is below 20.
    expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(20 / 2 ** 16));
    expect(await read(updates[1])).not.toEqual(await read(updates[0]));
  });

  it("scales spread as asked, another way for another seed, and not at all without", () => {
    const logs = (seed: number, scaleSpread: number) =>
      runOf({ seed }, { ...sample, scaleSpread }).tensors.map((tensor) => Math.log(scaleOf(tensor)));
    const deviation = (numbers: readonly number[]) => {
      const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
      return Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
    };
    const spread = logs(1, 0.7);
    expect(Math.abs(deviation(spread) / 0.7 - 1)).toBeLessThan(4 / Math.sqrt(2 * spread.length));
    expect(logs(2, 0.7)).not.toEqual(spread);
    expect(new Set(logs(1, 0)).size).toBe(1);
  });
});

describe("updates", () => {
  it("settled ones come from one table, by a key of each step and tensor", async () => {
    const { tensors } = runOf(
      { optimizer: { lr: 3e-6, betas: [0.9, 0.95] } },
      { ...sample, source: "steady-state" },
    );
    const { noise } = syntheticSettings().run;
    const drawn = tensors.flatMap(({ updates }) => updates.map((values) => originOf(values, "quantiles")!));
    expect(new Set(drawn.map(({ table }) => table)).size).toBe(1);
    expect(drawn[0].table).toEqual(steadyStateUpdates(3e-6, [0.9, 0.95], noise));
    expect(new Set(drawn.map(({ key }) => key.join())).size).toBe(6 * tensors.length);
  });

  it("are told as they were made", () => {
    const optimizer = { lr: 2e-5, betas: [0.9, 0.95], eps: 1e-7, weightDecay: 0.1 } as const;
    const { description } = runOf(
      { optimizer, schedule: "cosine", warmup: 2, seed: 11 },
      { preset: "sft", source: "adamw" },
    );
    expect(description).toMatchObject({
      preset: "sft",
      model: null,
      source: "adamw",
      optimizer: { ...optimizer, schedule: "cosine", warmup: 2 },
      seed: 11,
    });
    const { lr, betas } = optimizer;
    expect(runOf({ optimizer: { lr, betas } }).description.optimizer).toMatchObject({
      eps: 1e-8,
      weightDecay: 0,
    });
  });
});

describe("given weights", () => {
  it("keep their names, shapes and sizes, and gradients of a norm over all of them", async () => {
    const given = [
      { name: "a", size: 100, shape: [2], weights: valuesOf([1, 2]) },
      { name: "b", size: 300, shape: [1, 3], weights: valuesOf([3, 4, 5]) },
    ];
    const { tensors, sizes, description } = syntheticRun(syntheticSettings({}, { gradientNorm: 0.5 }), given);
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ["a", [2]],
      ["b", [1, 3]],
    ]);
    expect(await read(tensors[1].weights)).toEqual(Float32Array.of(3, 4, 5));
    expect(sizes).toEqual([100, 300]);
    expect(description).toMatchObject({ weights: null, model: null, parameters: 400 });
    expect(originOf(tensors[0].updates[0], "simulated")!.of.gradientScale).toBeCloseTo(0.5 / 20, 12);
  });
});

// facts: with an fp32 master, P(change in a step) = E[min(1, |u| / ulp(w))], once what the master holds beyond the
// stored bits is spread evenly: at once, where weights are not stored as bf16 before the run.
describe.each(["adamw", "steady-state"] as const)(
  "the share of bf16 weights that a step of %s changes",
  (source) => {
    it.each([1e-6, 1e-5, 1e-4])("is the mean of min(1, |u| / ulp), at a rate of %s", async (lr) => {
      const [n, steps] = [sized({ quick: 2 ** 13, full: 2 ** 14 }), 12];
      const { tensors } = runOf(
        { steps, optimizer: { lr, betas: [0.9, 0.95], weightDecay: 0 } },
        { source, elements: n, weightFormat: "fp32", sigma: 0.02 },
      );
      const [{ weights, updates }] = tensors;
      const master = await read(weights);
      for (const [t, step] of updates.entries()) {
        const row = await read(step);
        let [changed, expected, variance] = [0, 0, 0];
        for (let i = 0; i < n; i++) {
          const before = toBfloat16(master[i]);
          const ulp = 2 ** (Math.floor(Math.log2(Math.abs(before))) - 7);
          const chance = Math.min(1, Math.abs(row[i]) / ulp);
          expected += chance;
          variance += chance * (1 - chance);
          master[i] += row[i];
          if (toBfloat16(master[i]) !== before) changed += 1;
        }
        expect(Math.abs(changed - expected), `step ${t + 1}`).toBeLessThanOrEqual(3.5 * Math.sqrt(variance));
        expect(changed).toBeGreaterThan(20);
      }
    });
  },
);
