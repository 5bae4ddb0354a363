import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { piecesOf } from "../../../src/engine/plan-tensor.js";
import { runLens } from "../../../src/engine/run-lens.js";
import { selectEngine } from "../../../src/engine/select.js";
import type { Result } from "../../../src/lens/run/result.js";
import { mergeShards } from "../../../src/lens/shard/merge-shards.js";
import type { PartRange } from "../../../src/lens/shard/part.js";
import { updateSettings } from "../../../src/update/settings.js";
import { expectValid } from "../../support/schemas.js";
import { sized } from "../../support/tier.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

const block = 4096;
const lengths = [2 * block + 5, 0, block, 700, 3 * block];
const tensors = lengths.map((length, i) => {
  const { weights, updates } = gaussianRun(i, length, 2, 1e-4);
  // A NaN, whose weight-steps are in no ratio, and an update that is no number.
  if (i === 0) weights[block + 1] = Number.NaN;
  if (i === 4) updates[1][2 * block] = Number.POSITIVE_INFINITY;
  return tensorOf(`w${i}`, weights, ...updates);
});
const cases = [
  updateSettings({ format: "bf16", scheme: "kahan" }),
  updateSettings({ format: "e4m3fn", rounding: "stochastic", seed: 3 }),
];
const elements = lengths.reduce((sum, length) => sum + length, 0);
const chosen = selectEngine("reference");

/** A job with a point of its curve. */
async function counted(
  ranges: readonly PartRange[] | null,
  index = 0,
  shards = 1,
  plan = "p",
): Promise<Result> {
  const part = ranges && { index, of: shards, plan, ranges, whole: { tensors: lengths.length, elements } };
  const job = {
    tensors: ranges ? piecesOf(tensors, ranges) : tensors,
    stepNumbers: [7, 9],
    milestones: [0],
    cases,
    source: {
      kind: "arrays",
      weights: "a",
      updates: null,
      gradients: null,
      metadata: { of: "all" },
    } as const,
    skipped: [{ name: "ids", reason: "integers" }],
    strict: false,
    ...(part && { shard: { part, all: tensors } }),
  };
  return runLens(job, await chosen);
}

/** Ranges between cuts of all elements, each moved down to a block of its tensor. */
function rangesBetween(cuts: readonly number[]): PartRange[][] {
  const places = cuts.map((cut): [number, number] => {
    let left = cut;
    for (const [tensor, length] of lengths.entries()) {
      if (left < length) return [tensor, Math.floor(left / block) * block];
      left -= length;
    }
    return [lengths.length, 0];
  });
  const all = [[0, 0], ...places, [lengths.length, 0]];
  return all.slice(1).map(([t, element], i) => {
    const [first, begin] = all[i];
    return lengths.flatMap((length, tensor): PartRange[] => {
      const start = tensor === first ? begin : 0;
      const end = tensor === t ? element : length;
      const isIn = tensor >= first && tensor <= t && (end > start || (length === 0 && tensor < t));
      return isIn ? [[tensor, start, end]] : [];
    });
  });
}

/** Everything but the engine, byte for byte: the order of fields too. */
const bytesOf = ({ engine: _, ...rest }: Result) => JSON.stringify(rest);

