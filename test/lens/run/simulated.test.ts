import { describe, expect, it } from "vitest";
import { format } from "../../../src/format/registry.js";
import { originOf, type Values } from "../../../src/lens/input.js";
import { drawnWeights, simulatedGradients, simulatedUpdates } from "../../../src/lens/run/simulated.js";
import { gaussian } from "../../../src/update/distribution.js";
import { SimulatedChunk, type SimulatedTensor } from "../../../src/update/simulated-adamw.js";
import { drawnWeight, type WeightDraws, weightKey } from "../../../src/update/weight-draws.js";

const steps = 6;
const length = 50;
const draws: WeightDraws = {
  distribution: gaussian,
  mean: 0,
  sigma: 0.02,
  format: format("bf16"),
  key: weightKey(7, "w"),
};
/** Weight decay and a signal, so that an update depends on the weight, its place and all steps before. */
const tensor: SimulatedTensor = {
  run: {
    optimizer: { lr: 1e-3, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.1 },
    schedule: "cosine",
    warmup: 2,
    steps,
    noise: gaussian,
    snr: 0.5,
    seed: 7,
  },
  name: "w",
  gradientScale: 1e-4,
};

async function read(values: Values, start = 0, count = values.length): Promise<number[]> {
  const into = new Float32Array(count);
  await values.read(start, into);
  return [...into];
}

/** What the steps are, read whole and in their order by one that nothing else reads. */
const inOrder = (values: readonly Values[]) =>
  values.reduce<Promise<number[][]>>(
    async (before, step) => [...(await before), await read(step)],
    Promise.resolve([]),
  );

const weights = drawnWeights(length, draws);

describe("drawnWeights", () => {
  it("are the drawn ones, wherever a piece begins", async () => {
    const expected = Array.from({ length }, (_, i) => drawnWeight(draws, i));
    expect(await read(weights)).toEqual(expected);
    expect(await read(weights, 13, 7)).toEqual(expected.slice(13, 20));
    const wide = new Float64Array(5);
    await weights.read(45, wide);
    expect([...wide]).toEqual(expected.slice(45));
    expect([weights.length, originOf(weights, "weights")]).toEqual([length, draws]);
  });
});

describe.each([
  ["simulatedUpdates", () => simulatedUpdates(tensor, weights)],
  ["simulatedGradients", () => simulatedGradients(tensor, length)],
])("%s", (_, make) => {
  const expected = inOrder(make());

  it("one row a step, no two alike", async () => {
    const rows = await expected;
    expect(rows.map((row) => row.length)).toEqual(Array(steps).fill(length));
    expect(make().map((step) => step.length)).toEqual(Array(steps).fill(length));
    expect(new Set(rows.map(String)).size).toBe(steps);
  });

  it.each([
    ["backwards", [5, 4, 3, 2, 1, 0]],
    ["some left out", [1, 4]],
    ["one again and again", [3, 3, 3, 0, 3]],
    ["to the end and from the start once more", [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]],
    ["to the end twice", [4, 5, 5]],
  ])("in any order: %s", async (_, order) => {
    const values = make();
    for (const t of order) expect(await read(values[t])).toEqual((await expected)[t]);
  });

  it("in any pieces, in turn or one after the other", async () => {
    const [byPiece, byStep] = [make(), make()];
    const pieces = [
      [0, 20],
      [20, 1],
      [21, 29],
    ] as const;
    for (const [start, count] of pieces) {
      for (let t = 0; t < steps; t++) {
        const row = (await expected)[t].slice(start, start + count);
        expect(await read(byPiece[t], start, count)).toEqual(row);
      }
    }
    for (let t = 0; t < steps; t++) {
      for (const [start, count] of pieces) {
        const row = (await expected)[t].slice(start, start + count);
        expect(await read(byStep[t], start, count)).toEqual(row);
      }
    }
    // As many from another start on, at a later step.
    for (const [t, start] of [
      [1, 0],
      [3, 10],
      [5, 20],
    ])
      expect(await read(byStep[t], start, 10)).toEqual((await expected)[t].slice(start, start + 10));
    // From the same start on, but longer and shorter than before.
    for (const count of [10, 30, 20])
      expect(await read(byStep[2], 5, count)).toEqual((await expected)[2].slice(5, 5 + count));
  });

  it("by many readers at once", async () => {
    const values = make();
    const asked = [3, 0, 5, 5, 1, 2, 4, 0].flatMap((t) => [
      [t, 0, length],
      [t, 7, 11],
      [t, 18, 11],
    ]);
    const found = await Promise.all(asked.map(([t, start, count]) => read(values[t], start, count)));
    for (const [i, [t, start, count]] of asked.entries())
      expect(found[i]).toEqual((await expected)[t].slice(start, start + count));
  });

  it("into fp64 too", async () => {
    const wide = new Float64Array(9);
    await make()[4].read(3, wide);
    expect([...wide]).toEqual((await expected)[4].slice(3, 12));
  });
});

describe("simulatedUpdates", () => {
  it("are those of a chunk of all weights", async () => {
    const chunk = new SimulatedChunk(tensor, 0, Float32Array.from(await read(weights)));
    for (const step of simulatedUpdates(tensor, weights)) {
      const into = new Float32Array(length);
      chunk.step(into);
      expect(await read(step)).toEqual([...into]);
    }
  });

  it("tell an engine what they are", () => {
    const told = simulatedUpdates(tensor, weights).map((values) => originOf(values, "simulated"));
    expect(told).toEqual([1, 2, 3, 4, 5, 6].map((t) => ({ of: tensor, t, weights })));
  });

  it("go on after a read of the weights that failed", async () => {
    let fails = true;
    const torn: Values = {
      length,
      read: (start, into) => (fails ? Promise.reject(new Error("torn")) : weights.read(start, into)),
    };
    const values = simulatedUpdates(tensor, torn);
    await expect(read(values[2])).rejects.toThrow("torn");
    fails = false;
    expect(await read(values[2])).toEqual(await read(simulatedUpdates(tensor, weights)[2]));
  });
});
