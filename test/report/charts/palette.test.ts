import { describe, expect, test } from "vitest";
import { sharedClasses as classes } from "../../../src/lens/classify.js";
import { heatSteps, palettes, stackedClasses, type Theme } from "../../../src/report/charts/palette.js";

/** Linear red, green and blue of #rrggbb. */
function linear(colour: string): number[] {
  expect(colour).toMatch(/^#[0-9a-f]{6}$/);
  return [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
}

const luminance = ([r, g, b]: number[]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

/** The contrast of WCAG 2. */
function contrast(a: string, b: string): number {
  const [most, least] = [a, b].map((colour) => luminance(linear(colour))).sort((x, y) => y - x);
  return (most + 0.05) / (least + 0.05);
}

/** Severe colour-blindness as matrices on linear light (Machado, Oliveira and Fernandes 2009). */
const visions = {
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** The distance of two colours in OKLab, in hundredths. */
function distance(a: number[], b: number[]): number {
  const lab = ([r, g, b]: number[]) => {
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return [
      0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
      1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
      0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
    ];
  };
  const [p, q] = [lab(a), lab(b)];
  return 100 * Math.hypot(...p.map((x, i) => x - q[i]));
}

const themes = Object.keys(palettes) as Theme[];

describe.each(themes)("the %s palette", (theme) => {
  const { surface, panel, ink, muted, line, accent, series, heat, onHeat, ...classInks } = palettes[theme];

  test("has text of contrast 4.5 and more, on the ground and on boxes", () => {
    const texts = [ink, muted, accent, ...series, ...classes.map((name) => classInks.classes[name].text)];
    for (const ground of [surface, panel]) {
      for (const text of texts) expect(contrast(text, ground), `${text} on ${ground}`).toBeGreaterThan(4.5);
    }
    for (const { fill, on } of Object.values(classInks.classes))
      expect(contrast(on, fill), fill).toBeGreaterThan(4.5);
    for (const [step, fill] of heat.entries())
      expect(contrast(onHeat[step], fill), fill).toBeGreaterThan(4.5);
  });

  test("has areas and rules of contrast 3 and more", () => {
    for (const fill of [line, ...classes.map((name) => classInks.classes[name].fill)]) {
      for (const ground of [surface, panel]) expect(contrast(fill, ground), fill).toBeGreaterThan(3);
    }
  });

  test("tells classes apart, to the colour-blind too", () => {
    const fills = classes.map((name) => linear(classInks.classes[name].fill));
    for (const [vision, matrix] of Object.entries({ ...visions, full: null })) {
      const seen = fills.map((rgb) =>
        matrix === null
          ? rgb
          : matrix.map((row) =>
              Math.max(
                0,
                row.reduce((sum, x, i) => sum + x * rgb[i], 0),
              ),
            ),
      );
      for (const [i, a] of seen.entries()) {
        for (const [j, b] of seen.slice(0, i).entries()) {
          expect(distance(a, b), `${vision}: ${classes[i]} and ${classes[j]}`).toBeGreaterThan(9);
        }
      }
    }
  });

  test("gives no line the colour of a class, and heat as many steps as it says", () => {
    const fills = classes.map((name) => classInks.classes[name].fill);
    expect(series.filter((colour) => fills.includes(colour))).toEqual([]);
    expect(new Set(series).size).toBe(series.length);
    expect([heat.length, onHeat.length]).toEqual([heatSteps, heatSteps]);
    const steps = heat.map((colour) => contrast(colour, surface));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });
});

test("every class has its place", () => {
  expect([...stackedClasses].sort()).toEqual([...classes].sort());
});
