import { describe, expect, it } from "vitest";
import { format } from "../../../src/format/registry.js";
import { recipe } from "../../../src/update/optimizer.js";
import { intended } from "../../../src/update/recipe/intended.js";
import { orthogonalize, product } from "../../../src/update/recipe/muon.js";
import { RecipeStep } from "../../../src/update/recipe/recipe-step.js";
import { toBfloat16 as R } from "../../support/bfloat16.js";
import { float32FromBits } from "../../support/bits.js";
import { f, lerp } from "../../support/recipes-by-hand.js";

const matrix = (rows: readonly (readonly number[])[]) => ({
  rows: rows.length,
  columns: rows[0].length,
  of: Float32Array.from(rows.flat()),
});

describe("product", () => {
  const [a, b] = [matrix([[1, 2, 3], [4, 5, 6]]), matrix([[1, 0], [2, 1], [0, 3]])]; // biome-ignore format: by rows

  it("is that of two matrices, or of one and another's transpose", () => {
    expect(product(a, b)).toEqual(matrix([[5, 11], [14, 23]])); // biome-ignore format: by rows
    expect(product(a, a, true)).toEqual(matrix([[14, 32], [32, 77]])); // biome-ignore format: by rows
    expect(product(b, a)).toMatchObject({ rows: 3, columns: 3 });
    expect(product(a, matrix([[1, 1, 1]]), true)).toEqual(matrix([[6], [15]]));
  });

  it("adds in fp32 in the order of the elements, and rounds the sum to bf16 once", () => {
    const ones = matrix([[1, 1, 1]]);
    const sum = (...numbers: number[]) => product(matrix([numbers]), ones, true).of[0];
    expect(sum(2 ** 24, 1, -(2 ** 24))).toBe(0);
    expect(sum(2 ** 24, -(2 ** 24), 1)).toBe(1);
    // Rounded to bf16 after every addition, 1 would stay 1.
    expect(sum(1, 2 ** -8, 2 ** -8)).toBe(1 + 2 ** -7);
    // A tie of bf16, to even.
    expect([sum(1, 2 ** -8), sum(1 + 2 ** -7, 2 ** -8)]).toEqual([1, 1 + 2 ** -6]);
  });
});

describe("orthogonalize", () => {
  it("gives the identity's multiples one direction, and zeros none", () => {
    const direction = (x: number) => orthogonalize(Float32Array.of(x, 0, 0, x), 2, 2);
    const one = direction(1);
    expect([one[1], one[2], one[0] - one[3]]).toEqual([0, 0, 0]);
    // The coefficients leave singular values between .68 and 1.13 (Jordan et al., 2024).
    expect(one[0]).toBeGreaterThan(0.68);
    expect(one[0]).toBeLessThan(1.13);
    expect(direction(2 ** 20)).toEqual(one);
    expect(direction(-1)).toEqual(one.map((x) => (x === 0 ? x : -x)));
    expect(direction(0)).toEqual(new Float32Array(4));
  });

  it("of a transposed matrix is the transposed direction, bit for bit", () => {
    const [wide, tall] = [Float32Array.of(1, 2, -3, 4, 0.5, 6), Float32Array.of(1, 4, 2, 0.5, -3, 6)];
    const [a, b] = [orthogonalize(wide, 2, 3), orthogonalize(tall, 3, 2)];
    expect([b[0], b[2], b[4], b[1], b[3], b[5]]).toEqual([...a]);
  });

  it("of NaN is NaN, whatever its payload", () => {
    for (const bits of [0x7fc0_0000, 0x7fff_ffff, 0xffff_ffff]) {
      expect(orthogonalize(Float32Array.of(float32FromBits(bits), 1, 1, 1), 2, 2)).toEqual(
        new Float32Array(4).fill(NaN),
      );
    }
  });
});

describe("the direction of a step", () => {
  const { whole } = recipe("muon", "muon");
  const direction = (shape: readonly number[]) => {
    const n = Float32Array.from({ length: 12 }, (_, i) => ((i * 5) % 7) - 3);
    const o = new Float32Array(12);
    whole!.run({ n, o }, { shape, scalar: () => 0, store: (x) => x });
    return { o, plain: orthogonalize(n, shape[0], shape[1]) };
  };

  it("is scaled by the root of rows over columns, if there are more rows", () => {
    const tall = direction([6, 2]);
    expect(tall.o).toEqual(tall.plain.map((x) => R(f(x * f(Math.sqrt(3))))));
    const wide = direction([2, 6]);
    expect(wide.o).toEqual(wide.plain);
  });
});

describe("the intended step", () => {
  it.each([
    [0.95, 0],
    [0.3, 0.25],
  ])("momentum %f, decay %f: has the bits of a second derivation", (b1, wd) => {
    const [lr, shape] = [0.02, [4, 3]];
    const step = new RecipeStep(
      intended(recipe("muon", "master")),
      { lr, betas: [b1, 0], weightDecay: wd },
      format("fp32"),
      () => 0,
    );
    const numbers = (seed: number) => Float32Array.from({ length: 12 }, (_, i) => f(Math.sin(seed + i * i)));
    const [P, g, before] = [numbers(1), numbers(2), numbers(3)];
    const outputs = ["shrink", "adaptive", "u", "unguarded"].map((name) => [name, new Float32Array(12)]);
    const columns: Record<string, Float32Array> = { g, P, M: before.slice(), ...Object.fromEntries(outputs) };
    step.begin(1);
    step.applyAll(columns, shape);
    const M = before.map((m, i) => lerp(m, g[i], f(1 - b1)));
    expect(columns.M).toEqual(M);
    const toward = M.map((m, i) => lerp(g[i], m, f(b1)));
    const direction = orthogonalize(toward, 4, 3).map((x) => R(f(x * f(Math.sqrt(4 / 3)))));
    const [adaptive, shrink] = [direction.map((o) => f(-f(lr) * o)), P.map((x) => f(f(-(lr * wd)) * x))];
    const u = adaptive.map((x, i) => f(x + shrink[i]));
    expect(columns).toMatchObject({ adaptive, u, unguarded: u });
    expect(columns.shrink.map((x) => x + 0)).toEqual(shrink.map((x) => x + 0));
  });
});
