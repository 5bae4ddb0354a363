import { describe, expect, it } from "vitest";
import { reference } from "../../src/engine/reference/reference.js";
import type { TensorInput } from "../../src/lens/input.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { blockLength } from "../../src/lens/sum.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import {
  adafactor,
  adamw,
  type CaseSettings,
  muon,
  type OptimizerState,
  recipeSettings,
  recipes,
  sgd,
} from "../../src/update/optimizer.js";
import { updateSettings } from "../../src/update/settings.js";
import { recorded } from "../support/recorded.js";
import { gaussianRun, tensorOf } from "../support/values.js";

type Settings = Parameters<typeof recipeSettings>[2];

/** One tensor by AdamW recipes: a gradient for each step. */
async function count(
  names: readonly string[],
  weights: readonly number[],
  gradients: readonly (readonly number[])[],
  settings: Omit<Settings, "format">,
) {
  const cases = names.map((name) => recipeSettings("adamw", name, { ...settings, format: "bf16" }));
  const tensors = [tensorOf("w", weights, ...gradients)];
  const tallies = await reference.run({ tensors, stepNumbers: gradients.map((_, i) => i), cases });
  return tallies.map(summarizeCase);
}

describe("recorded gradients", () => {
  it.each(["rlvr", "sft", "opd"])(
    "%s: the fp32 recipe makes the very updates that PyTorch recorded",
    async (run) => {
      const updates = await openRecording(await recordedRun(recorded(`${run}/early`)));
      const gradients = await openRecording(await recordedRun(recorded(`${run}/early`), "gradients"));
      const lr = Number(updates.metadata.updates.get("lr"));
      let differing = 0;
      let elements = 0;
      for (const [t, tensor] of gradients.tensors.entries()) {
        const read = async (values: (typeof tensor.updates)[number]) => {
          const numbers = new Float32Array(values.length);
          await values.read(0, numbers);
          return numbers;
        };
        const optimizer = adamw({ recipe: "fp32", format: "fp32", lr, betas: [0.9, 0.95] });
        let state = optimizer.init(await read(tensor.weights));
        for (const [i, gradient] of tensor.updates.entries()) {
          const before = state.values.p;
          state = optimizer.step(state, await read(gradient));
          const update = await read(updates.tensors[t].updates[i]);
          for (const [j, u] of update.entries()) {
            elements += 1;
            if (!Object.is(Math.fround(before[j] + u), state.values.p[j])) differing += 1;
          }
        }
      }
      await updates.close();
      await gradients.close();
      expect(elements).toBe(8 * 26048);
      expect(differing).toBe(0);
    },
  );

  it("rlvr: recipes count of gradients what schemes count of the recorded updates", async () => {
    const gradients = await openRecording(await recordedRun(recorded("rlvr/early"), "gradients"));
    const updates = await openRecording(await recordedRun(recorded("rlvr/early")));
    const { stepNumbers } = gradients;
    const count = async (all: readonly TensorInput[], cases: readonly CaseSettings[]) => {
      const tensors = all.filter(({ name }) => /^(embed|norm|lm_head|layers\.0\.q_proj)/.test(name));
      return (await reference.run({ tensors, stepNumbers, cases })).map(summarizeCase);
    };
    const byRecipe = await count(
      gradients.tensors,
      ["fp32", "master"].map((name) =>
        recipeSettings("adamw", name, { lr: 1e-5, betas: [0.9, 0.95], format: "bf16" }),
      ),
    );
    const byScheme = await count(updates.tensors, [
      updateSettings({ format: "fp32" }),
      updateSettings({ format: "bf16", scheme: "master" }),
    ]);
    await Promise.all([gradients.close(), updates.close()]);
    for (const [c, expected] of byScheme.entries()) {
      const { none, lost, kept, moved, effectiveDescent } = expected.totals;
      const { unchanged, neverUpdated, cancelled, hidden, returned } = expected.end;
      expect(byRecipe[c].totals).toMatchObject({ none, lost, kept, moved });
      expect(byRecipe[c].end).toMatchObject({ unchanged, neverUpdated, cancelled, hidden, returned });
      expect(byRecipe[c].totals.effectiveDescent).toBeCloseTo(effectiveDescent!, 12);
      expect(Math.min(none, lost + kept, moved, neverUpdated)).toBeGreaterThan(0);
    }
  });
});

