import { Resvg } from "@resvg/resvg-js";
import { describe, expect, test } from "vitest";
import { fontFiles } from "../../../src/cli/html-assets.js";
import { type Figure, inlineOf, slideOf } from "../../../src/report/charts/figure.js";
import { pageInks } from "../../../src/report/charts/inks.js";
import { palettes } from "../../../src/report/charts/palette.js";
import { differenceResult, hostileName, oddResults, smallResult } from "../../support/figures.js";
import { learnResult, runComparison } from "../../support/learning.js";
import {
  figuresOfComparison,
  figuresOfDiff,
  figuresOfLearning,
  figuresOfPrediction,
  figuresOfRun,
  figuresOfSweep,
} from "../../support/rendered.js";
import { misplaced, textBoxes } from "../../support/svg-texts.js";
import { oddPredictions, oddSweeps, predictionResult, sweepResult } from "../../support/sweep.js";

const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: "Inter" };
const drawn = (svg: string) => new Resvg(svg, { font });

const results: Record<string, readonly Figure[]> = {
  "a run": figuresOfRun(smallResult()),
  "a comparison": figuresOfDiff(differenceResult()),
  "a comparison that knows what is hidden": figuresOfDiff(differenceResult({ hidden: true })),
  "a sweep": figuresOfSweep(sweepResult({ schemes: ["in-place", "master", "kahan"] })),
  "a prediction": figuresOfPrediction(predictionResult()),
  "models that learn": figuresOfLearning(learnResult()),
  "recorded runs": figuresOfComparison(runComparison("runs/b")),
  "recorded runs of hostile names": figuresOfComparison(runComparison(hostileName)),
  ...eachOf(await oddResults(), figuresOfRun),
  ...eachOf(oddSweeps(hostileName), figuresOfSweep),
  ...eachOf(oddPredictions(hostileName), figuresOfPrediction),
};

function eachOf<Of>(named: Record<string, Of>, figures: (value: Of) => readonly Figure[]) {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, figures(value)]));
}

/** Figures whose text is kept: of the run, its third case left out as like its second, and one of each other kind. */
const kept = [
  ...results["a run"].filter(({ name }) => !name.startsWith("case-3")),
  ...results["a comparison that knows what is hidden"],
  ...results["a sweep"],
  ...results["a prediction"],
];

describe("figures are the committed text", () => {
  test.each(kept.map((figure) => [figure.name, figure] as const))("%s", async (name, figure) => {
    await expect(slideOf(figure, "light", "seeded numbers")).toMatchFileSnapshot(`./svg/${name}.svg`);
  });
});

describe.each(Object.entries(results))("figures of %s", (_, figures) => {
  test("have names of their own that fit files and pages", () => {
    const names = figures.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z][a-z0-9-]*[a-z0-9]$/.test(name))).toEqual([]);
  });

  test("are told to those who do not see them, with their numbers", () => {
    for (const figure of figures) {
      const svg = inlineOf(figure, pageInks);
      expect(svg).toContain(`role="img" aria-labelledby="${figure.name}-title ${figure.name}-desc"`);
      expect(svg).toMatch(/<title id="[^"]+">[^<]+<\/title><desc id="[^"]+">[^<]+<\/desc>/);
      for (const row of figure.numbers.rows) expect(row.length).toBe(figure.numbers.headings.length);
    }
  });

  test("stay within their slide, with the font that is set", () => {
    for (const figure of figures) {
      const svg = slideOf(figure, "light", "where the numbers are from");
      // Without its ground, a slide's box is that of what is drawn on it.
      const box = drawn(svg.replace(/<rect width="1600" height="900"[^>]*>/, "")).getBBox()!;
      expect(box.x, figure.name).toBeGreaterThanOrEqual(8);
      expect(box.y, figure.name).toBeGreaterThanOrEqual(8);
      expect(box.x + box.width, figure.name).toBeLessThanOrEqual(1592);
      expect(box.y + box.height, figure.name).toBeLessThanOrEqual(892);
    }
  });

  test("stay within their place in a page", () => {
    for (const figure of figures) {
      const { width, height } = figure.size;
      const box = drawn(inlineOf(figure, palettes.light)).getBBox();
      if (!box) continue;
      expect(box.x, figure.name).toBeGreaterThanOrEqual(-1);
      expect(box.y, figure.name).toBeGreaterThanOrEqual(-1);
      expect(box.x + box.width, figure.name).toBeLessThanOrEqual(width + 1.001);
      expect(box.y + box.height, figure.name).toBeLessThanOrEqual(height + 1);
    }
  });

  test("have no text that is cut or lies on another", () => {
    for (const figure of figures) {
      const { width, height } = figure.size;
      expect(misplaced(textBoxes(slideOf(figure, "light", "the source")), 1600, 900), figure.name).toEqual(
        [],
      );
      expect(misplaced(textBoxes(inlineOf(figure, pageInks)), width, height), figure.name).toEqual([]);
    }
  });

  test("have no number that is none", () => {
    for (const figure of figures) {
      expect(inlineOf(figure, pageInks)).not.toMatch(/NaN|Infinity|undefined|null/);
    }
  });
});

test("themes differ in colours alone", () => {
  const [figure] = results["a run"];
  const [light, dark] = (["light", "dark"] as const).map((theme) => slideOf(figure, theme, "seeded"));
  expect(light).not.toBe(dark);
  const bare = (svg: string) => svg.replace(/#[0-9a-f]{6}/g, "#");
  expect(bare(light)).toBe(bare(dark));
});

test("a figure in a page names no colour, so that it follows the page's theme", () => {
  for (const figure of results["a run"]) {
    expect(inlineOf(figure, pageInks)).not.toMatch(/#[0-9a-f]{6}/);
  }
});
