import type { TensorInput, Values } from "../../src/lens/input.js";

/** Numbers in memory, with the interface of a source. */
export function valuesOf(data: ArrayLike<number>): Values {
  return {
    length: data.length,
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = data[start + i];
    },
  };
}

export function tensorOf(
  name: string,
  weights: ArrayLike<number>,
  ...updates: readonly ArrayLike<number>[]
): TensorInput {
  return { name, shape: [weights.length], weights: valuesOf(weights), updates: updates.map(valuesOf) };
}

/** Weights and updates typical of a training run: Gaussian weights, updates a few orders of magnitude smaller. */
export function gaussianRun(seed: number, elements: number, steps: number, updateSize = 1e-5) {
  const normal = gaussian(seed);
  return {
    weights: Float32Array.from({ length: elements }, () => 0.02 * normal()),
    updates: Array.from({ length: steps }, () =>
      Float32Array.from({ length: elements }, (_, i) => (i % 17 === 3 ? 0 : updateSize * normal())),
    ),
  };
}

/** Box-Muller over a linear congruential generator (Numerical Recipes' constants): repeatable, nothing more. */
export function gaussian(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
