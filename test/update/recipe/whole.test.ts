/** Recipes that need more than one weight at a time, beside their second derivations. */

import { describe, expect, it } from "vitest";
import { namesRead } from "../../../src/engine/lane/recipe.js";
import { adafactor, adamw, muon, recipe, recipes } from "../../../src/update/optimizer.js";
import { dynamicMap } from "../../../src/update/recipe/bitsandbytes.js";
import { parseAssignment } from "../../../src/update/recipe/expression.js";
import { intended } from "../../../src/update/recipe/intended.js";
import { orthogonalize } from "../../../src/update/recipe/muon.js";
import type { OptimizerName, Recipe } from "../../../src/update/recipe/recipe.js";
import { stateNames } from "../../../src/update/recipe/recipe-step.js";
import { elementsOf, sidesOf } from "../../../src/update/recipe/whole.js";
import { toBfloat16 as R } from "../../support/bfloat16.js";
import { random32 } from "../../support/bits.js";
import { numbersOf } from "../../support/golden-steps.js";
import { Mismatches } from "../../support/mismatches.js";
import { f, fma, lerp, powf } from "../../support/recipes-by-hand.js";
import { readGolden } from "../../support/safetensors.js";

const whole = (Object.keys(recipes) as OptimizerName[]).flatMap((optimizer) =>
  [...recipes[optimizer].values()].filter((recipe) => recipe.whole),
);

/** Numbers of both signs and of twelve sizes. */
function numbers(length: number, seed: number, size = 1): Float32Array {
  const draw = random32(seed);
  return Float32Array.from({ length }, () => {
    const bits = draw();
    return (bits % 2 === 0 ? size : -size) * (1 + (bits >>> 8) / 2 ** 24) * 2 ** -((bits >>> 2) % 12);
  });
}

it("lines after the whole tensor read nothing that is another weight's", () => {
  expect(whole.map(({ optimizer, name }) => `${optimizer} ${name}`)).toEqual([
    "adamw bnb-adamw8bit",
    ...["muon", "fp32", "master"].map((name) => `muon ${name}`),
    ...["transformers-adafactor", "fp32", "master"].map((name) => `adafactor ${name}`),
  ]);
  for (const wholeRecipe of whole) {
    const scalars = wholeRecipe.scalars.map((line) => parseAssignment(line).target);
    const known = [
      ...scalars,
      "wd",
      ...stateNames(wholeRecipe),
      ...wholeRecipe.whole!.reads,
      ...wholeRecipe.whole!.writes,
    ];
    expect(namesRead(wholeRecipe.after ?? []).filter((name) => !known.includes(name))).toEqual([]);
  }
});

it.each(whole)("$optimizer $name says what it stands for, and how that was checked", (wholeRecipe) => {
  const { name, of: what, source, releases, verified } = wholeRecipe;
  expect(what).toMatch(/\w{4}/);
  expect(source).toMatch(/^[\w-]+\/[\w-]+ [\w./-]+\.(py|cu)/);
  expect(releases).toMatch(/^main/);
  expect(verified).toBe(["fp32", "master"].includes(name) ? "by definition" : null);
});

it("a whole tensor says how much of it must be together, and what is read and written between the lines", () => {
  const partOf = ({ whole: part }: Pick<Recipe, "whole">) => {
    const { needs, what, reads, writes } = part!;
    return { needs, what, reads, writes };
  };
  const matrices = { needs: "tensor", what: "whole matrices" };
  const expected: Readonly<Record<string, object>> = {
    adamw: { needs: 256, what: "blocks of 256", reads: ["M", "V"], writes: [] },
    muon: { ...matrices, reads: ["n"], writes: ["o"] },
    adafactor: { ...matrices, reads: ["g", "r", "c", "V"], writes: ["o"] },
  };
  for (const each of whole) expect(partOf(each)).toEqual(expected[each.optimizer]);
  for (const name of ["muon", "adafactor"] as const) {
    expect(partOf(intended(recipe(name, "master")))).toEqual(expected[name]);
  }
});

it("the sides of a tensor: columns are the last dimension, rows all others", () => {
  expect(
    [[], [5], [2, 3], [2, 3, 5], [3, 0], [0, 3]].map((shape) => [elementsOf(shape), sidesOf(shape)]),
  ).toEqual([
    [1, [1, 1]],
    [5, [1, 5]],
    [6, [2, 3]],
    [30, [6, 5]],
    [0, [0, 0]],
    [0, [0, 3]],
  ]);
});

