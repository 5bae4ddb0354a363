import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PlanTensor, planShards } from "../../../src/lens/shard/plan.js";

const step = 4096;

const tensors = fc.array(
  fc.record({
    elements: fc.oneof(fc.constant(0), fc.nat(3 * step), fc.nat(2 ** 40)),
    bits: fc.constantFrom(12, 16, 32, 64, 672),
    step: fc.constantFrom(step, 16 * step, null),
  }),
  { maxLength: 8 },
) satisfies fc.Arbitrary<PlanTensor[]>;

/** Every element of every tensor once, by walking through all ranges in order. */
function expectAll(list: readonly PlanTensor[], shards: ReturnType<typeof planShards>): void {
  const walked = list.map(() => 0);
  const listed = list.map(() => 0);
  let last = -1;
  for (const [tensor, start, end] of shards.flatMap(({ ranges }) => ranges)) {
    expect(tensor).toBeGreaterThanOrEqual(last);
    expect(start).toBe(walked[tensor]);
    walked[tensor] = end;
    listed[tensor] += 1;
    last = tensor;
  }
  expect(walked).toEqual(list.map(({ elements }) => elements));
  for (const [i, { elements }] of list.entries()) {
    if (elements === 0) expect(listed[i]).toBe(1);
    else expect(listed[i]).toBeGreaterThanOrEqual(1);
  }
}

describe("planShards", () => {
  it("gives every element to one shard, in order, and cuts between blocks only", () => {
    fc.assert(
      fc.property(tensors, fc.integer({ min: 1, max: 40 }), (planned, n) => {
        const shards = planShards(planned, n);
        expect(shards).toHaveLength(n);
        expectAll(planned, shards);
        for (const [tensor, start] of shards.flatMap(({ ranges }) => ranges)) {
          const { step } = planned[tensor];
          expect(step === null ? start : start % step).toBe(0);
        }
      }),
    );
  });

  it("gives no shard more than its share and a block", () => {
    fc.assert(
      fc.property(tensors, fc.integer({ min: 1, max: 40 }), (planned, n) => {
        const bytes = planned.reduce((sum, { elements, bits }) => sum + (elements * bits) / 8, 0);
        // A cut is moved by at most a whole block, half of one at each end but for what cannot be cut.
        const block = Math.max(
          0,
          ...planned.map(({ elements, bits, step }) => ((step ?? elements) * bits) / 8),
        );
        const shards = planShards(planned, n);
        expect(shards.reduce((sum, shard) => sum + shard.bytes, 0)).toBeCloseTo(bytes, -2);
        for (const shard of shards) expect(shard.bytes).toBeLessThanOrEqual(bytes / n + 2 * block + 1);
      }),
    );
  });

  it("goes on to where blocks of shared scales end", () => {
    const rows = {
      elements: 10 * step,
      bits: 8,
      step,
      isCut: (element: number) => element % (3 * step) === 0,
    };
    const starts = planShards([rows], 5).flatMap(({ ranges }) =>
      ranges.map(([, start, end]) => [start, end]),
    );
    expect(starts).toEqual([
      [0, 3 * step],
      [3 * step, 6 * step],
      [6 * step, 9 * step],
      [9 * step, 10 * step],
    ]);
  });

  it("asks whether it may cut within a tensor only, and goes on to the next where it may not", () => {
    const rows = {
      ...{ elements: 3 * step, bits: 8, step },
      isCut: (element: number) => {
        if (element >= 3 * step) throw new RangeError(`element ${element} is beyond the end`);
        return false;
      },
    };
    const [first, second] = planShards([rows, { elements: step, bits: 8, step }], 2);
    expect([first.ranges, second.ranges]).toEqual([[[0, 0, 3 * step]], [[1, 0, step]]]);
  });

  it("gives a tensor that is never cut to the shard that has its first half", () => {
    const whole = (elements: number) => ({ elements, bits: 8, step: null });
    const ranges = (...elements: number[]) => planShards(elements.map(whole), 2).map((shard) => shard.ranges);
    // The middle of all is at 3 of 4, at 1 of 4, and at half of 4.
    expect(ranges(2, 4, 4)).toEqual([
      [
        [0, 0, 2],
        [1, 0, 4],
      ],
      [[2, 0, 4]],
    ]);
    expect(ranges(4, 4, 2)).toEqual([
      [[0, 0, 4]],
      [
        [1, 0, 4],
        [2, 0, 2],
      ],
    ]);
    expect(ranges(3, 4, 3)).toEqual([
      [
        [0, 0, 3],
        [1, 0, 4],
      ],
      [[2, 0, 3]],
    ]);
  });

  it("leaves a tensor without elements, or without bits, before a cut to the shard that ends there", () => {
    const tensor = (elements: number, bits = 8) => ({ elements, bits, step });
    const ranges = (...list: PlanTensor[]) => planShards(list, 2).map((shard) => shard.ranges);
    expect(ranges(tensor(step), tensor(0), tensor(step))).toEqual([
      [
        [0, 0, step],
        [1, 0, 0],
      ],
      [[2, 0, step]],
    ]);
    expect(ranges(tensor(step), tensor(7, 0), tensor(step))).toEqual([
      [
        [0, 0, step],
        [1, 0, 7],
      ],
      [[2, 0, step]],
    ]);
    // What has no bits costs nothing: the last shard takes all of it.
    expect(ranges(tensor(9, 0), tensor(3, 0))).toEqual([
      [
        [0, 0, 9],
        [1, 0, 3],
      ],
      [],
    ]);
  });

  it("is that of 1.3 TB to the element, by hand", () => {
    // 671e9 weights of 16 bits in one tensor over 64 machines: 10,484,375,000 each, in blocks of 4096 2,559,662.
    const shards = planShards([{ elements: 671e9, bits: 16, step }], 64);
    expect(shards[0]).toEqual({
      ranges: [[0, 0, 2_559_662 * step]],
      elements: 2_559_662 * step,
      bytes: 2 * 2_559_662 * step,
    });
    expect(shards[63].ranges[0][2]).toBe(671e9);
  });
});
