import { describe, expect, test } from "vitest";
import { reportScript } from "../../browser-bundle.js";
import { htmlAssets } from "../../src/cli/html-assets.js";
import { roundings } from "../../src/format/round.js";
import { classify } from "../../src/lens/classify.js";
import { inlineOf } from "../../src/report/charts/figure.js";
import { pageInks } from "../../src/report/charts/inks.js";
import { boundaryOf, classHeading, classWordsOf } from "../../src/report/rounding-words.js";
import { applyUpdate } from "../../src/update/apply.js";
import { figuresOfRun, renderHtml } from "../support/rendered.js";
import { caseOf, resultOf } from "../support/results.js";

describe("the boundary is the size from which every update moves its weight", () => {
  // Numbers of bf16 of either sign, with an even and an odd code, 2^-7 from their neighbours.
  const weights = [1.5, 1.5078125, -1.5, -1.5078125];
  const gap = 2 ** -7;
  const sizes = Array.from({ length: 96 }, (_, i) => (i + 1) / 64);

  test.each(roundings)("%s", (rounding) => {
    const stays = (size: number) =>
      weights.some((weight) =>
        [size, -size].some((share) => {
          const start = { weight, carrier: 0 };
          // The least draw: the one that stays, if any does.
          const next = applyUpdate(start, share * gap, { format: "bf16", rounding, random: () => 0 });
          return classify(start, share * gap, next) === "lost";
        }),
      );
    const { exponent } = boundaryOf({ rounding });
    expect(sizes.filter((size) => size < 2 ** exponent).every(stays)).toBe(true);
    expect(sizes.filter((size) => size > 2 ** exponent).some(stays)).toBe(false);
  });

  test("is named as what it is", () => {
    expect(roundings.map((rounding) => [rounding, boundaryOf({ rounding }).words])).toEqual([
      ["nearest-even", "half the gap"],
      ["nearest-away", "half the gap"],
      ["toward-zero", "the gap"],
      ["toward-positive", "the gap"],
      ["toward-negative", "the gap"],
      ["to-odd", "the gap"],
      ["stochastic", "the gap"],
    ]);
  });
});

test("every class has its words, and a heading over both kinds of rounding has both", () => {
  for (const rounding of roundings) expect(new Set(Object.values(classWordsOf({ rounding }))).size).toBe(6);
  const mixed = [{ rounding: "nearest-even" }, { rounding: "stochastic" }, { rounding: "stochastic" }];
  expect(classHeading("lost", mixed)).toBe("lost or stayed by chance");
  expect(classHeading("moved", mixed)).toBe("moved");
  const schemes = ["in-place", "master", "kahan", "two-term"];
  expect(schemes.map((scheme) => classWordsOf({ rounding: "nearest-even", scheme }).kept)).toEqual([
    "kept",
    "held in the master",
    "held in the compensation",
    "held in the second term",
  ]);
  const stored = schemes.slice(0, 3).map((scheme) => ({ rounding: "nearest-even", scheme }));
  expect(classHeading("kept", stored)).toBe("held in master or compensation buffer");
  expect(classHeading("kept", stored.slice(0, 1))).toBe("kept");
});

describe("a run stored with stochastic rounding", async () => {
  const weights = Array.from({ length: 64 }, (_, i) => 1 + i / 64);
  const result = resultOf([await caseOf(weights, new Array(64).fill(2 ** -10), { rounding: "stochastic" })]);

  test("has no figure that speaks of loss", () => {
    const told = figuresOfRun(result).map((figure) => inlineOf(figure, pageInks));
    const words = told.map((svg) => svg.replace(/fill="[^"]*"/g, ""));
    expect(words.filter((svg) => /\blost\b|half the gap/.test(svg)).length).toBe(0);
    expect(words.join()).toContain("stayed by chance");
    // Nor is one in the colour of it.
    const ofLoss = /fill="var\(--lost-(fill|text|on)\)"/;
    expect(told.filter((svg) => svg.includes("stayed by chance")).filter((svg) => ofLoss.test(svg))).toEqual(
      [],
    );
    expect(words.join()).toContain("smaller than the gap, and move their weight by chance");
  });

  test("has a report that speaks of loss only where it says what the word means", () => {
    const html = renderHtml(result, htmlAssets(reportScript()));
    const body = html
      .slice(html.indexOf("<body"), html.indexOf("<footer"))
      .replace(/<script[\s\S]*?<\/script>/g, "");
    const text = body.replace(/<style[\s\S]*?<\/style>|<[^>]*>/g, " ");
    expect(text.match(/[^.]*\blost\b[^.]*/g) ?? []).toEqual([]);
    expect(html).toContain("under stochastic rounding, where on average nothing is lost");
  });
});
