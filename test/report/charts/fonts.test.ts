import { expect, test } from "vitest";
import { slideOf } from "../../../src/report/charts/figure.js";
import { withBrowser } from "../../page/browser.js";
import { differenceResult, smallResult } from "../../support/figures.js";
import { figuresOfDiff, figuresOfPrediction, figuresOfRun, figuresOfSweep } from "../../support/rendered.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { misplaced, type TextBox, textBoxes } from "../../support/svg-texts.js";
import { predictionResult, sweepResult } from "../../support/sweep.js";
import { sized } from "../../support/tier.js";

const figures = [
  ...figuresOfRun(smallResult()),
  ...figuresOfDiff(differenceResult({ hidden: true })),
  ...figuresOfSweep(sweepResult({ schemes: ["in-place", "master", "kahan"] })),
  ...figuresOfPrediction(predictionResult()),
];

/** Widths as Chromium sets them. */
const measure = `[...document.querySelectorAll("text")].map((text) => {
  const { x, width } = text.getBBox();
  const { e } = text.parentElement.transform.baseVal.consolidate()?.matrix ?? { e: 0 };
  return { said: text.textContent, left: x + e, right: x + e + width };
})`;

describeNeeding(requirements.chromium, "where Inter is missing", () => {
  const { open } = withBrowser();

  // A monospaced font, and one that is spaced out by a seventh of its size, are wider than any that usually stands in.
  const wide = ["monospace", "sans-serif; letter-spacing: 0.15em"];
  test.each(sized({ quick: wide, full: ["sans-serif", "serif", ...wide] }))(
    "figures are set in %s, and no text is cut or lies on another",
    async (font) => {
      const page = await open("#data");
      let wider = 0;
      for (const figure of figures) {
        const svg = slideOf(figure, "light", "where the numbers are from");
        const other = svg.replace(/font-family="[^"]*" style="/, `style="font-family: ${font}; `);
        expect(other).not.toBe(svg);
        const boxes = textBoxes(svg);
        const set = async (picture: string) => {
          await page.setContent(picture);
          return page.evaluate<Pick<TextBox, "said" | "left" | "right">[]>(measure);
        };
        const found = await set(other);
        const seen = boxes.map((box, i) => ({ ...box, left: found[i].left, right: found[i].right }));
        expect(misplaced(seen, 1600, 900), figure.name).toEqual([]);
        // Chromium's boxes take in what letters have beyond their advance.
        for (const [i, { left, right }] of boxes.entries()) {
          expect(Math.abs(found[i].left - left), found[i].said).toBeLessThan(2);
          expect(Math.abs(found[i].right - right), found[i].said).toBeLessThan(2);
        }
        // By itself the font is another one: the test can fail.
        const natural = await set(other.replaceAll(/ textLength="[^"]*"/g, ""));
        wider += natural.filter(
          ({ left, right }, i) => right - left > 1.05 * (boxes[i].right - boxes[i].left),
        ).length;
      }
      // A serif face is about as wide as Inter.
      if (font !== "serif") expect(wider).toBeGreaterThan(20);
    },
  );
});
