import { describe, expect, it } from "vitest";
import { upgraded } from "../../../src/lens/run/old-results.js";
import type { Result } from "../../../src/lens/run/result.js";
import { caseOf, resultOf } from "../../support/results.js";
import { expectValid } from "../../support/schemas.js";
import { sweepResult } from "../../support/sweep.js";

/** An end as schema 1 had it. */
function oldEnd<T extends { visible: unknown; sums: object }>({ visible, sums, ...end }: T) {
  const { retained: _, noise: __, noiseToWeight: ___, ...counts } = end as Record<string, unknown>;
  const { displacementSquared, product } = sums as Record<string, unknown>;
  return { ...counts, effectiveDescent: visible, sums: { displacementSquared, product } };
}

/** A result of today as schema 1 had it. */
function old(result: Result): object {
  return {
    ...result,
    schema: "precision-lens/1",
    cases: result.cases.map((caseResult) => ({
      ...caseResult,
      end: oldEnd(caseResult.end),
      curve: caseResult.curve.map(({ step, elements, ...end }) => ({ step, elements, ...oldEnd(end) })),
      tensors: caseResult.tensors.map((tensor) => ({ ...tensor, end: oldEnd(tensor.end) })),
    })),
  };
}

const updates = [1e-6, 1e-2, 0, -3e-5];
const run = async () =>
  resultOf([
    await caseOf([0.02, 1, -0.5, 0.3], updates),
    await caseOf([0.02, 1, -0.5, 0.3], updates, { scheme: "master" }),
  ]);

describe("a result of schema 1", () => {
  it("is one of today: what it had keeps its value, what it lacked is null", async () => {
    const today = await run();
    const read = upgraded(JSON.parse(JSON.stringify(old(today)))) as Result;
    expectValid("result", read);
    const [inPlace, master] = read.cases;
    // Without a carrier weight and carrier are the weight.
    expect(inPlace.end).toMatchObject({
      retained: today.cases[0].end.retained,
      noise: null,
      noiseToWeight: null,
    });
    expect(inPlace.end.sums.retainedProduct).toEqual(today.cases[0].end.sums.retainedProduct);
    expect(master.end).toMatchObject({ visible: today.cases[1].end.visible, retained: null, noise: null });
    expect(master.tensors[0].end.retained).toBeNull();
    expect(master.totals).toEqual(today.cases[1].totals);
  });

  it("names e4m3 as it was meant then: the IEEE-like format", async () => {
    const renamed = old(await run()) as { cases: object[] };
    renamed.cases = renamed.cases.map((caseResult, i) => ({ ...caseResult, format: ["e4m3", "e5m2"][i] }));
    expect((upgraded(renamed) as Result).cases.map(({ format }) => format)).toEqual(["e4m3-ieee", "e5m2"]);
  });
});

describe("formats of old results", () => {
  it("that had no suffix then are the IEEE-like ones; all else keeps its name, or what is none", () => {
    const old = ["e4m3", "e2m1", "e2m3", "e3m2", "e4m3fn", "e5m2", "bf16", 7, null];
    const cases = old.map((format) => ({ format }));
    const { cases: read } = upgraded({ schema: "precision-lens/1", cases }) as {
      cases: { format: unknown }[];
    };
    expect(read.map(({ format }) => format)).toEqual([
      ...["e4m3-ieee", "e2m1-ieee", "e2m3-ieee", "e3m2-ieee", "e4m3fn", "e5m2", "bf16", 7, null],
    ]);
  });
});

describe("the curve of a result of schema 1", () => {
  const point = {
    ...{ step: 3, elements: 4, unchanged: 1, effectiveDescent: 0.5 },
    sums: { displacementSquared: [4], product: [2] },
  };
  const curveOf = (caseResult: object) => {
    const read = upgraded({ schema: "precision-lens/1", cases: [caseResult] }) as { cases: object[] };
    return (read.cases[0] as { curve?: unknown }).curve;
  };

  it("has at each point what the end has", () => {
    const rest = { step: 3, elements: 4, unchanged: 1, visible: 0.5, noise: null, noiseToWeight: null };
    const noSums = { noiseSquared: null, weightSquared: null };
    expect(curveOf({ scheme: "in-place", curve: [point] })).toEqual([
      { ...rest, retained: 0.5, sums: { ...point.sums, retainedProduct: [2], ...noSums } },
    ]);
    expect(curveOf({ scheme: "kahan", curve: [point] })).toEqual([
      { ...rest, retained: null, sums: { ...point.sums, retainedProduct: null, ...noSums } },
    ]);
  });

  it("is absent where it was", () => {
    const read = upgraded({ schema: "precision-lens/1", cases: [{ scheme: "kahan" }] }) as {
      cases: object[];
    };
    expect("curve" in read.cases[0]).toBe(false);
  });
});

