import { expect, test } from "vitest";
import { distanceChart } from "../../../src/report/charts/distance-chart.js";
import { palettes } from "../../../src/report/charts/palette.js";
import { differenceResult } from "../../support/figures.js";

/** The labels below the axis, of so many bins. */
function named(bins: number): string[] {
  const { totals } = differenceResult({ hidden: true });
  const figure = distanceChart({ ...totals, ulps: Array.from({ length: bins }, () => 1), changed: bins });
  const svg = figure.draw(figure.size, palettes.light);
  return [...svg.matchAll(/<text [^>]*>([\d,]+\+?)<\/text>/g)].map(([, said]) => said);
}

test("the axis names every number where there is room, and round ones where there is not", () => {
  expect(named(6)).toEqual(["1", "2", "3", "4", "5", "6"]);
  expect(named(15)).toEqual(["1", "2", "5", "10"]);
  expect(named(24).slice(0, 5)).toEqual(["1", "2", "5", "10", "16+"]);
});
