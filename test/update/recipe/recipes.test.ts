/** Every recipe beside its second derivation. */

import { describe, expect, it } from "vitest";
import { format } from "../../../src/format/registry.js";
import {
  adam,
  adamw,
  lion,
  type OptimizerOptions,
  recipe,
  recipes,
  sgd,
} from "../../../src/update/optimizer.js";
import { intended } from "../../../src/update/recipe/intended.js";
import { type OptimizerName, verifiedIn } from "../../../src/update/recipe/recipe.js";
import { RecipeStep } from "../../../src/update/recipe/recipe-step.js";
import { toBfloat16 } from "../../support/bfloat16.js";
import { random32 } from "../../support/bits.js";
import { Mismatches } from "../../support/mismatches.js";
import {
  adamwInFp32,
  debiased,
  f,
  fma,
  lerp,
  lionInFp32,
  type Settings,
  type State,
  type Step,
  sgdInFp32,
} from "../../support/recipes-by-hand.js";
import { derivations, meantElsewhere } from "../../support/recipes-of-frameworks.js";

/** Sizes that training has, both signs, zero, subnormals, near powers of two, not on any bf16 grid. */
const weights = [0, -0, 1, -0.02, 0.999, 1.0039, -1.9961, 3.3e-5, -1e-20, 1e-39, -250.7];
/** A gradient for each step: steady, turning, stopping, shrinking, growing, too small for bf16, too small to square. */
const histories = [
  [0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  [-0.3, 0.29, -0.31, 0.3, -0.28, 0.33],
  [1.7, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0],
  [0, 0, 0.013, 0.011, 0, -0.5],
  [3.1e-3, 2.9e-4, 3.3e-5, -2.7e-6, 1e-7, 1e-9],
  [-1e-9, 1.3e-7, 1.1e-5, 1.7e-3, -0.23, 31.7],
  [1e-12, -1e-12, 2e-12, 1e-11, 0, 1e-12],
  [2 ** -133, 2 ** -130, 1e-39, 1e-30, 1e-22, -1e-21],
  [1.00390625, 1.01171875, -1.00390625, 0.998, 1.003, 1.0117],
];
/** Of the defaults; of large steps, where weight decay shows; of betas that take the other branch of lerp. */
const allSettings: readonly Settings[] = [
  { lr: 1e-3, b1: 0.9, b2: 0.999, eps: 1e-8, wd: 0 },
  { lr: 3e-2, b1: 0.9, b2: 0.95, eps: 1e-6, wd: 0.3 },
  { lr: 1e-5, b1: 0.35, b2: 0.4, eps: 1e-3, wd: 0.01 },
];
const elements = weights.flatMap((weight, i) =>
  histories.filter((_, j) => (i + j) % 3 === 0).map((history) => ({ weight, history })),
);
const steps = histories[0].length;

const make = { adamw, adam, sgd, lion, muon: adamw, adafactor: adamw };
const names = (Object.keys(derivations) as OptimizerName[]).flatMap((optimizer) =>
  Object.keys(derivations[optimizer]).map((name) => ({ optimizer, name })),
);

it("every recipe has a second derivation, those of whole tensors in whole.test.ts", () => {
  const known = (Object.keys(recipes) as OptimizerName[]).flatMap((optimizer) =>
    [...recipes[optimizer].values()]
      .filter(({ whole }) => whole === undefined)
      .map(({ name }) => `${optimizer} ${name}`),
  );
  expect(names.map(({ optimizer, name }) => `${optimizer} ${name}`).sort()).toEqual(known.sort());
});

it.each(names)(
  "$optimizer $name says what it stands for, and how that was checked",
  ({ optimizer, name }) => {
    const chosen = recipe(optimizer, name);
    expect(chosen.of).toMatch(/\w{4}/);
    // What torch was compared with is in golden.test.ts.
    const compared = /^bit for bit (with torch (1\.13|2\.1[13])|in parts: decay as SGD.* AdamW)/;
    const isCompared = /torch-/.test(name) && !(optimizer === "adam" && name.endsWith("fused"));
    if (isCompared) expect(chosen.verified).toMatch(compared);
    else expect(chosen.verified).toBe(["fp32", "master"].includes(name) ? "by definition" : null);
    expect(chosen.source).toMatch(/^[\w-]+\/[\w-]+ [\w./-]+\.(py|cpp|cu|cuh)|arXiv/);
    expect(chosen.releases).toMatch(/^(\d|any|main|not pinned|the paper)/);
  },
);

it("Adam's recipes say that they are of Adam, from which source, and how they were compared", () => {
  const told = Object.fromEntries(
    [...recipes.adam.values()].map(({ name, of: subject, source, verified, comparedIn }) => {
      expect(subject).not.toContain("AdamW");
      return [name, [source.replace("pytorch/pytorch ", ""), verified, comparedIn]];
    }),
  );
  const inParts = (what: string) => [
    "torch/optim/adam.py",
    `bit for bit in parts: decay as SGD${what}`,
    ["bf16"],
  ];
  const onCpu = inParts(" with torch 2.11.0+cu130 on a CPU, the rest as AdamW with torch 2.13.0+cpu");
  const onH100 = inParts(", the rest as AdamW, with torch 2.11.0+cu130 on an H100");
  const byDefinition = ["torch/optim/adam.py", "by definition", undefined];
  expect(told).toEqual({
    "torch-2.13-cpu-for-loop": onCpu,
    "torch-2.13-cpu-foreach": onCpu,
    "torch-2.13-cpu-fused": ["aten/src/ATen/native/cpu/FusedAdamKernel.cpp", null, ["bf16"]],
    "torch-2.13-cuda-for-loop": onH100,
    "torch-2.13-cuda-foreach": onH100,
    "torch-2.13-cuda-fused": ["aten/src/ATen/native/cuda/fused_adam_utils.cuh", null, ["bf16", "fp16"]],
    "torch-2.13-cuda-capturable": onH100,
    fp32: byDefinition,
    master: byDefinition,
    "torch-1.13-cpu": ["torch/optim/adam.py", "bit for bit with torch 1.13.1 on a CPU, ten steps", ["bf16"]],
  });
  expect(recipe("adam", "torch-2.13-cuda-foreach").of).toContain("torch.optim.Adam(");
});

it("AdamW's recipes say since when torch has their lines, and that roots of fp32 states differ by machine", () => {
  expect(recipe("adamw", "torch-2.13-cpu-for-loop").releases).toContain("pytorch#104796");
  const remarks = [...recipes.adamw.values()].flatMap(({ remark }) => remark ?? []);
  expect(
    remarks.some((remark) => /^On fp32 tensors .* by machine.*1\.4 %.*none of it shows\.$/.test(remark)),
  ).toBe(true);
});

it("is verified in the formats in which it was compared, not in others", () => {
  const inFormats = (name: string) =>
    ["bf16", "fp16", "e4m3fn"].map((formatName) => verifiedIn(recipe("adamw", name), formatName) !== null);
  expect(inFormats("torch-2.13-cpu-fused")).toEqual([true, false, false]);
  expect(inFormats("torch-2.13-cuda-fused")).toEqual([true, true, false]);
  expect(inFormats("master")).toEqual([true, true, true]);
  expect(inFormats("kahan")).toEqual([false, false, false]);
});

describe.each(names)("$optimizer $name", ({ optimizer, name }) => {
  it.each(allSettings)(
    "has the bits of its second derivation, lr $lr, betas $b1 $b2, decay $wd",
    (settings) => {
      const { lr, b1, b2, eps, wd } = settings;
      const random = random32(1);
      const options: OptimizerOptions = { recipe: name, lr, betas: [b1, b2], eps, weightDecay: wd, random };
      const runs = make[optimizer](name === "fp32" ? { ...options, format: "fp32" } : options);
      let state = runs.init(elements.map(({ weight }) => weight));
      const states = elements.map((_, i) =>
        Object.fromEntries(Object.entries(state.values).map(([stateName, values]) => [stateName, values[i]])),
      );
      const derive: Step = derivations[optimizer][name];
      const bits = random32(1);
      const mismatches = new Mismatches();
      for (const [i, { weight }] of elements.entries()) {
        const stored = name === "fp32" ? f(weight) : toBfloat16(f(weight));
        for (const [stateName, value] of Object.entries(states[i])) {
          const expected = stateName === "p" ? stored : stateName === "P" ? f(weight) : 0;
          mismatches.compare(value, expected, () => `${stateName} of ${weight} at the start`);
        }
      }
      for (let t = 1; t <= steps; t++) {
        state = runs.step(
          state,
          elements.map(({ history }) => f(history[t - 1])),
        );
        for (const [i, { weight, history }] of elements.entries()) {
          const isLeftOver = i >= elements.length - (elements.length % 32);
          states[i] = derive(states[i], f(history[t - 1]), t, settings, bits, isLeftOver);
          for (const [stateName, expected] of Object.entries(states[i])) {
            const told = () => `${stateName} of ${weight} after ${history.slice(0, t)}`;
            mismatches.compare(state.values[stateName][i], expected, told);
          }
        }
      }
      mismatches.expectNone();
      expect(state.t).toBe(steps);
    },
  );
});

/** The update that is meant, from a weight and moments in fp32. */
const meant: Readonly<Record<string, Step>> = {
  ...meantElsewhere,
  adamw: ({ P, M, V }, g, t, settings) => {
    const next = adamwInFp32(P, M, V, g, t, settings);
    return adamwParts(P, next.M, next.V, next.d, next.step, settings);
  },
  kahan: ({ P, M, V }, g, t, settings) => {
    const [beta1, beta2] = [debiased(settings.b1, t), debiased(settings.b2, t)];
    const first = lerp(M, g, f(1 - beta1));
    const second = fma(f(f(1 - beta2) * g), g, f(V * f(beta2)));
    return adamwParts(P, first, second, f(Math.sqrt(second)), f(-settings.lr), settings);
  },
  sgd: ({ P, M }, g, t, settings) => {
    const velocity = sgdInFp32(P, M, g, t, settings).M;
    const u = f(f(-settings.lr) * velocity);
    return { M: velocity, shrink: 0, adaptive: u, u, unguarded: u };
  },
  lion: ({ P, M }, g, _, settings) => {
    const adaptive = f(f(-settings.lr) * Math.sign(fma(f(1 - settings.b1), f(g - M), M)));
    const shrink = f(f(-(settings.lr * settings.wd)) * P);
    const u = f(adaptive + shrink);
    return { M: lionInFp32(P, M, g, settings).M, shrink, adaptive, u, unguarded: u };
  },
};

function adamwParts(
  P: number,
  M: number,
  V: number,
  d: number,
  step: number,
  { lr, eps, wd }: Settings,
): State {
  const shrink = f(f(-(lr * wd)) * P);
  const adaptive = f(f(step * M) / f(d + f(eps)));
  return { M, V, shrink, adaptive, u: f(adaptive + shrink), unguarded: f(f(f(step * M) / d) + shrink) };
}

describe.each([
  ["adamw", "adamw", "torch-2.13-cpu-for-loop"],
  ["kahan", "adamw", "kahan"],
  ["sgd", "sgd", "master"],
  ["lion", "lion", "lion-pytorch"],
  ["heavyball", "adamw", "heavyball-stochastic"],
  ["adam", "adam", "torch-2.13-cuda-fused"],
] as const)("the intended step of %s", (name, optimizer, recipeName) => {
  it.each(allSettings)(
    "has the bits of its second derivation, lr $lr, betas $b1 $b2, decay $wd",
    (settings) => {
      const { lr, b1, b2, eps, wd } = settings;
      const optimizerSettings = { lr, betas: [b1, b2], eps, weightDecay: wd } as const;
      const step = new RecipeStep(
        intended(recipe(optimizer, recipeName)),
        optimizerSettings,
        format("fp32"),
        () => 0,
      );
      const mismatches = new Mismatches();
      for (const { weight, history } of elements) {
        let [M, V] = [0, 0];
        for (let t = 1; t <= steps; t++) {
          const [P, g] = [f(weight), f(history[t - 1])];
          step.begin(t);
          for (const [register, value] of Object.entries({ P, M, V, g })) {
            step.registers[step.register(register)] = value;
          }
          step.apply();
          const expected = meant[name]({ P, M, V }, g, t, settings, () => 0, false);
          for (const [register, value] of Object.entries(expected)) {
            const told = () => `${register} of ${weight} after ${history.slice(0, t)}`;
            mismatches.compare(step.registers[step.register(register)], value, told);
          }
          [M, V] = [expected.M, expected.V ?? 0];
        }
      }
      mismatches.expectNone();
    },
  );
});
