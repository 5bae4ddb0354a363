import { describe, expect, it } from "vitest";
import { format } from "../../../src/format/registry.js";
import { originOf, type Values } from "../../../src/lens/input.js";
import {
  drawnWeights,
  simulatedGradients,
  simulatedIn,
  simulatedUpdates,
} from "../../../src/lens/run/simulated.js";
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

const weights = () => drawnWeights(length, draws);

describe("drawnWeights", () => {
  it("are the drawn ones, wherever a piece begins", async () => {
    const expected = Array.from({ length }, (_, i) => drawnWeight(draws, i));
    const drawn = weights();
    expect(await read(drawn)).toEqual(expected);
    expect(await read(drawn, 13, 7)).toEqual(expected.slice(13, 20));
    const wide = new Float64Array(5);
    await drawn.read(45, wide);
    expect([...wide]).toEqual(expected.slice(45));
    expect([drawn.length, originOf(drawn, "weights")]).toEqual([length, draws]);
  });
});

describe.each([
  ["simulatedUpdates", () => simulatedUpdates(tensor, weights())],
  ["simulatedGradients", () => simulatedGradients(tensor, length)],
])("%s", (_, make) => {
  let known: Promise<number[][]> | undefined;
  const expected = () => (known ??= inOrder(make()));

  it("one row a step, no two alike", async () => {
    const rows = await expected();
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
    for (const t of order) expect(await read(values[t])).toEqual((await expected())[t]);
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
        const row = (await expected())[t].slice(start, start + count);
        expect(await read(byPiece[t], start, count)).toEqual(row);
      }
    }
    for (let t = 0; t < steps; t++) {
      for (const [start, count] of pieces) {
        const row = (await expected())[t].slice(start, start + count);
        expect(await read(byStep[t], start, count)).toEqual(row);
      }
    }
    // As many from another start on, at a later step.
    for (const [t, start] of [
      [1, 0],
      [3, 10],
      [5, 20],
    ])
      expect(await read(byStep[t], start, 10)).toEqual((await expected())[t].slice(start, start + 10));
    // From the same start on, but longer and shorter than before, at one step and at later ones.
    for (const [t, count] of [
      [2, 10],
      [2, 30],
      [2, 20],
      [3, 30],
      [4, 10],
    ])
      expect(await read(byStep[t], 5, count)).toEqual((await expected())[t].slice(5, 5 + count));
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
      expect(found[i]).toEqual((await expected())[t].slice(start, start + count));
  });

  it("into fp64 too", async () => {
    const wide = new Float64Array(9);
    await make()[4].read(3, wide);
    expect([...wide]).toEqual((await expected())[4].slice(3, 12));
  });
});

describe("simulatedUpdates", () => {
  it("are those of a chunk of all weights", async () => {
    const drawn = weights();
    const chunk = new SimulatedChunk(tensor, 0, Float32Array.from(await read(drawn)));
    for (const step of simulatedUpdates(tensor, drawn)) {
      const into = new Float32Array(length);
      chunk.step(into);
      expect(await read(step)).toEqual([...into]);
    }
  });

  it("tell an engine what they are", () => {
    const drawn = weights();
    const told = simulatedUpdates(tensor, drawn).map((values) => originOf(values, "simulated"));
    expect(told).toEqual([1, 2, 3, 4, 5, 6].map((t) => ({ of: tensor, t, weights: drawn })));
  });

  it("cost a step a step: the weights of a piece are read once for all steps in their order", async () => {
    const starts: number[] = [];
    const counted: Values = {
      length,
      read: (start, into) => {
        starts.push(start);
        return weights().read(start, into);
      },
    };
    const values = simulatedUpdates(tensor, counted);
    for (const start of [0, 30]) for (const step of values) await read(step, start, 20);
    expect(starts).toEqual([0, 30]);
  });

  it("go on after a read of the weights that failed", async () => {
    let fails = true;
    const torn: Values = {
      length,
      read: (start, into) => (fails ? Promise.reject(new Error("torn")) : weights().read(start, into)),
    };
    const values = simulatedUpdates(tensor, torn);
    await expect(read(values[2])).rejects.toThrow("torn");
    fails = false;
    expect(await read(values[2])).toEqual(await read(simulatedUpdates(tensor, weights())[2]));
  });
});

describe("simulatedIn", () => {
  const other: SimulatedTensor = { ...tensor, name: "v" };

  it("finds the tensor whose steps these are", () => {
    const drawn = weights();
    expect(simulatedIn(simulatedUpdates(tensor, drawn), drawn)).toBe(tensor);
  });

  it.each<[string, (updates: Values[], drawn: Values) => readonly Values[]]>([
    ["in another order", (updates) => updates.toReversed()],
    ["with a step left out", (updates) => updates.filter((_, i) => i !== 2)],
    ["that do not begin at the first", (updates) => updates.slice(1)],
    [
      "of which one is of another tensor",
      (updates, drawn) => updates.with(3, simulatedUpdates(other, drawn)[3]),
    ],
    ["over other weights", () => simulatedUpdates(tensor, weights())],
    ["that are stored numbers", (updates) => updates.map(({ length, read }) => ({ length, read }))],
    ["of which the last are stored", ([first, { length, read }]) => [first, { length, read }]],
    ["that are none", () => []],
  ])("finds none in steps %s", (_, change) => {
    const drawn = weights();
    expect(simulatedIn(change(simulatedUpdates(tensor, drawn), drawn), drawn)).toBeUndefined();
  });
});
