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

test("milestones stand on a logarithmic axis, with round numbers; even steps stand evenly", () => {
  const labels = (steps: readonly number[]) => {
    const values = steps.map((_, i) => i);
    const chart = {
      steps,
      series: [{ label: "a", values, ink: 0 }],
      format: () => "y",
      scale: "linear" as const,
    };
    const svg = drawLines(chart, { width: 1100, height: 440 }, palettes.light);
    const texts = [...svg.matchAll(/<text x="([\d.]+)"[^>]*text-anchor="middle"[^>]*>(\d+)</g)];
    return { texts: texts.map(([, , step]) => Number(step)), at: texts.map(([, x]) => Number(x)), svg };
  };
  const { texts, at, svg } = labels([1, 2, 3, 12, 53, 230, 1000]);
  expect(texts).toEqual([1, 10, 100, 1000]);
  // A decade is as wide as the next.
  expect(at[1] - at[0]).toBeCloseTo(at[2] - at[1], 0);
  expect(at[2] - at[1]).toBeCloseTo(at[3] - at[2], 0);
  expect(svg).toContain("step, logarithmic");
  // The curve stands where its labels are.
  const decades = labels([1, 2, 10, 100, 1000]);
  const [, path] = /<(?:path d|polyline points)="([^"]+)"/.exec(decades.svg)!;
  const xs = [...path.matchAll(/([\d.]+)[ ,]([\d.]+)/g)].map(([, x]) => Number(x));
  expect(xs).toHaveLength(5);
  for (const [i, tick] of decades.at.entries()) expect(xs[i === 0 ? 0 : i + 1]).toBeCloseTo(tick, 0);
  expect(labels([1, 2, 3, 10, 40]).texts).toEqual([1, 2, 5, 10, 20]);
  expect(labels([1, 2, 3, 4]).texts).toEqual([1, 2, 3, 4]);
});
