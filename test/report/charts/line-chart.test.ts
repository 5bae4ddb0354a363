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

const chartOf = (ends: readonly number[]) => {
  const series = ends.map((end, i) => ({ label: `case ${i}`, values: [0.5, end], ink: i }));
  const chart = { steps: ["a", "b"], series, format: String, scale: "linear" as const };
  return drawLines(chart, { width: 1100, height: 440 }, palettes.light);
};

test("where three lines end together a legend has a piece of each, and the last number of the others alone", () => {
  const svg = chartOf([1, 1, 0.999, 0.2]);
  const pieces = (ink: string) =>
    [...svg.matchAll(/<path [^>]*>/g)].filter(([element]) => element.includes(`stroke="${ink}"`));
  // The line, and its piece.
  for (const ink of palettes.light.series.slice(0, 4)) expect(pieces(ink)).toHaveLength(2);
  // The word that all share is left out.
  expect([...svg.matchAll(/>(\d[^<]*)<\/text>/g)].map(([, said]) => said).slice(-4)).toEqual([
    "0",
    "1",
    "2",
    "3 0.2",
  ]);
});

test("lines that end apart are named at their ends, with their last numbers", () => {
  const svg = chartOf([1, 0.6, 0.2]);
  for (const [i, end] of [1, 0.6, 0.2].entries()) expect(svg).toContain(`>${i} ${end}</text>`);
  expect(svg.match(/<path /g)).toHaveLength(3);
});
