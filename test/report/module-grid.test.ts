import { describe, expect, test } from "vitest";
import { moduleGrids } from "../../src/report/module-grid.js";

const part = (name: string, portion: number, whole: number) => ({ name, part: portion, whole });

describe("moduleGrids", () => {
  test("adds up weights, a row a module, a column a layer", () => {
    const [grid, ...others] = moduleGrids([
      part("model.layers.10.self_attn.q_proj.weight", 1, 4),
      part("model.layers.2.self_attn.q_proj.weight", 3, 4),
      part("model.layers.2.self_attn.q_proj.bias", 0, 2),
      part("model.layers.2.mlp.down_proj.weight", 5, 5),
      part("model.embed_tokens.weight", 7, 7),
    ]);
    expect(others).toEqual([]);
    expect(grid).toEqual({
      stack: "model.layers",
      layers: [2, 10],
      kinds: ["q", "down"],
      shares: [
        [3 / 6, 1 / 4],
        [1, null],
      ],
      halfWidth: 0,
      suppressed: 0,
      whole: 15,
    });
  });

  test("of a sample, shows shares whose 95 % intervals carry whole percents, and counts the others", () => {
    // Half of 1.96 * 2 * sqrt(p q / n): .43 % of the first, .86 % of the second, 4.4 % of the third.
    const [grid] = moduleGrids(
      [
        part("layers.0.self_attn.q_proj.weight", 3800, 4000 + 6000),
        part("layers.1.self_attn.q_proj.weight", 9500, 10_000),
        part("layers.0.mlp.down_proj.weight", 2375, 2500),
        part("layers.1.mlp.down_proj.weight", 250, 500),
      ],
      true,
    );
    expect(grid.shares).toEqual([
      [null, 0.95],
      [null, null],
    ]);
    expect(grid.suppressed).toBe(3);
    expect(grid.halfWidth).toBeCloseTo(1.96 * Math.sqrt((0.95 * 0.05) / 10_000), 4);
  });

  test("tells stacks apart, the largest first", () => {
    const grids = moduleGrids([
      part("encoder.layers.0.fc1.weight", 1, 2),
      part("decoder.layers.0.fc1.weight", 1, 9),
    ]);
    expect(grids.map(({ stack }) => stack)).toEqual(["decoder.layers", "encoder.layers"]);
  });

  test("knows nothing of a layer without a finite weight, and has no grid without layers", () => {
    expect(moduleGrids([part("layers.0.q_proj", 0, 0)])[0].shares).toEqual([[null]]);
    expect(moduleGrids([part("w", 1, 1)])).toEqual([]);
  });
});