describe("causes of standing still", () => {
  const lr = 1e-6;

  it("tells storage, a zero gradient and weight decay alone apart", async () => {
    const [found] = await count(["torch-2.13-cpu-for-loop"], [1, 1, 0], [[0.1, 0, 0]], {
      lr,
      weightDecay: 0.1,
    });
    expect(found.totals).toMatchObject({ none: 1, lost: 2, moved: 0 });
    expect(found.causes).toEqual({ gradient: 1, weightDecay: 1, momentUnderflow: 0, epsilon: 0, storage: 1 });
  });

  it("tells an underflow of the moment", async () => {
    const [found] = await count(["torch-2.13-cpu-for-loop"], [1e-3], [[2 ** -133]], { lr });
    expect(found.causes).toMatchObject({ momentUnderflow: 1, storage: 0 });
  });

  it("tells epsilon: a gradient far below it would show without", async () => {
    const settings = { lr: 1e-2, eps: 1e-8 };
    const [found] = await count(["torch-2.13-cpu-for-loop"], [1], [[1e-12]], settings);
    expect(found.totals.moved).toBe(0);
    expect(found.causes).toMatchObject({ epsilon: 1, storage: 0 });
    const [shown] = await count(["torch-2.13-cpu-for-loop"], [1], [[1e-12]], { ...settings, eps: 1e-20 });
    expect(shown.totals.moved).toBe(1);
  });

  it("has one cause for every weight-step that did not move", async () => {
    const gradients = [1, 2, 3].map((seed) =>
      Array.from({ length: 64 }, (_, i) => Math.sin(i * seed) * 10 ** -(i % 14)),
    );
    const weights = Array.from({ length: 64 }, (_, i) => Math.cos(i) / 10);
    const cases = await count([...recipes.adamw.keys()], weights, gradients, { lr: 1e-4, weightDecay: 0.01 });
    expect(cases).toHaveLength(recipes.adamw.size);
    for (const { totals, causes, moments } of cases) {
      const sum = Object.values(causes ?? {}).reduce((total, n) => total + n, 0);
      expect(sum).toBe(totals.none + totals.lost + totals.kept);
      for (const { none, lost, kept, moved, nonfinite } of moments) {
        expect(none + lost + kept + moved + nonfinite).toBe(3 * 64);
      }
    }
  });
});

describe("moments have a lens too", () => {
  it("v never decays in bf16 at beta2 = .999: every update of it is lost once gradients stop", async () => {
    const gradients = [[1], ...Array.from({ length: 50 }, () => [0])];
    const names = ["torch-2.13-cpu-foreach", "torch-2.13-cpu-for-loop", "collage-plus", "master"];
    const cases = await count(names, [1], gradients, { lr: 1e-6 });
    const v = cases.map(({ moments }) => moments[1]);
    expect(v[0]).toMatchObject({ name: "v", moved: 1, lost: 50 });
    expect(v[1]).toMatchObject({ name: "v", moved: 1, lost: 50 });
    // Collage-plus keeps it in a second term, fp32 shows it.
    expect(v[2].lost).toBe(0);
    expect(v[3]).toMatchObject({ moved: 51, lost: 0 });
  });

  it("m decays all the same: .9 is far from 1", async () => {
    const [{ moments }] = await count(["torch-2.13-cpu-for-loop"], [1], [[1], [0], [0]], { lr: 1e-6 });
    expect(moments[0]).toMatchObject({ name: "m", moved: 3, lost: 0 });
  });
});

