import { describe, expect, it } from "vitest";
import { CastSet, LeastPart, WholeOf } from "../../../src/lens/shard/merge-whole.js";
import type { Part, PartRange } from "../../../src/lens/shard/part.js";
import { caseOf, resultOf } from "../../support/results.js";

const part = (index: Part["index"], ...ranges: PartRange[]): Part => ({
  ...{ index, of: 12, plan: "p", ranges, whole: { tensors: 4, elements: 100 } },
});
const cast = (format: string, elements: number) => ({
  ...{ format, minNormal: 2 ** -6, elements, belowNormal: elements / 2, zero: elements / 4 },
});

describe("of several parts", () => {
  it.each([[[2, 0, 1]], [[0, 1, 2]], [[10, 9, 2, 0]]])(
    "the result of the least is kept, whatever the order: %j",
    (order) => {
      const least = new LeastPart<string>();
      for (const index of order) least.add(part(index), `result ${index}`);
      expect(least.of).toBe("result 0");
    },
  );

  it("sums count by their least", () => {
    const least = new LeastPart<string>();
    least.add(part([3, 4]), "sum of 3 and 4");
    least.add(part([2, 11]), "sum of 2 and 11");
    least.add(part(5), "5");
    expect(least.of).toBe("sum of 2 and 11");
  });

  it("the casts are added up by format", () => {
    const casts = new CastSet();
    casts.add([cast("e4m3fn", 8), cast("e5m2", 4)]);
    casts.add();
    casts.add([cast("e5m2", 12), cast("e2m1fn", 16), cast("e4m3fn", 4)]);
    expect(casts.end()).toEqual({ casts: [cast("e4m3fn", 12), cast("e5m2", 16), cast("e2m1fn", 16)] });
  });

  it("there are no casts where none has any", () => {
    const casts = new CastSet();
    casts.add();
    casts.add([]);
    expect(casts.end()).toEqual({});
  });

  it("elements are added up, tensors counted once, and the rest is that of the least part", async () => {
    const result = resultOf([await caseOf([1, 1], [0.5, 0])]);
    const ofPart = (weights: string, elements: number, engine: string) => ({
      ...result,
      input: { ...result.input, weights, elements },
      engine: { ...result.engine, name: engine },
      casts: [cast("e5m2", elements)],
    });
    const whole = new WholeOf<typeof result>();
    const [second, first] = [ofPart("second", 8, "wasm"), ofPart("first", 4, "reference")];
    whole.add(part(1, [1, 2, 8], [2, 0, 2], [9, 0, 5]), second);
    whole.add(part(0, [0, 0, 2], [1, 0, 2]), first);
    expect(whole.least).toBe(first);
    expect(whole.input()).toEqual({ ...first.input, tensors: 3, elements: 12 });
    expect(whole.engine()).toMatchObject({ name: "reference, wasm", parts: [{ shards: 1 }, { shards: 1 }] });
    expect(whole.casts()).toEqual({ casts: [cast("e5m2", 12)] });
  });
});