describe("mergeShards", () => {
  it("gives what one machine gives, wherever it was cut, in any order and by any tree", async () => {
    const whole = await counted(null);
    const cuts = fc.array(fc.nat(elements), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.infiniteStream(fc.nat(1000)), async (places, draws) => {
        const ranges = rangesBetween(places.sort((a, b) => a - b));
        const parts = await Promise.all(ranges.map((own, i) => counted(own, i, ranges.length)));
        const draw = () => draws.next().value as number;
        // Two at a time, in whatever order, until one is left.
        while (parts.length > 2) {
          const pair = [0, 1].map(() => parts.splice(draw() % parts.length, 1)[0]);
          parts.push(mergeShards(pair, { partial: true }));
        }
        for (const part of parts) expectValid("result", part);
        const merged = mergeShards(draw() % 2 ? parts : parts.reverse());
        expect(bytesOf(merged)).toBe(bytesOf(whole));
        expect(merged.engine.parts).toEqual([
          {
            name: "reference",
            device: whole.engine.device,
            selfCheck: whole.engine.selfCheck,
            shards: ranges.length,
          },
        ]);
        expectValid("result", merged);
      }),
      { numRuns: sized({ quick: 2, full: 40 }) },
    );
  });

  it("refuses what is missing, doubled, or of another whole, and says which", async () => {
    const [first, second, third] = await Promise.all(
      rangesBetween([block, elements - block]).map((own, i) => counted(own, i, 3)),
    );
    expect(() => mergeShards([first, third])).toThrow(
      "expected all 3 shards (--partial merges those that are there), found 2; missing: 1",
    );
    expect(() => mergeShards([first, second, first])).toThrow(
      "result 2: expected every shard once, found shard 0 of 3, which result 0 has too",
    );
    const part = second.part!;
    const other = (changes: Partial<Result>): Result => ({ ...second, ...changes });
    for (const [wrong, found] of [
      [other({ settings: { ...second.settings, seed: 1 } }), "another seed, 1 and not 0"],
      [other({ tool: { name: "precision-lens", version: "9" } }), 'one of release "9", there '],
      [other({ part: { ...part, plan: "q" } }), "that of other files, or of other options"],
      [other({ part: { ...part, of: 4 } }), "a number of shards, 4, there 3"],
      [other({ cases: [second.cases[1], second.cases[0]] }), "other cases"],
      [other({ input: { ...second.input, stepNumbers: [7, 8] } }), "other steps"],
    ] as const) {
      expect(() => mergeShards([first, wrong, third])).toThrow(
        `result 1: expected a shard of the same work as result 0, found ${found}`,
      );
    }
    const { part: _, ...whole } = second;
    expect(() => mergeShards([first, whole])).toThrow(
      "result 1: expected the result of a shard, run with --shard, found that of a whole",
    );
    expect(() => mergeShards([])).toThrow("found none");
  });

  it("refuses parts that do not have what they say", async () => {
    const [first, second] = await Promise.all(rangesBetween([block]).map((own, i) => counted(own, i, 2)));
    const claims = (ranges: readonly PartRange[]): Result => ({
      ...second,
      part: { ...second.part!, ranges },
    });
    const own = second.part!.ranges;
    expect(() => mergeShards([claims(own.slice(1)), first])).toThrow("weights, as its ranges are");
    expect(() => mergeShards([first, claims([[0, 0, lengths[0]], ...own.slice(1)])])).toThrow(
      "are counted twice",
    );
    const less = { ...first.part!, whole: { tensors: 5, elements: elements + 1 } };
    expect(() =>
      mergeShards([
        { ...first, part: less },
        { ...second, part: { ...second.part!, whole: less.whole } },
      ]),
    ).toThrow(`expected all ${elements + 1} weights in 5 tensors, found ${elements} in 5`);
  });

  it("keeps the engines of all parts, and adds what they handed over", async () => {
    const parts = await Promise.all(rangesBetween([block, 2 * block]).map((own, i) => counted(own, i, 3)));
    const [a, b, c] = parts.map((part, i) => ({
      ...part,
      engine: { ...part.engine, name: i === 1 ? "gpujs" : "wasm", ...(i > 0 && { handedOver: 10 * i }) },
    }));
    const engines = [
      mergeShards([a, b, c]),
      mergeShards([mergeShards([c, a], { partial: true }), b]),
      mergeShards([c, mergeShards([b, a], { partial: true })]),
    ].map(({ engine }) => engine);
    expect(engines[0]).toMatchObject({
      name: "gpujs, wasm",
      handedOver: 30,
      parts: [
        { name: "gpujs", shards: 1 },
        { name: "wasm", shards: 2 },
      ],
    });
    for (const engine of engines) expect(engine).toEqual(engines[0]);
  });
});
