import { afterAll, describe, expect, it, vi } from "vitest";
import type { Engine, LensJob } from "../../../src/engine/engine.js";
import { hardRecipeJob } from "../../../src/engine/hard-recipes.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { takenBy } from "../../../src/engine/wasm/admission.js";
import { runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { format } from "../../../src/format/registry.js";
import { round } from "../../../src/format/round.js";
import type { TensorInput, Values } from "../../../src/lens/input.js";
import { blockLength } from "../../../src/lens/sum.js";
import { type RecipeSettings, recipeSettings, recipes } from "../../../src/update/optimizer.js";
import type { OptimizerName, OptimizerSettings } from "../../../src/update/recipe/recipe.js";
import { expectGoldenWeights } from "../../support/golden-engine.js";
import { filesIn } from "../../support/golden-steps.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { sized } from "../../support/tier.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

afterAll(() => wasm.close!());

const settings: OptimizerSettings = { lr: 1e-4, eps: 1e-8, weightDecay: 0.01 };
const named = (Object.keys(recipes) as OptimizerName[]).flatMap((optimizer) =>
  [...recipes[optimizer].values()]
    .filter(({ whole }) => whole === undefined)
    .map(({ name }) => [optimizer, name] as const),
);

describe("recipes, as the reference has them", () => {
  // Formats of three kinds in turn: as fp32 with fewer bits, with a subnormal range of its own, without Inf.
  const one = named.map(
    ([optimizer, name], i) => [optimizer, name, ["bf16", "fp16", "e4m3fn"][i % 3]] as const,
  );
  // Adam is AdamW but for a line, other frameworks' AdamW is made of the same operations, and so are torch's foreach
  // variants, whose bits the golden vectors have.
  const likeOthers =
    /^(adam |(adamw|sgd) torch-.*foreach|adamw (any.*[ns]|torch-1.13-cpu|transformer-engine-bf16-states)$)/;
  const some = one.filter(([optimizer, name]) => !likeOthers.test(`${optimizer} ${name}`));
  const all = named.flatMap(([optimizer, name]) =>
    ["bf16", "fp16", "e4m3fn", "tf32", "e5m2"].map((stored) => [optimizer, name, stored] as const),
  );

  it.each(sized({ quick: some, full: all }))(
    "%s %s in %s: every count, sum and bit on hard numbers, with settings that change",
    async (optimizer, name, stored) => {
      const cases = [recipeSettings(optimizer, name, { ...settings, format: stored, seed: 3 })];
      const job = { ...hardRecipeJob(cases[0]), cases };
      const [ours, theirs] = [await outcomeOf(wasm, job), await outcomeOf(reference, job)];
      expectEqual(ours, theirs);
      // The job says something: every class, and moments of every class that all of them can have.
      const { totals, end, moments } = theirs[0].result;
      expect(Math.min(totals.lost + totals.kept, totals.moved, totals.nonfinite)).toBeGreaterThan(0);
      // Where eps is zero in the format, a gradient of zero can give 0/0 and no update of zero.
      if (round(settings.eps!, format(stored)) > 0) expect(totals.none).toBeGreaterThan(0);
      expect(end.nonfinite).toBeGreaterThan(0);
      expect(Math.min(moments[0].none, moments[0].moved, moments[0].nonfinite)).toBeGreaterThan(0);
    },
  );

  it("several beside each other: where they part from the first, in two formats", async () => {
    const cases = [
      ...["torch-2.13-cpu-for-loop", "torch-2.13-cpu-fused", "master", "fp32"].map((name) =>
        recipeSettings("adamw", name, { ...settings, format: "bf16" }),
      ),
      recipeSettings("adamw", "kahan", { ...settings, format: "fp16" }),
    ];
    const hard = hardRecipeJob(cases[0]);
    const job = {
      ...hard,
      tensors: hard.tensors.slice(0, sized({ quick: 2, full: hard.tensors.length })),
      cases,
    };
    const theirs = await outcomeOf(reference, job);
    expectEqual(await outcomeOf(wasm, job), theirs);
    expect(theirs.map(({ result }) => result.end.parted)).toEqual([
      0,
      expect.any(Number),
      expect.any(Number),
      null,
      null,
    ]);
    expect(theirs[1].result.end.parted).toBeGreaterThan(0);
    expect(theirs[1].result.curve?.[0].parted ?? theirs[1].result.steps[1].parted).toBeGreaterThan(0);
  });

  it("weights that only fp64 holds are rounded once; no steps, no moments that moved", async () => {
    const given = [1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -8, 1 / 3, 2 ** -140 + 2 ** -160, 1e300, Number.NaN];
    const cases = ["torch-2.13-cpu-for-loop", "master", "kahan"].map((name) =>
      recipeSettings("adamw", name, { ...settings, format: "bf16" }),
    );
    for (const gradients of [[], [[1e-3, -1, 0, 1e-3, 2, 1]]]) {
      const job = {
        tensors: [tensorOf("w", given, ...gradients)],
        stepNumbers: gradients.map((_, i) => i),
        cases,
      };
      expectEqual(await outcomeOf(wasm, job), await outcomeOf(reference, job));
    }
  });
});

describe("on threads", () => {
  const shared = (numbers: Float32Array): Values => {
    const memory = new SharedArrayBuffer(numbers.byteLength);
    new Float32Array(memory).set(numbers);
    return {
      length: numbers.length,
      origin: { kind: "stored", of: { in: memory, byteOffset: 0, format: format("fp32") } },
      read: async (start, into) => into.set(numbers.subarray(start, start + into.length)),
    };
  };
  const onThreads: Pick<Engine, "run"> = {
    run: (job, observer) =>
      runThreaded({ ...job, cases: takenBy("wasm", job.cases), chunk: blockLength }, 2, observer),
  };
  const tensor = (name: string, seed: number, elements: number): TensorInput => {
    const { weights, updates } = gaussianRun(seed, elements, 3, 1e-3);
    return { ...tensorOf(name, weights), weights: shared(weights), updates: updates.map(shared) };
  };
  const jobOf = (cases: readonly RecipeSettings[]): LensJob => {
    const changing = [
      settings,
      { ...settings, lr: 1e-3, weightDecay: 0 },
      { ...settings, betas: [0.3, 0.4] as const },
    ];
    const recorded = sized({ quick: 900, full: 3000 });
    const [m, v] = gaussianRun(9, recorded, 2, 1e-3).updates;
    return {
      tensors: [
        tensor("plain", 1, sized({ quick: 1, full: 3 }) * blockLength + 61),
        { ...tensor("own settings", 2, 77), optimizer: { settings: changing, stepsTaken: 0, moments: {} } },
        {
          ...tensor("recorded moments", 3, recorded),
          optimizer: {
            settings: changing,
            stepsTaken: 7,
            moments: { M: shared(m), V: shared(v.map((x) => x * x)) },
          },
        },
      ],
      stepNumbers: [0, 1, 2],
      milestones: [0],
      cases,
    };
  };

  it.each<[OptimizerName, string[]]>([
    ["adamw", ["torch-2.13-cuda-foreach", "kahan", "torchao-stochastic"]],
    ["sgd", ["torch-2.13-cpu-for-loop", "master"]],
  ])("%s %o: chunks, tails at the end of tensors, recorded moments", async (optimizer, names) => {
    const job = jobOf(
      names.map((name) => recipeSettings(optimizer, name, { ...settings, format: "bf16", seed: 4 })),
    );
    expectEqual(await outcomeOf(onThreads, job), await outcomeOf(reference, job));
  });

  it("moments that threads cannot read are read here, and their tensor is taken here", async () => {
    const cases = [recipeSettings("adamw", "torch-2.13-cpu-fused", { ...settings, format: "bf16" })];
    const job = jobOf(cases);
    const [, , recorded] = job.tensors;
    const { origin: _, ...elsewhere } = recorded.optimizer!.moments.M!;
    const moments = { ...recorded.optimizer!.moments, M: elsewhere };
    const tensors = [job.tensors[0], { ...recorded, optimizer: { ...recorded.optimizer!, moments } }];
    expectEqual(await outcomeOf(wasm, { ...job, tensors }), await outcomeOf(reference, { ...job, tensors }));
  });
});

describe("torch's own bits", () => {
  const files = ["adamw", "cuda", "tail", "torch-1.13"].flatMap((folder) =>
    filesIn(folder).map((file) => `${folder}/${file}`),
  );
  const trained = files.filter(
    (path) => path.endsWith(".safetensors") && !path.includes("sgd-bf16-cpu-fused"),
  );

  it("there are all of the vectors", () => expect(trained).toHaveLength(12 + 33 + 10 + 6));

  it.each(trained)("%s: p after one step, and at the end", async (path) => {
    await expectGoldenWeights(wasm, path, [1, 10]);
  });
});

describe("a planted fault is refused", () => {
  // Each right but for the last bit, now and then.
  const telling: Plant = [
    "a fused sum of two roundings",
    "torch-2.13-cpu-fused",
    () =>
      vi.doMock("../../../src/engine/wasm/kernel/fma.js", () => ({
        fma: (k: Writer, a: never, b: never, c: never) => k.f32x4.add(k.f32x4.mul(a, b), c),
      })),
  ];
  const others: readonly Plant[] = [
    [
      "a quotient by way of the reciprocal",
      "torch-2.13-cuda-foreach",
      () => plantInWriter((k) => ({ div: (a, b) => k.mul(a, k.div(k.constant(1), b)) })),
    ],
    [
      "a root that is rounded by way of its reciprocal",
      "torch-2.13-cuda-fused",
      () => plantInWriter((k) => ({ sqrt: (x) => k.mul(x, k.div(k.constant(1), k.sqrt(x))) })),
    ],
  ];
  it.each(sized({ quick: [telling], full: [telling, ...others] }))("%s", async (_, recipe, plant) => {
    const cases = [recipeSettings("adamw", recipe, { ...settings, format: "fp16" })];
    vi.resetModules();
    plant();
    try {
      // All from the modules in which the fault is.
      const faulty = (await import("../../../src/engine/wasm/wasm.js")).wasm;
      const twins = await import("../../../src/engine/twin-check.js");
      const right = (await import("../../../src/engine/reference/reference.js")).reference;
      expect(await twins.agrees(faulty, right, cases)).toBe(false);
      const { failed, firstFailure } = await faulty.selfCheck(cases);
      expect(failed).toBe(1);
      expect(firstFailure).toContain(`"name":"${recipe}"`);
    } finally {
      vi.doUnmock("../../../src/engine/wasm/kernel/fma.js");
      vi.doUnmock("../../../src/engine/wasm/assembler/function.js");
      vi.resetModules();
    }
  });
});

type Plant = readonly [what: string, recipe: string, plant: () => void];

type Writer = import("../../../src/engine/wasm/assembler/function.js").FunctionWriter;

/** Has the instructions of fp32 numbers written otherwise. */
function plantInWriter(wrong: (right: Writer["f32x4"]) => Partial<Writer["f32x4"]>): void {
  const module = "../../../src/engine/wasm/assembler/function.js";
  vi.doMock(module, async () => {
    const right =
      await vi.importActual<typeof import("../../../src/engine/wasm/assembler/function.js")>(module);
    class Planted extends right.FunctionWriter {
      constructor(...args: ConstructorParameters<typeof right.FunctionWriter>) {
        super(...args);
        Object.assign(this, { f32x4: { ...this.f32x4, ...wrong(this.f32x4) } });
      }
    }
    return { ...right, FunctionWriter: Planted };
  });
}
