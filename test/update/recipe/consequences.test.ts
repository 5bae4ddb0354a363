import { describe, expect, it } from "vitest";
import { decode, encode } from "../../../src/format/encode.js";
import { mul } from "../../../src/format/operations.js";
import { format } from "../../../src/format/registry.js";
import { round } from "../../../src/format/round.js";
import { adamw, lion, recipe, sgd } from "../../../src/update/optimizer.js";
import { expectEqual } from "../../support/mismatches.js";

const bf16 = format("bf16");
/** Every positive normal bf16 number. */
const numbers = Array.from({ length: 0x7f80 - 0x80 }, (_, i) => decode(0x80 + i, bf16));

describe("what bf16 does to AdamW", () => {
  it("weight decay changes no weight where lr wd is below 2^-9, and some from there on", () => {
    const changed = (x: number) => numbers.filter((p) => mul(p, Math.fround(1 - x), bf16) !== p).length;
    for (const x of [1e-8, 1e-6, 1e-5, 3e-4 * 0.1, 1e-3, 2 ** -9 * 0.999]) expect(changed(x)).toBe(0);
    expect(changed(2 ** -9 * 1.01)).toBeGreaterThan(0);
    expect(changed(2 ** -8 * 1.01)).toBe(numbers.length);
  });

  it("so the recipe decays nothing at 1e-6 x .01, nor at 1e-3 x 1", () => {
    for (const [lr, weightDecay] of [
      [1e-6, 0.01],
      [1e-3, 1],
    ]) {
      const optimizer = adamw({ recipe: "torch-2.13-cpu-for-loop", lr, weightDecay });
      let state = optimizer.init(numbers);
      for (let t = 0; t < 3; t++) state = optimizer.step(state, new Float32Array(numbers.length));
      expectEqual(state.values.p, Float32Array.from(numbers));
    }
  });

  it("v *= 0.999 changes no bf16 number; 0.999 itself is 1", () => {
    expect(round(0.999, bf16)).toBe(1);
    expect(numbers.filter((v) => mul(v, Math.fround(0.999), bf16) !== v)).toEqual([]);
  });

  it("v never decays, in any of torch's recipes that store it in bf16", () => {
    for (const name of [
      "cpu-for-loop",
      "cpu-foreach",
      "cpu-fused",
      "cuda-for-loop",
      "cuda-foreach",
      "cuda-fused",
      "cuda-capturable",
    ]) {
      const optimizer = adamw({ recipe: `torch-2.13-${name}`, lr: 1e-6 });
      let state = optimizer.step(optimizer.init([1]), [1]);
      const [v] = state.values.v;
      for (let t = 0; t < 1000; t++) state = optimizer.step(state, [0]);
      expect(state.values.v[0], name).toBe(v);
    }
  });

  it("TransformerEngine's remainder master shows the nearest bf16 number, halves away from zero; its bf16 states to even", () => {
    const half = 2 ** -8;
    // Masters that an update of zero leaves as they are: ties whose even neighbour is nearer to zero or farther, and one below a tie.
    const masters = [1 + half, -1 - half, 1 + 3 * half, 1 + half - 2 ** -20];
    const shown = (name: string) => {
      const optimizer = adamw({ recipe: `transformer-engine-${name}`, lr: 1e-3 });
      return [...optimizer.step(optimizer.init(masters), new Float32Array(masters.length)).values.p];
    };
    const [above, twice] = [1 + 2 * half, 1 + 4 * half];
    expect(shown("remainder")).toEqual([above, -above, twice, 1]);
    expect(shown("bf16-states")).toEqual([1, -1, twice, 1]);
  });

  it("|u|/lr is exactly 1 at the first step, and at most 7.27 later for .9 and .999", () => {
    const optimizer = adamw({ recipe: "fp32", format: "fp32", lr: 1, eps: 0 });
    const first = optimizer.step(optimizer.init([0]), [1e-3]);
    expect(Math.abs(first.values.p[0])).toBeCloseTo(1, 6);
    // The worst history: gradients that grow by b2 / b1 a step (Cauchy-Schwarz), here long enough.
    let state = optimizer.init([0]);
    let largest = 0;
    for (let t = 0; t < 60; t++) {
      const [before] = state.values.p;
      state = optimizer.step({ ...state, t: 10_000 }, [1e-6 * (0.999 / 0.9) ** t]);
      largest = Math.max(largest, Math.abs(state.values.p[0] - before));
    }
    expect(largest).toBeGreaterThan(7.2);
    expect(largest).toBeLessThan(0.1 / Math.sqrt(0.001 * (1 - 0.81 / 0.999)) + 1e-3);
  });
});

