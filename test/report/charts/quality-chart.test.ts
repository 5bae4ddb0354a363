import { expect, test } from "vitest";
import type { Inspection } from "../../../src/lens/inspect/inspection.js";
import { decibels, qualityCharts } from "../../../src/report/charts/quality-chart.js";

type Ratio = number | null;

function inspected(
  layers: readonly (readonly [stack: string, layer: number, ...ratios: Ratio[]])[],
): Inspection {
  return {
    settings: { as: ["bf16", "mxfp4"], sample: null },
    layers: layers.map(([stack, layer, ...ratios]) => ({
      stack,
      layer,
      as: ratios.map((sqnr) => ({ sqnr, elements: 2 })),
    })),
  } as unknown as Inspection;
}

test("a line for each format that changes numbers, of the stack with the most layers", () => {
  const [chart] = qualityCharts(
    inspected([
      ["vision", 0, 1, 1],
      ["text", 0, null, 20],
      ["text", 1, null, 18.25],
    ]),
  );
  expect(chart.title).toBe("Signal to quantization noise is 18.3 dB or more in every layer of text");
  expect(chart.caption).toContain("layer of text");
  expect(chart.numbers).toEqual({
    headings: ["layer", "mxfp4"],
    rows: [
      ["0", "20.0"],
      ["1", "18.3"],
    ],
  });
});

test("a layer that a format leaves as it is has no point, and is called exact", () => {
  const [chart] = qualityCharts(
    inspected([
      ["text", 0, null, null],
      ["text", 1, 50, 18],
    ]),
  );
  expect(chart.numbers.rows).toEqual([
    ["0", "exact", "exact"],
    ["1", "50.0", "18.0"],
  ]);
});

test("none where one layer is, nothing was tried, or nothing changed", () => {
  expect(qualityCharts(inspected([["text", 0, 1, 1]]))).toEqual([]);
  expect(qualityCharts(inspected([]))).toEqual([]);
  const exact = [
    ["text", 0, null, null],
    ["text", 1, null, null],
  ] as const;
  expect(qualityCharts(inspected(exact))).toEqual([]);
});

test("nothing is exact whose numbers become NaN, or that has none", () => {
  const quality = {
    format: "mxfp4",
    elements: 2,
    clipped: 0,
    flushed: 0,
    sqnr: null,
    sums: { signal: [], error: [] },
  };
  expect(decibels(quality)).toBe("exact");
  expect(decibels({ ...quality, storedNaN: 1 })).toBe("–");
  expect(decibels({ ...quality, elements: 0 })).toBe("–");
  expect(decibels({ ...quality, sqnr: 20.04, storedNaN: 1 })).toBe("20.0");
});