describe("a comparison of schema 1", () => {
  it("did not count bytes, and named formats as they were named then", () => {
    const counts = { elements: 9, changed: 2 };
    const old = {
      schema: "precision-lens-diff/1",
      settings: { view: "e4m3", strict: false },
      totals: counts,
      kinds: [{ kind: "q", ...counts }],
      layers: [{ layer: 0, ...counts }],
      tensors: [
        { name: "w", ...counts, formats: { before: "fp32", after: "e2m1", compared: "e2m1" } },
        { name: "b", ...counts },
      ],
      delta: { fullBytes: 9 },
    };
    const read = { ...counts, bytesChanged: null };
    expect(upgraded(old)).toEqual({
      schema: "precision-lens-diff/2",
      settings: { view: "e4m3-ieee", strict: false },
      totals: read,
      kinds: [{ kind: "q", ...read }],
      layers: [{ layer: 0, ...read }],
      tensors: [
        { name: "w", ...read, formats: { before: "fp32", after: "e2m1-ieee", compared: "e2m1-ieee" } },
        { name: "b", ...read },
      ],
      delta: { fullBytes: 9 },
    });
  });

  it("is left as it is where it is not one", () => {
    const odd = { totals: 1, settings: 2, kinds: null, layers: "none", tensors: [3] };
    expect(upgraded({ schema: "precision-lens-diff/1", ...odd })).toEqual({
      schema: "precision-lens-diff/2",
      ...odd,
    });
  });
});

describe("a prediction", () => {
  it("has its format by the name of today", () => {
    const old = { schema: "precision-lens-prediction/1", format: "e3m2", changed: 3 };
    expect(upgraded(old)).toEqual({ ...old, format: "e3m2-ieee" });
  });
});

describe("a sweep of schema 1", () => {
  it("has its answers again, by what is known to be retained", () => {
    const today = sweepResult({ schemes: ["in-place", "master"], progress: () => 1 });
    const { answers: _, ...rest } = today;
    const cells = today.cells.map((cell) => ({ ...cell, end: oldEnd(cell.end) }));
    const read = upgraded({ ...rest, schema: "precision-lens-sweep/1", cells, answers: {} });
    expectValid("sweep", read);
    const { answers } = read as typeof today;
    expect(answers.cases.map(({ scheme, keepsFrom }) => [scheme, keepsFrom])).toEqual([
      ["in-place", today.rates[0]],
      ["master", null],
    ]);
  });
});

describe("a sweep", () => {
  const end = { effectiveDescent: 0.5, sums: { product: [1] } };

  it("of schema 1 that is malformed has its cells read and no answers made up", () => {
    const cells = [{ format: "e4m3", scheme: "in-place", end, rate: 1 }];
    expect(upgraded({ schema: "precision-lens-sweep/1", cells, answers: "none", settings: null })).toEqual({
      schema: "precision-lens-sweep/2",
      cells: [
        {
          ...{ format: "e4m3-ieee", scheme: "in-place", rate: 1 },
          end: {
            ...{ visible: 0.5, retained: 0.5, noise: null, noiseToWeight: null },
            sums: { product: [1], retainedProduct: [1], noiseSquared: null, weightSquared: null },
          },
        },
      ],
      answers: "none",
      settings: null,
    });
  });

  it("from before scales were shared has as many zeros as updates that were none", () => {
    const cells = [{ totals: { none: 3, lost: 1 } }, { totals: { none: 3, collateral: 2, zeros: 4 } }, {}];
    expect(upgraded({ schema: "precision-lens-sweep/2", cells })).toEqual({
      schema: "precision-lens-sweep/2",
      cells: [{ totals: { none: 3, lost: 1, collateral: 0, zeros: 3 } }, cells[1], {}],
    });
  });
});

describe("anything else", () => {
  it.each([null, 1, "text", [], {}, { schema: "precision-lens/3" }, { schema: ["precision-lens/1"] }])(
    "%j is left as it is",
    (value) => {
      expect(upgraded(value)).toBe(value);
    },
  );

  it.each([
    { schema: "precision-lens/1" },
    { schema: "precision-lens/1", cases: [null, 1, { end: 1, tensors: [[]], curve: {} }] },
    { schema: "precision-lens-sweep/1", cells: [{}] },
    { schema: "precision-lens-sweep/1", cells: "none", settings: null },
    { schema: "precision-lens-diff/1", totals: 1, tensors: [1, { formats: 1 }], kinds: null },
  ])("malformed: %j throws nothing", (value) => {
    expect(() => upgraded(value)).not.toThrow();
  });
});

describe("a result from before scales were shared", () => {
  it("has no collateral, and as many zeros as updates that were none", async () => {
    const today = await run();
    const asThen = ({ collateral: _, zeros: __, ...counts }: Result["cases"][0]["totals"]) => counts;
    const old = {
      ...today,
      cases: today.cases.map((caseResult) => ({
        ...caseResult,
        totals: asThen(caseResult.totals),
        steps: caseResult.steps.map(({ collateral: _, zeros: __, ...counts }) => counts),
        tensors: caseResult.tensors.map((tensor) => ({ ...tensor, totals: asThen(tensor.totals) })),
      })),
    };
    const read = upgraded(JSON.parse(JSON.stringify(old)));
    expectValid("result", read);
    expect(read).toEqual(today);
    expect(today.cases[0].totals).toMatchObject({ collateral: 0, none: 1, zeros: 1 });
  });
});