describe("optimizers", () => {
  it("are pure: a step leaves its state alone, and may be taken again", () => {
    const optimizer = adamw({ recipe: "kahan", lr: 1e-3 });
    const start = optimizer.init([1, 2]);
    const once = optimizer.step(start, [0.1, -0.1]);
    expect(start).toMatchObject({ t: 0, values: { p: Float32Array.of(1, 2), k: Float32Array.of(0, 0) } });
    expect(optimizer.step(start, [0.1, -0.1])).toEqual(once);
    expect(once.t).toBe(1);
  });

  it("cast weights to storage; the master keeps them as given", () => {
    const { values } = adamw({ recipe: "master", lr: 1e-3 }).init([0.1]);
    expect(values.p[0]).toBe(encodeDecode(0.1));
    expect(values.P[0]).toBe(Math.fround(0.1));
  });

  it("SGD: momentum from the second step on, decay through the gradient", () => {
    const optimizer = sgd({ recipe: "fp32", format: "fp32", lr: 0.5, betas: [0.5, 0], weightDecay: 0.25 });
    const first = optimizer.step(optimizer.init([4]), [1]);
    // g + wd p = 2; p = 4 - 0.5 x 2 = 3. Then g + wd p = 1.75; m = 0.5 x 2 + 1.75 = 2.75; p = 3 - 1.375.
    expect(first.values).toMatchObject({ p: Float32Array.of(3), M: Float32Array.of(2) });
    expect(optimizer.step(first, [1]).values).toMatchObject({
      p: Float32Array.of(1.625),
      M: Float32Array.of(2.75),
    });
  });

  it("Lion: the sign of the interpolated momentum, decoupled decay", () => {
    const optimizer = lion({
      recipe: "fp32",
      format: "fp32",
      lr: 0.5,
      betas: [0.5, 0.75],
      weightDecay: 0.25,
    });
    const first = optimizer.step(optimizer.init([4, 4, 4]), [1, -1, 0]);
    // 4 x (1 - 0.125) = 3.5, and half a step against the sign.
    expect(first.values).toMatchObject({ p: Float32Array.of(3, 4, 3.5), M: Float32Array.of(0.25, -0.25, 0) });
    // .5 x .25 - .5 x .125 is positive still.
    const one = { p: Float32Array.of(3), P: Float32Array.of(3), M: Float32Array.of(0.25) };
    const second = optimizer.step({ t: 1, values: one }, [-0.125]);
    expect(second.values.p[0]).toBe(3 * 0.875 - 0.5);
  });

  it("stochastic recipes need random bits, and take a step away from or toward the weight by them", () => {
    const settings = { recipe: "torchao-stochastic", lr: 1e-6 };
    expect(() => adamw(settings).step(adamw(settings).init([1]), [1])).toThrow(TypeError);
    const at = (bits: number) => {
      const optimizer = adamw({ ...settings, random: () => bits });
      return optimizer.step(optimizer.init([1]), [1]).values.p[0];
    };
    expect(at(0)).toBe(1 - 2 ** -8);
    expect(at(2 ** 32 - 1)).toBe(1);
  });

  it("refuse unknown recipes and gradients of another length", () => {
    expect(() => recipe("adamw", "torch-1.0")).toThrow(
      'unknown recipe "torch-1.0" of adamw: expected torch-2.13-',
    );
    const optimizer = adamw({ recipe: "master", lr: 1 });
    expect(() => optimizer.step(optimizer.init([1]), [1, 2])).toThrow(
      "expected a gradient of 1 number, found 2",
    );
  });
});

function encodeDecode(x: number): number {
  return decode(encode(x, bf16), bf16);
}
