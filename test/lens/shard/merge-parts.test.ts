import { describe, expect, it } from "vitest";
import type { Case } from "../../../src/lens/run/case.js";
import type { ResultEngine } from "../../../src/lens/run/result.js";
import { EngineSet, type PartialResult, PartRefused, PartSet } from "../../../src/lens/shard/merge-parts.js";
import type { Part, PartRange } from "../../../src/lens/shard/part.js";
import { resultOf } from "../../support/results.js";

/** Three shards of two tensors of eight weights and of one that is compared by bytes. */
const ranges: readonly (readonly PartRange[])[] = [
  [[0, 0, 4]],
  [
    [0, 4, 8],
    [1, 0, 4],
  ],
  [
    [1, 4, 8],
    [2, 0, 100],
  ],
];
const whole = { tensors: 2, elements: 16 };
const parts = ranges.map((own, index): Part => ({ index, of: 3, plan: "p", ranges: own, whole }));

const caseResult = {
  ...{ format: "bf16", rounding: "nearest-even", scheme: "master", opmath: "fp32", recipe: null },
  ...{ tensors: [], steps: [{ step: 3 }], totals: { elements: 4 } },
} as unknown as Case;
const run = (part: Part, changes: object = {}): PartialResult =>
  ({ ...resultOf([caseResult], { part }), ...changes }) as PartialResult;