describe("bnb-adamw8bit", () => {
  const settings = { lr: 1e-3, betas: [0.9, 0.99] as const, eps: 1e-8, weightDecay: 0.1 };
  const elements = 4096 + 100;
  const gradients = [1, 2, 3].map((seed) => numbers(elements, seed, 1e-2));

  /** A moment as its block stores it: the nearest of the table, a tie to the even code, and of m one of its own sign. */
  function quantized(moment: Float32Array, signed: boolean): Float32Array {
    const table = Array.from(dynamicMap(signed));
    const middles = table.slice(1).map((each, code) => f(f(table[code] + each) / 2));
    const isNegative = (x: number) => x < 0 || Object.is(x, -0);
    const stored = new Float32Array(moment.length);
    for (let start = 0; start < moment.length; start += 256) {
      const block = moment.subarray(start, start + 256);
      const largest = Math.max(...block.map(Math.abs));
      for (const [i, x] of block.entries()) {
        const y = f(x / largest);
        const passed = middles.filter(
          (middle, code) => y > middle || (y === middle && code % 2 === 1),
        ).length;
        const code =
          signed && isNegative(table[passed]) !== isNegative(x) ? passed + (x > 0 ? 1 : -1) : passed;
        stored[start + i] = f(table[code] * largest);
      }
    }
    return stored;
  }

  it("has the bits of its second derivation, and keeps small tensors in fp32", () => {
    for (const length of [elements, 300]) {
      const run = adamw({ recipe: "bnb-adamw8bit", ...settings });
      let state = run.init(numbers(length, 9, 0.05));
      let { p, M, V } = state.values;
      const mismatches = new Mismatches();
      for (const [i, all] of gradients.entries()) {
        const [t, gradient] = [i + 1, all.subarray(0, length)];
        state = run.step(state, gradient);
        const [beta1, beta2] = settings.betas.map(f);
        const root = f(Math.sqrt(f(1 - powf(beta2, t))));
        const step = f(f(f(-settings.lr) * root) / f(1 - powf(beta1, t)));
        const g = gradient.map(R);
        M = M.map((m, j) => fma(m, beta1, f(f(1 - beta1) * g[j])));
        V = V.map((v, j) => fma(v, beta2, f(f(f(1 - beta2) * g[j]) * g[j])));
        const d = V.map((v) => fma(root, f(settings.eps), f(Math.sqrt(v))));
        p = p.map((x, j) => R(f(R(fma(step, f(M[j] / d[j]), x)) * f(1 - f(f(settings.lr) * f(0.1))))));
        if (length >= 4096) [M, V] = [quantized(M, true), quantized(V, false)];
        for (const [name, values] of Object.entries({ p, M, V })) {
          for (const [j, x] of values.entries()) {
            mismatches.compare(state.values[name][j], x, () => `${name} ${j} of ${length}, step ${t}`);
          }
        }
      }
      mismatches.expectNone();
    }
  });

  it("a gradient that is not finite changes no weight and clears its moments", () => {
    const run = adamw({ recipe: "bnb-adamw8bit", ...settings });
    const gradient = gradients[0].slice();
    [gradient[5], gradient[6]] = [Infinity, Number.NaN];
    const start = run.init(numbers(elements, 9, 0.05));
    const { p, M, V } = run.step(start, gradient).values;
    expect([p[5], p[6]]).toEqual([start.values.p[5], start.values.p[6]]);
    expect([M[5], M[6], V[5], V[6]].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });
});

describe("muon", () => {
  it.each([0, 1, 2])("the direction of matrix %i is torch's, bit for bit", (i) => {
    const golden = readGolden("muon/direction.safetensors");
    const read = (name: string) => Float32Array.from(golden.bfloat16(name), (code) => numbersOf.bf16[code]);
    const [rows, columns] = golden.shape(`n.${i}`);
    const found = orthogonalize(read(`n.${i}`), rows, columns);
    expect(found).toEqual(read(`o.${i}`));
    // Its singular values are near 1: the squares of all of them add up to about the shorter side.
    const square = found.reduce((sum, x) => sum + x * x, 0) / Math.min(rows, columns);
    expect(Math.abs(square - 1)).toBeLessThan(0.3);
  });

  it.each(["muon", "fp32", "master"])(
    "%s: momentum, direction, scale and step have the bits of a second derivation",
    (recipe) => {
      const shape = [12, 5] as const;
      const inFp32 = recipe === "fp32" || recipe === "master";
      const store = recipe === "fp32" ? f : R;
      for (const b1 of [0.95, 0.3]) {
        const run = muon({ recipe, lr: 0.02, betas: [b1, 0], weightDecay: 0.1 });
        let state = run.init(numbers(60, 4, 0.05), shape);
        let weight: Float32Array = inFp32 ? state.values.P : state.values.p;
        let moment: Float32Array = new Float32Array(60);
        for (const t of [1, 2, 3]) {
          const gradient = numbers(60, 10 + t, 1e-2);
          state = run.step(state, gradient);
          const cast = inFp32 ? f : R;
          const g = gradient.map(cast);
          moment = moment.map((m, i) => cast(lerp(m, g[i], f(1 - b1))));
          const toward = moment.map((m, i) => cast(lerp(g[i], m, f(b1))));
          const direction = orthogonalize(toward, ...shape).map((x) => R(f(x * f(Math.sqrt(12 / 5)))));
          const shrunk = (x: number) => f(x * f(1 - 0.02 * 0.1));
          weight = weight.map((x, i) => cast(fma(-f(0.02), direction[i], cast(shrunk(x)))));
          expect(state.values.p).toEqual(weight.map(store));
          expect(inFp32 ? state.values.M : state.values.m).toEqual(moment);
        }
      }
    },
  );

  it("takes matrices alone, and says so", () => {
    const run = muon({ recipe: "muon", lr: 1 });
    expect(() => run.init([1, 2, 3])).toThrow("recipe muon of a tensor 3: Muon steps matrices");
    expect(() => run.init([1, 2, 3], [2, 2])).toThrow("expected a shape of 3 numbers, found 2 x 2");
  });
});

describe("adafactor", () => {
  const lr = 0.03;
  const weightDecay = 0.1;
  // Squares of whole numbers add up to the same in any order.
  const [rows, columns] = [2, 8];
  const gradients = [1, 2, 3, 4].map((t) =>
    Float32Array.from({ length: rows * columns }, (_, i) =>
      t === 1 ? (i % 3 === 0 ? -1 : 1) : (((i * 7 + t * 5) % 9) - 4) / 16,
    ),
  );

  it.each(["transformers-adafactor", "fp32", "master"])(
    "%s: has the bits of its second derivation, where sums are exact and nothing is clipped",
    (recipe) => {
      const run = adafactor({ recipe, lr, weightDecay });
      let state = run.init(numbers(16, 5, 0.05), [rows, columns]);
      const inPlace = recipe === "transformers-adafactor";
      let weight: Float32Array = inPlace ? state.values.p : state.values.P;
      let row = [0, 0];
      let column = Array.from({ length: columns }, () => 0);
      for (const [i, g] of gradients.entries()) {
        state = run.step(state, g);
        const beta = 1 - (i + 1) ** -0.8;
        const decayed = (x: number, mean: number) => fma(f(1 - beta), mean, f(x * f(beta)));
        const square = (r: number, c: number) => f(f(g[r * columns + c] ** 2) + f(1e-30));
        const range = (n: number) => Array.from({ length: n }, (_, k) => k);
        const mean = (list: number[]) => f(list.reduce((sum, x) => f(sum + x), 0) / list.length);
        row = row.map((x, r) => decayed(x, mean(range(columns).map((c) => square(r, c)))));
        column = column.map((x, c) => decayed(x, mean(range(rows).map((r) => square(r, c)))));
        const inverse = (x: number) => f(1 / f(Math.sqrt(x)));
        const factor = (r: number, c: number) => f(inverse(f(row[r] / mean(row))) * inverse(column[c]));
        const u = g.map((x, k) => f(factor(Math.floor(k / columns), k % columns) * x));
        expect(Math.sqrt(u.reduce((sum, x) => sum + x * x, 0) / 16)).toBeLessThanOrEqual(1);
        weight = weight.map((x, k) => f(fma(f(-(weightDecay * lr)), x, x) - f(f(lr) * u[k])));
        const stored = weight.map((x) => (recipe === "fp32" ? x : R(x)));
        if (inPlace) weight = stored;
        expect(state.values.p).toEqual(stored);
        expect(state.values.r[columns]).toBe(row[1]);
        expect(state.values.c[3]).toBe(column[3]);
      }
    },
  );

  it("clips an update by its root mean square, and keeps the square of each weight of a vector", () => {
    const run = adafactor({ recipe: "fp32", lr: 1 });
    const first = run.step(run.init([0, 0, 0, 0]), [1, -1, 1, 1]);
    expect(first.values.p).toEqual(Float32Array.of(-1, 1, -1, -1));
    // beta2 of step 2 is 1 - 2^-.8: of gradients ten times as large the update is 1.3 before it is clipped.
    const { p } = run.step(first, [10, -10, 10, 10]).values;
    expect(p).toEqual(Float32Array.of(-2, 2, -2, -2));
    expect(() => run.init(new Float32Array(8), [2, 2, 2])).toThrow("of more than two sides");
  });
});
