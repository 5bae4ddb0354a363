import { expect, test } from "vitest";
import { bundlesOf, drawLines } from "../../../src/report/charts/line-chart.js";
import { palettes } from "../../../src/report/charts/palette.js";

test("lines that end together are a bundle, from three on", () => {
  expect(bundlesOf([10, 12, 200])).toEqual([]);
  expect(bundlesOf([12, 200, 10, 16])).toEqual([[2, 0, 3]]);
  // Each within reach of the one before.
  expect(bundlesOf([0, 5, 10, 100, 103, 106])).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
});

test("the labels of a bundle have one line that leads to them, and others their own", () => {
  const series = [1, 1, 0.999, 0.2].map((end, i) => ({ label: `case ${i}`, values: [0.5, end], ink: i }));
  const chart = { steps: ["a", "b"], series, format: String, scale: "linear" as const };
  const svg = drawLines(chart, { width: 1100, height: 440 }, palettes.light);
  const leads = (ink: string) =>
    [...svg.matchAll(/<line [^>]*>/g)].filter(([element]) => element.includes(`stroke="${ink}"`));
  const { series: inks, muted } = palettes.light;
  expect(inks.slice(0, 4).map((ink) => leads(ink).length)).toEqual([0, 0, 0, 1]);
  // The bracket, and what leads to it.
  expect(leads(muted)).toHaveLength(2);
  for (const { label } of series) expect(svg).toContain(`>${label} `);
});