it("what a recipe's tail takes is at the end of the tensor, not of a chunk", async () => {
  const settings = { lr: 0.01, betas: [0.9, 0], weightDecay: 0.1, format: "bf16" } as const;
  const { weights, updates: gradients } = gaussianRun(1, 2 * blockLength + 61, 3, 0.1);
  const optimizer = sgd({ recipe: "torch-2.13-cpu-foreach", ...settings });
  const expected = gradients.reduce((state, g) => optimizer.step(state, g), optimizer.init(weights)).values.p;
  const found = new Float32Array(weights.length);
  const job = {
    tensors: [tensorOf("w", weights, ...gradients)],
    stepNumbers: [0, 1, 2],
    cases: [recipeSettings("sgd", "torch-2.13-cpu-foreach", settings)],
    chunk: blockLength,
  };
  await reference.run(job, { weights: (_case, _tensor, start, piece) => found.set(piece, start) });
  expect(found).toEqual(expected);
  // Whole blocks of 32 end at 2 x 4096 + 32: without their tail three more weights would change the last ones.
  const longer = [weights, ...gradients].map((numbers) => [...numbers, 0, 0, 0]);
  const [start, ...more] = longer;
  const without = more.reduce((state, g) => optimizer.step(state, g), optimizer.init(start)).values.p;
  const unlike = expected.findIndex((weight, i) => weight !== without[i]);
  expect(unlike).toBeGreaterThanOrEqual(2 * blockLength + 32);
});

describe("a recipe that takes whole tensors", () => {
  const settings = { lr: 0.01, weightDecay: 0.1, format: "bf16" } as const;
  const shape = [80, 64];
  const { weights, updates: gradients } = gaussianRun(2, 80 * 64, 2, 0.1);

  async function counted(optimizer: "adamw" | "muon" | "adafactor", names: readonly string[]) {
    const found = names.map(() => new Float32Array(weights.length));
    const cases = names.map((name) => recipeSettings(optimizer, name, settings));
    const tensors = [{ ...tensorOf("w", weights, ...gradients), shape }];
    const job = { tensors, stepNumbers: [0, 1], cases, chunk: blockLength };
    const tallies = await reference.run(job, {
      weights: (c, _tensor, start, piece) => found[c].set(piece, start),
    });
    return { found, results: tallies.map(summarizeCase) };
  }

  it.each([
    ["adamw", adamw, ["bnb-adamw8bit", "master"]],
    ["muon", muon, ["muon", "fp32"]],
    ["adafactor", adafactor, ["transformers-adafactor", "fp32"]],
  ] as const)(
    "%s: stores what the optimizer stores, whatever the chunks, and counts it",
    async (optimizerName, by, names) => {
      const { found, results } = await counted(optimizerName, names);
      for (const [c, name] of names.entries()) {
        const optimizer = by({ recipe: name, ...settings });
        let state: OptimizerState = optimizer.init(weights, shape);
        for (const gradient of gradients) state = optimizer.step(state, gradient);
        expect(found[c]).toEqual(state.values.p);
        const { none, lost, kept, moved, nonfinite } = results[c].totals;
        expect([none + lost + kept + moved, nonfinite]).toEqual([2 * weights.length, 0]);
        expect(moved).toBeGreaterThan(0);
      }
      const fp32 = results[names.indexOf("fp32" as never)];
      if (fp32) expect(fp32.end.retained).toBeCloseTo(1, 6);
    },
  );

  it("takes no part of one", async () => {
    const cases = [recipeSettings("muon", "muon", settings)];
    const tensors = [{ ...tensorOf("w", [1, 2, 3], [1, 1, 1]), shape: [2, 2] }];
    await expect(reference.run({ tensors, stepNumbers: [0], cases })).rejects.toThrow(
      "expected whole tensors, found 3 elements of w, which has shape 2 x 2",
    );
  });
});

describe("where recipes part", () => {
  it("is counted against the first of the same format", async () => {
    const gradients = Array.from({ length: 20 }, () => [0.1, -0.3]);
    const names = ["torch-2.13-cpu-for-loop", "master", "torch-2.13-cpu-for-loop", "fp32"];
    const [first, master, twin, fp32] = await count(names, [0.02, 1e-4], gradients, { lr: 1e-5 });
    expect(first.end.parted).toBe(0);
    expect(twin.steps.every(({ parted }) => parted === 0)).toBe(true);
    expect(master.end.parted).toBeGreaterThan(0);
    expect(master.steps.at(-1)?.parted).toBe(master.end.parted);
    expect(fp32.end.parted).toBeNull();
  });
});
