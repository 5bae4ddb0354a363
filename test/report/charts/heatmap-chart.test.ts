import { expect, test } from "vitest";
import { heatmapChart } from "../../../src/report/charts/heatmap-chart.js";
import { palettes } from "../../../src/report/charts/palette.js";
import { moduleGrids } from "../../../src/report/module-grid.js";

/** Two layers of which 98.0 and 98.9 % are unchanged, and one of which too few weights were drawn. */
const parts = [
  { name: "layers.0.self_attn.q_proj.weight", part: 9800, whole: 10_000 },
  { name: "layers.1.self_attn.q_proj.weight", part: 9890, whole: 10_000 },
  { name: "layers.2.self_attn.q_proj.weight", part: 98, whole: 100 },
];

function shown(sampled: boolean) {
  const figure = heatmapChart(moduleGrids(parts, sampled)[0], "bf16");
  const svg = figure.draw(figure.size, palettes.light);
  const { heat } = palettes.light;
  const cells = [...svg.matchAll(/fill="(#\w{6})"/g)]
    .map(([, fill]) => heat.indexOf(fill))
    .filter((i) => i >= 0);
  // The key has every shade once, after the cells.
  return { ...figure, svg, cells: cells.slice(0, -heat.length) };
}

test("all weights counted: every cell, to a tenth, in shades that tell them apart", () => {
  const { title, caption, numbers, cells } = shown(false);
  expect(title).toBe("bf16: 98.0% to 98.9% unchanged, by layer and module");
  expect(caption).not.toContain("sample");
  expect(numbers.rows.map(([, cell]) => cell)).toEqual(["98.0%", "98.9%", "98.0%"]);
  expect(cells).toHaveLength(3);
  expect(cells[1] - cells[0]).toBeGreaterThan(4);
});

test("a sample: whole percents, no cell where these are not known, and no shade narrower than an interval", () => {
  const { title, caption, numbers, cells, svg } = shown(true);
  expect(title).toBe("bf16: 98% to 99% unchanged, by layer and module");
  expect(caption).toContain("A sample: 1 cell left empty, where");
  expect(numbers.rows.map(([, cell]) => cell)).toEqual(["98%", "99%", "–"]);
  expect(cells).toHaveLength(2);
  // Intervals of 98 % of 10,000 are ± 0.28 %: nine shades of 0.55 % span five percent.
  const [low, high] = [...svg.matchAll(/>(\d+)%(?: unchanged)?</g)].map(([, said]) => Number(said)).slice(-2);
  expect(high - low).toBeGreaterThanOrEqual(5);
  expect(cells[1] - cells[0]).toBeLessThanOrEqual(2);
});
