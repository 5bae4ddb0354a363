import { describe, expect, it } from "vitest";
import { format } from "../../../src/format/registry.js";
import { adafactor, recipe } from "../../../src/update/optimizer.js";
import { intended } from "../../../src/update/recipe/intended.js";
import { RecipeStep } from "../../../src/update/recipe/recipe-step.js";
import { f } from "../../support/recipes-by-hand.js";

const { sqrt } = Math;

/** The first step has beta2 = 0: its states are the squares themselves. */
function firstStep(g: readonly number[], shape: readonly number[]) {
  const run = adafactor({ recipe: "fp32", lr: 1 });
  const { p, r, c, V } = run.step(run.init(new Float32Array(g.length), shape), g).values;
  return { u: [...p].map((x) => 0 - x), r: [...r], c: [...c], V: [...V] };
}

describe("the factored second moment", () => {
  it("of a matrix: mean squares of its rows and columns; their product over the mean of all is each weight's", () => {
    // Rank one, so that the product is the square itself; squares are 1 4 4 / 4 16 16.
    const { r, c, V } = firstStep([1, 2, -2, -2, 4, 4], [2, 3]);
    expect(r).toEqual([3, 3, 3, 12, 12, 12]);
    expect(c).toEqual([2.5, 10, 10, 2.5, 10, 10]);
    expect(V).toEqual([1, 4, 4, 4, 16, 16].map((x) => expect.closeTo(x, 5)));
  });

  it("of a vector or a single number: its squares", () => {
    expect(firstStep([2, -4, 0.5], [3])).toMatchObject({ r: [4, 16, 0.25], V: [4, 16, 0.25], u: [1, -1, 1] });
    expect(firstStep([2], [])).toMatchObject({ r: [4], u: [1] });
  });

  it("decays by 1 - t^-.8, from nothing at the first step", () => {
    const run = adafactor({ recipe: "fp32", lr: 1 });
    let state = run.init([0, 0], [2]);
    let square = 0;
    for (const [i, g] of [1, 4, 2].entries()) {
      state = run.step(state, [g, -g]);
      const beta = 1 - (i + 1) ** -0.8;
      square = beta * square + (1 - beta) * g * g;
      expect(Math.abs(state.values.r[0] / square - 1)).toBeLessThan(1e-6);
    }
  });

  it("of zeros is 1e-30: a gradient of zero moves nothing", () => {
    expect(firstStep([0, 0], [2])).toEqual({
      u: [0, 0],
      r: [f(1e-30), f(1e-30)],
      c: [0, 0],
      V: [f(1e-30), f(1e-30)],
    });
    const { u, r } = firstStep([0, 0, 0, 0], [2, 2]);
    expect([u, r[0]]).toEqual([[0, 0, 0, 0], f(1e-30)]);
  });
});

describe("clipping", () => {
  it("divides the update by its root mean square if that is over 1", () => {
    // Row and column means of squares are 2 and 1/2, their mean 5/4: 4 / 3.2 and 1 / .2 are the squared directions,
    // 25/16 their mean.
    const { u } = firstStep([2, 0, 0, -1], [2, 2]);
    expect(u).toEqual([2 / sqrt(5), 0, 0, -4 / sqrt(5)].map((x) => expect.closeTo(x, 6)));
  });

  it("leaves an update alone whose root mean square is 1 or less", () => {
    const run = adafactor({ recipe: "fp32", lr: 1 });
    const first = run.step(run.init([0, 0], [2]), [8, 8]);
    const { p, r } = run.step(first, [1, 1]).values;
    const square = 64 * (1 - 2 ** -0.8) + 2 ** -0.8;
    expect(r[0]).toBeCloseTo(square, 4);
    expect(p[0]).toBeCloseTo(-1 - 1 / sqrt(square), 6);
  });
});

describe("the intended step", () => {
  it("is lr times the clipped direction, and weight decay apart; its momentum is the gradient", () => {
    const [lr, wd] = [0.5, 0.25];
    const settings = { lr, weightDecay: wd };
    const step = new RecipeStep(intended(recipe("adafactor", "master")), settings, format("fp32"), () => 0);
    const g = Float32Array.of(2, -4, 0.5, 1);
    const names = ["M", "V", "r", "c", "shrink", "adaptive", "u", "unguarded"];
    const columns: Record<string, Float32Array> = {
      g,
      P: Float32Array.of(8, -8, 4, 0),
      ...Object.fromEntries(names.map((name) => [name, new Float32Array(4)])),
    };
    step.begin(1);
    step.applyAll(columns, [4]);
    // In a vector each direction is the gradient's sign.
    expect(columns).toMatchObject({
      M: g,
      V: Float32Array.of(4, 16, 0.25, 1),
      adaptive: Float32Array.of(-0.5, 0.5, -0.5, -0.5),
      u: Float32Array.of(-1.5, 1.5, -1, -0.5),
      unguarded: Float32Array.of(-1.5, 1.5, -1, -0.5),
    });
    expect(columns.shrink.map((x) => x + 0)).toEqual(Float32Array.of(-1, 1, -0.5, 0));
  });
});
