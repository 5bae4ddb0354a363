import { describe, expect, it } from "vitest";
import { plannedShards, wholeOf } from "../../../src/lens/shard/plan-result.js";

const step = 4096;
const tensors = [
  { name: "a", elements: 2 * step, bits: 16, step },
  { name: "b", elements: 2 * step, bits: 16, step },
  { name: "codes", elements: 100, bits: 8, step: null },
];

describe("the plan of shards", () => {
  it("tells of each what it reads, where it begins and how long it will take, by hand", () => {
    // Half of 32,868 bytes is a bit more than the first tensor, and cuts lie between blocks.
    expect(plannedShards(tensors, 2, { bytesPerSecond: 1000, measured: "" })).toEqual([
      {
        ...{ index: 0, tensors: 1, elements: 2 * step, bytes: 4 * step, seconds: 16.384 },
        from: { tensor: "a", element: 0 },
      },
      {
        ...{ index: 1, tensors: 2, elements: 2 * step + 100, bytes: 4 * step + 100, seconds: 16.484 },
        from: { tensor: "b", element: 0 },
      },
    ]);
    const [, second] = plannedShards(tensors, 4, { bytesPerSecond: null, measured: "" });
    expect(second).toEqual({
      ...{ index: 1, tensors: 1, elements: step, bytes: 2 * step, seconds: null },
      from: { tensor: "a", element: step },
    });
  });

  it("has shards of nothing, which begin nowhere, where there are more than blocks", () => {
    const shards = plannedShards([{ ...tensors[0], elements: step }], 3, { bytesPerSecond: 1, measured: "" });
    expect(shards.map(({ elements, from }) => [elements, from])).toEqual([
      [0, null],
      [step, { tensor: "a", element: 0 }],
      [0, null],
    ]);
    expect(shards[0]).toMatchObject({ tensors: 0, bytes: 0, seconds: 0 });
  });
});

describe("the whole of a plan", () => {
  it("is its weights, without what is compared by bytes", () => {
    expect(wholeOf(tensors, 2)).toEqual({ tensors: 2, elements: 4 * step });
    expect(wholeOf(tensors, 3)).toEqual({ tensors: 3, elements: 4 * step + 100 });
    expect(wholeOf([], 0)).toEqual({ tensors: 0, elements: 0 });
  });
});
