import { readFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, test } from "vitest";
import { fontFiles } from "../../../src/cli/html-assets.js";
import {
  at,
  escapeXml,
  fitted,
  lines,
  polyline,
  powerOfTwo,
  text,
  textWidth,
} from "../../../src/report/charts/svg.js";

test("coordinates have one decimal and no sign at zero", () => {
  expect([1 / 3, -0.04, 12, -2.25, 1e6].map(at)).toEqual(["0.3", "0", "12", "-2.2", "1000000"]);
});

test("no text is markup", () => {
  expect(escapeXml(`<a b="c" d='e'>&amp;`)).toBe("&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;amp;");
  expect(text(0, 0, "</text><script>", { size: 10, fill: "red" })).not.toContain("<script>");
});

test("a line is broken where a value is unknown", () => {
  const path = polyline([[0, 0], [1, 1], null, [3, 3], [4, 4]], { colour: "red" });
  expect(path).toContain('d="M0 0L1 1M3 3L4 4"');
});

describe("the width of text", () => {
  const samples = ["bf16 in-place 97.9%", "held in the compensation", "WWW iii ...", "model.layers.17.mlp"];

  /** As resvg sets it, from the ink of a letter before it to that of one after it. */
  function measured(sample: string, bold: boolean): number {
    const set = (content: string) => {
      const natural = text(9, 60, content, { size: 40, fill: "#000", bold }).replace(
        / textLength="[^"]*"/,
        "",
      );
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="99">${natural}</svg>`;
      return new Resvg(svg, {
        font: { fontFiles, loadSystemFonts: false, defaultFontFamily: "Inter" },
      }).getBBox()!.width;
    };
    return set(`l${sample}l`) - set("ll");
  }

  test.each(samples)("%s", (sample) => {
    for (const bold of [false, true]) {
      const wide = measured(sample, bold);
      expect(Math.abs(textWidth(sample, 40, bold) - wide) / wide).toBeLessThan(0.03);
    }
  });
});

test.each(["start", "middle", "end"] as const)(
  "resvg sets a power of two as one word, at its %s",
  (anchor) => {
    const [x, size] = [200, 40];
    const power = powerOfTwo(x, 60, -15, { size, fill: "#000", anchor });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="99">${power}</svg>`;
    const found = new Resvg(svg, {
      font: { fontFiles, loadSystemFonts: false, defaultFontFamily: "Inter" },
    }).getBBox()!;
    const width = textWidth("2", size) + textWidth("−15", 0.7 * size);
    const left = x - { start: 0, middle: width / 2, end: width }[anchor];
    // Ink begins and ends a little within the width of its letters.
    expect(Math.abs(found.x - left)).toBeLessThan(4);
    expect(Math.abs(found.width - width)).toBeLessThan(6);
  },
);

test("text is cut to its room, by an ellipsis", () => {
  expect(fitted("short", 20, 200)).toBe("short");
  const cut = fitted("model.layers.17.mlp.down_proj.weight", 20, 200);
  expect(cut).toMatch(/^model\.layers.*…$/);
  expect(textWidth(cut, 20)).toBeLessThanOrEqual(200);
});

test("text is broken between words; a word that is too long stands alone", () => {
  expect(lines("one two three", 20, textWidth("one two", 20) + 1)).toEqual(["one two", "three"]);
  expect(lines("a incomprehensibilities b", 20, 60)).toEqual(["a", "incomprehensibilities", "b"]);
});

test("the fonts are TrueType, which resvg reads", () => {
  for (const file of fontFiles) expect(readFileSync(file).readUInt32BE(0)).toBe(0x00010000);
});