function refusal(work: () => unknown): PartRefused {
  try {
    work();
  } catch (error) {
    if (error instanceof PartRefused) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** Why a second result is refused beside the first shard. */
function refused(second: PartialResult, first = run(parts[0])): PartRefused {
  const set = new PartSet();
  set.add("a.json", first);
  return refusal(() => set.add("b.json", second));
}

const found = (changes: object) => refused(run(parts[1], changes)).found;

describe("a set of parts", () => {
  it("is the whole when all are there, in whatever order", () => {
    const set = new PartSet();
    for (const part of [parts[2], parts[0], parts[1]]) expect(set.add("one", run(part))).toBe(part);
    expect(set.end(false)).toBeNull();
    expect(set.end(true)).toBeNull();
  });

  it("refuses what is no part: a RangeError that says whose, what was expected and what was found", () => {
    const { part: _, ...whole } = run(parts[0]);
    const error = refusal(() => new PartSet().add("a.json", whole as PartialResult));
    expect(error).toBeInstanceOf(RangeError);
    const said = {
      part: "a.json",
      expected: "the result of a shard, run with --shard",
      found: "that of a whole",
    };
    expect({ ...error }).toEqual(said);
    expect(error.message).toBe(`a.json: expected ${said.expected}, found ${said.found}`);
  });

  it("refuses a shard twice, and one that there is not", () => {
    expect(refused(run({ ...parts[1], index: 0 }))).toMatchObject({
      expected: "every shard once",
      found: "shard 0 of 3, which a.json has too",
    });
    for (const index of [3, 7, [1, 3]]) {
      expect(refused(run({ ...parts[1], index }))).toMatchObject({
        part: "b.json",
        expected: "a shard from 0 to 2",
        found: `shard ${[index].flat().at(-1)} of 3`,
      });
    }
  });

  it("refuses weights that two shards counted", () => {
    expect(refused(run({ ...parts[1], ranges: [[0, 2, 8]] }))).toMatchObject({
      part: "b.json",
      expected: "weights that no other shard counted",
      found: "that elements 2 to 4 of tensor 0 are counted twice",
    });
  });
});

describe("parts of other work", () => {
  it("are refused beside the first result, which is named", () => {
    expect(refused(run(parts[1], { tool: { name: "precision-lens", version: "9" } }))).toMatchObject({
      expected: "a shard of the same work as a.json",
      found: 'one of release "9", there "0.0.0"',
    });
  });

  it("have another schema or number of shards", () => {
    expect(found({ schema: "precision-lens-sweep/2" })).toBe(
      'a result of schema "precision-lens-sweep/2", there "precision-lens/2"',
    );
    expect(refused(run({ ...parts[1], of: 4 })).found).toBe("a number of shards, 4, there 3");
  });

  it("have another setting, which is named with both values; null where only one has it", () => {
    const settings = { optimizer: null, overflow: "ieee", seed: 0, strict: false };
    expect(found({ settings: { ...settings, overflow: "saturate" } })).toBe(
      'another overflow, "saturate" and not "ieee"',
    );
    expect(found({ settings: { ...settings, rename: ["a"] } })).toBe('another rename, ["a"] and not null');
    const { seed: _, ...less } = settings;
    expect(found({ settings: less })).toBe("another seed, null and not 0");
  });

  it("have other cases or steps", () => {
    for (const changes of [
      { format: "fp16" },
      { rounding: "to-odd" },
      { scheme: "kahan" },
      { opmath: "exact" },
      { recipe: { name: "muon" } },
      { through: "bf16" },
      { scales: "kept" },
      { momentum: 0.5 },
    ]) {
      expect(found({ cases: [{ ...caseResult, ...changes }] })).toBe("other cases");
    }
    expect(found({ cases: [caseResult, caseResult] })).toBe("other cases");
    expect(found({ input: { ...resultOf([caseResult]).input, stepNumbers: [4] } })).toBe("other steps");
  });

  it("have other rates of a sweep", () => {
    const { cases, ...rest } = run(parts[0]) as PartialResult & { cases: unknown };
    const sweep = (part: Part, rates: number[], cells = cases) =>
      ({ ...rest, schema: "precision-lens-sweep/2", part, rates, cells }) as unknown as PartialResult;
    const first = sweep(parts[0], [1, 2]);
    expect(refused(sweep(parts[1], [1, 3]), first).found).toBe("other rates");
    expect(refused(sweep(parts[1], [1, 2], []), first).found).toBe("other cases");
    const set = new PartSet();
    set.add("a", first);
    expect(set.add("b", sweep(parts[1], [1, 2]))).toBe(parts[1]);
  });

  it("are of other files or options by their plan, their whole, or the model they are a sample of", () => {
    for (const changes of [{ plan: "q" }, { whole: { tensors: 2, elements: 17 } }, { sizes: [9, 9] }]) {
      expect(refused(run({ ...parts[1], ...changes })).found).toBe(
        "that of other files, or of other options",
      );
    }
    const sampled = (index: number) => run({ ...parts[index], sizes: [9, 9] });
    const set = new PartSet();
    for (const index of [0, 1, 2]) set.add("one", sampled(index));
    expect(set.end(false)).toBeNull();
  });

  it("of a comparison have no cases, rates or steps to differ by", () => {
    const { cases: _, input: __, ...rest } = run(parts[0]) as PartialResult & { cases: unknown };
    const diff = (part: Part) =>
      ({ ...rest, schema: "precision-lens-diff/2", part, input: {} }) as unknown as PartialResult;
    const set = new PartSet();
    set.add("a", diff(parts[0]));
    expect(set.add("b", diff(parts[1]))).toBe(parts[1]);
  });
});

describe("some parts of a whole", () => {
  const two = () => {
    const set = new PartSet();
    set.add("c", run({ ...parts[2], sizes: [9, 9] }));
    set.add("a", run({ ...parts[0], sizes: [9, 9] }));
    return set;
  };

  it("are refused, with those that are missing, unless they are asked for", () => {
    expect({ ...refusal(() => two().end(false)) }).toEqual({
      part: "merge",
      expected: "all 3 shards (--partial merges those that are there)",
      found: "2; missing: 1",
    });
  });

  it("are one part of it: its shards and ranges in order", () => {
    expect(two().end(true)).toEqual({
      ...{ of: 3, plan: "p", whole: { tensors: 2, elements: 16 }, sizes: [9, 9] },
      index: [0, 2],
      ranges: [
        [0, 0, 4],
        [1, 4, 8],
        [2, 0, 100],
      ],
    });
  });

  it("list their shards by number, not by their digits", () => {
    const of = { of: 20, plan: "p", whole: { tensors: 30, elements: 30 } };
    const set = new PartSet();
    for (const index of [10, 9, 2]) set.add("one", run({ ...of, index, ranges: [[index, 0, 1]] }));
    expect(set.end(true)!.index).toEqual([2, 9, 10]);
  });

  it("leave out what only a merge reads of each", () => {
    const set = new PartSet();
    set.add("a", run({ ...parts[0], cells: [], counted: [] } as Part));
    expect(Object.keys(set.end(true)!).sort()).toEqual(["index", "of", "plan", "ranges", "whole"]);
  });

  it("that have all shards must have all weights, and of every tensor some", () => {
    const end = (ranges: Part["ranges"], whole: Part["whole"]) => {
      const set = new PartSet();
      set.add("a", run({ ...parts[0], of: 1, ranges, whole }));
      return refusal(() => set.end(false));
    };
    expect({
      ...end(
        [
          [0, 2, 8],
          [1, 0, 8],
          [2, 0, 2],
        ],
        parts[0].whole,
      ),
    }).toEqual({
      part: "merge",
      expected: "all 16 weights in 2 tensors",
      found: "14 in 2",
    });
    // As many weights, but none of the tensor without elements.
    expect(
      end(
        [
          [0, 0, 8],
          [1, 0, 8],
        ],
        { tensors: 3, elements: 16 },
      ).found,
    ).toBe("16 in 2");
  });
});

describe("engines of several parts", () => {
  const check = (passed: number, failed: number, firstFailure: string | null) => ({
    selfCheck: { passed, failed, firstFailure },
  });
  const engines: readonly ResultEngine[] = [
    { name: "wasm", device: "9 threads", ...check(5, 1, "of wasm"), remark: "Two.", handedOver: 3 },
    { name: "gpujs", device: "a GPU", ...check(7, 2, "of gpujs"), remark: "One." },
    { name: "best", device: "a GPU", ...check(3, 0, null), remark: "Two." },
    { name: "wasm", device: "9 threads", ...check(5, 1, "of wasm"), remark: "Two.", handedOver: 4 },
    { name: "wasm", device: "9 threads", ...check(5, 1, "of wasm") },
  ];
  const added = (list: readonly ResultEngine[]) => {
    const set = new EngineSet();
    for (const engine of list) set.add(engine);
    return set.end();
  };

  it("are told by name, each once with its shards; the first failure is that of the first by name", () => {
    const expected = {
      name: "best, gpujs, wasm",
      device: "9 threads; a GPU",
      // With a remark and without one they are two engines.
      selfCheck: { passed: 3 + 7 + 5 + 5, failed: 0 + 2 + 1 + 1, firstFailure: "of gpujs" },
      handedOver: 7,
      remark: "One. Two.",
      parts: [
        { name: "best", device: "a GPU", ...check(3, 0, null), remark: "Two.", shards: 1 },
        { name: "gpujs", device: "a GPU", ...check(7, 2, "of gpujs"), remark: "One.", shards: 1 },
        { name: "wasm", device: "9 threads", ...check(5, 1, "of wasm"), shards: 1 },
        { name: "wasm", device: "9 threads", ...check(5, 1, "of wasm"), remark: "Two.", shards: 2 },
      ],
    };
    for (const order of [engines, engines.toReversed(), [1, 4, 0, 2, 3].map((i) => engines[i])]) {
      expect(added(order)).toEqual(expected);
    }
    // Of sums of some, too.
    expect(added([added(engines.slice(3)), added(engines.slice(0, 3))])).toEqual(expected);
  });

  it("say nothing of what none handed over or remarked", () => {
    const quiet: ResultEngine = { name: "wasm", device: "CPU", ...check(5, 0, null) };
    expect(Object.keys(added([quiet])).sort()).toEqual(["device", "name", "parts", "selfCheck"]);
    expect(added([quiet]).selfCheck.firstFailure).toBeNull();
  });
});
