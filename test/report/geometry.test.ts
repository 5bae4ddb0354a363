import { describe, expect, test } from "vitest";
import {
  type Geometry,
  type MeanMeasure,
  type MeanMeasures,
  type MeasureName,
  measureNames,
  type TensorGeometry,
} from "../../src/lens/geometry-result.js";
import { markdownText } from "../../src/report/blocks/markdown.js";
import { terminalText } from "../../src/report/blocks/terminal.js";
import { geometryFigures } from "../../src/report/charts/geometry-chart.js";
import { visibleWidth } from "../../src/report/columns.js";
import {
  courseSentences,
  figure,
  geometryNotes,
  geometrySentence,
  measureLabel,
  times,
} from "../../src/report/geometry.js";
import { geometrySection } from "../../src/report/kinds/geometry.js";
import { plainTerminal } from "../../src/report/terminal.js";

const mean = (
  measured: number,
  expected: number | null = null,
  interval?: [number, number],
): MeanMeasure => ({
  measured,
  expected,
  null: expected === null ? null : "signs",
  ratio: expected === null ? null : measured / expected,
  tensors: 2,
  ...(interval && { interval }),
});
const none: MeanMeasure = { ...mean(0), measured: null, tensors: 0, reason: "no spectra were asked for" };

function means(changes: Partial<Record<MeasureName, MeanMeasure>>): MeanMeasures {
  const measures = Object.fromEntries(measureNames.map((name) => [name, changes[name] ?? none])) as Record<
    MeasureName,
    MeanMeasure
  >;
  return { tensors: 2, elements: 2000, measures, weighted: measures };
}

const learned = means({
  size: mean(0.0141),
  changed: mean(0.8),
  principalOverlap: mean(0.2688, 0.2676),
  stableRank: mean(1.8, 80, [1.5, 2.1]),
  energy16: mean(0.23, 0.001),
});

describe("the sentence", () => {
  const with_ = (changes: Partial<Record<MeasureName, MeanMeasure>>) =>
    geometrySentence(means({ ...learned.measures, ...changes }));

  test("of a run that learned", () => {
    expect(geometrySentence(learned)).toBe(
      "Its matrices moved by a mean 1.4% of their norms, along few directions (stable rank 1.80, where random signs give 80.0), which lean " +
        "towards the leading ones (230 times the energy in the top 16); which weights show a change is explained by their size " +
        "(26.88% in the principal mask, 26.76% by size alone).",
    );
  });

  test("says the opposite of the opposite", () => {
    expect(with_({ stableRank: mean(75, 80) })).toMatch(/along as many directions as noise/);
    expect(with_({ energy16: mean(0.0005, 0.001) })).toMatch(
      /lean away from the leading ones \(0\.50 of the energy/,
    );
    expect(with_({ energy16: mean(0.0011, 0.001) })).toMatch(/lean neither towards nor away/);
    expect(with_({ principalOverlap: mean(0.4, 0.3) })).toMatch(/is not explained by their size alone/);
  });

  test("does not leave to size what gathers in rows or columns", () => {
    expect(with_({ rowSpread: mean(0.078, 0.026), columnSpread: mean(0.03, 0.02) })).toMatch(
      /; how many changes show in the principal mask is explained by size \(26\.88% .*\), but they gather in some rows \(3\.00 times the spread by size\)\.$/,
    );
    expect(with_({ rowSpread: mean(0.08, 0.02), columnSpread: mean(0.04, 0.02) })).toMatch(
      /gather in some rows \(4\.00 times the spread by size\) and columns \(2\.00 times the spread by size\)\.$/,
    );
    expect(with_({ rowSpread: mean(0.02, 0.02), columnSpread: mean(0.02, 0.02) })).toMatch(
      /explained by their size/,
    );
  });

  test("says what it does not know", () => {
    expect(with_({ stableRank: none, principalOverlap: none })).toBe(
      "Its matrices moved by a mean 1.4% of their norms; no spectrum tells which weights are principal ones.",
    );
    expect(geometrySentence(means({}))).toBe("There is no geometry: no spectra were asked for.");
  });
});

describe("the course of a recorded run", () => {
  const at = (updates: number, rank: number, size: MeanMeasure) => ({
    updates,
    totals: means({ size, stableRank: mean(rank, 8) }),
  });
  const sentences = (curve: Geometry["curve"], divergence?: Geometry["divergence"]) =>
    courseSentences({ ...geometry, curve, divergence } as Geometry);

  test("says from when on the change is low-rank, for good", () => {
    const known = mean(0.02, 0.01);
    const curve = [at(1, 4, known), at(2, 7.9, known), at(4, 4, known), at(8, 2, known)];
    expect(sentences(curve)[0]).toBe(
      "The change is low-rank from update 4 on (stable rank 4.00, where random signs give 8.00 there); at the end: stable rank " +
        "2.00, where random signs give 8.00.",
    );
    expect(sentences(curve)[1]).toMatch(/^Coherence.*: 2\.00 after update 1, 2\.00 after 8\.$/);
    expect(sentences([at(1, 4, known), at(2, 8, known)])[0]).toMatch(
      /^After 2 updates the change is not low-rank/,
    );
  });

  test("says what the recording does not tell", () => {
    const curve = [at(1, 4, mean(0.1)), at(2, 4, mean(0.1))];
    expect(sentences(curve, null).slice(1)).toEqual([
      "The recording does not state its learning rates, so its coherence is unknown.",
      "The run has no KL in an outcome.json.",
    ]);
    expect(sentences(curve, { forward: 0.1773, reverse: null }).at(-1)).toBe(
      "KL of outcome.json, in nats: of the base to the run 0.177, of the run to the base not stated.",
    );
  });
});

test("numbers have the digits that differ", () => {
  expect([
    figure("principalOverlap", 0.26883),
    figure("energy16", 0.000123),
    figure("drift", 1.23e-5),
    figure("size", 1.23e28),
  ]).toEqual(["26.88%", "0.012%", "1.2e-5", "1.2e+28"]);
  expect([2.5e20, 214.3, 28.06, 1.004, 0.0227, 0.001].map(times)).toEqual([
    "2.5e+20",
    "214",
    "28.1",
    "1.00",
    "0.02",
    "1e-3",
  ]);
  expect(Math.max(...measureNames.map((name) => measureLabel(name).length))).toBeLessThanOrEqual(34);
});

/** A tensor that changed as a whole model has, but for what is given. */
const tensorOf = (given: Partial<Geometry["tensors"][number]>): Geometry["tensors"][number] => ({
  ...{ name: "w", shape: [8, 8], kind: "q", stack: null, layer: null, spectrum: null, profiles: null },
  measures: learned.measures,
  ...given,
});

const layer = (n: number, spectra: boolean) => ({ stack: "model.layers", layer: n, spectra, ...learned });
const geometry: Geometry = {
  rank: 64,
  seed: 0,
  walk: null,
  sampled: { layers: 5, of: 40, all: false },
  totals: learned,
  kinds: [{ kind: "q", ...learned }],
  layers: Array.from({ length: 40 }, (_, n) => layer(n, n % 10 === 0)),
  tensors: [],
  leftOut: [{ name: "norm", reason: "it has 1 dimension, not two" }],
};

test("layers that were sampled are shown, with the interval of what was sampled", () => {
  const blocks = [geometrySection(geometry, "tuned")];
  const lines = terminalText({ blocks, skipped: [] }).split("\n");
  expect(lines.some((line) => line.includes("(4 of 40 layers; --json has all)"))).toBe(true);
  expect(Math.max(...lines.map(visibleWidth))).toBeLessThanOrEqual(plainTerminal.columns);
  expect(geometryNotes(geometry).join(" ")).toMatch(/Spectra of 5 of 40 layers.*1 tensor left out/);
  const markdown = markdownText({ title: "", blocks, skipped: [] });
  expect(markdown).toMatch(/^\| stable rank [^|]*\| 1\.80 \(1\.50 to 2\.10\) \|/m);
});

test("where an eighth of the short side is less than the rank, the directions that were taken are said", () => {
  const spectra = (ks: readonly number[], values: "all" | "leading" = "all") =>
    ks.map((k) => tensorOf({ spectrum: { values, k, draws: 1 } }));
  const notes = (tensors: Geometry["tensors"]) => geometryNotes({ ...geometry, tensors }).join(" ");
  expect(notes(spectra([4, 16, 64]))).toContain(
    "2 matrices are under 512 on the short side: an eighth of the directions, 4 to 16 and not 64, were taken as the leading ones.",
  );
  expect(notes(spectra([8]))).toContain(
    "1 matrix is under 512 on the short side: an eighth of the directions, 8 and not 64,",
  );
  expect(notes(spectra([64, 64]))).not.toContain("short side");
  expect(notes(spectra([64, 64], "leading"))).toContain(
    "2 matrices are over 1024 on the short side: the leading 64 singular",
  );
  // One that has no spectrum has no directions either.
  expect(notes([tensorOf({ spectrum: null })])).not.toContain("short side");
});

test("matrices that are in no mean are said, and those that count as 0 in two", () => {
  const notes = (tensors: Geometry["tensors"], totals = learned) =>
    geometryNotes({ ...geometry, tensors, totals }).join(" ");
  const unchanged = tensorOf({ measures: means({ size: mean(0), changed: mean(0) }).measures });
  const bad = { ...none, reason: "3 of its numbers are NaN or Inf" };
  const excluded = tensorOf({ name: "bad.weight", measures: means({ size: bad, changed: bad }).measures });
  expect(notes([tensorOf({}), unchanged, unchanged, excluded])).toContain(
    "1 of the 4 matrices is in no mean; the first, bad.weight: 3 of its numbers are NaN or Inf. " +
      "2 of the 4 matrices are unchanged: 0 in the means of size and weights changed, and in no other. " +
      "Means over 2 matrices, each counting as one;",
  );
  expect(notes([tensorOf({})])).not.toMatch(/in no mean|unchanged/);
  const nothing = means({ size: mean(0), changed: mean(0) });
  expect(geometrySentence(nothing)).toBe("There is no geometry: nothing changed.");
  expect(notes([unchanged], nothing)).not.toMatch(/are unchanged/);
});

test("means after so many updates say where they are not over the same matrices", () => {
  const at = (updates: number, size: number, rank: number) => ({
    updates,
    totals: means({ size: { ...mean(0.1), tensors: size }, stableRank: { ...mean(4, 8), tensors: rank } }),
  });
  const notes = (...curve: NonNullable<Geometry["curve"]>) => geometryNotes({ ...geometry, curve }).join(" ");
  expect(notes(at(1, 2, 2), at(2, 2, 2))).not.toMatch(/means are over/);
  expect(notes(at(1, 2, 1), at(2, 2, 2))).toContain(
    "Of directions, means are over the matrices that changed by then and have a spectrum: 1 to 2.",
  );
  expect(notes(at(1, 2, 1), at(4, 1, 1))).toContain(
    "After 4 updates, means are over 1 of 2 matrices: the rest have numbers that are NaN or Inf, or a base of zeros.",
  );
});

test("leading values are said to be those, and matrices where they did not settle are named", () => {
  const tensor = (name: string, changes: Partial<Record<MeasureName, MeanMeasure>>): TensorGeometry => ({
    name,
    shape: [2048, 2048],
    kind: "q",
    stack: null,
    layer: null,
    spectrum: { values: "leading", k: 64, draws: 1, passes: 60, unsettled: 0.1 },
    measures: means(changes).measures,
    profiles: null,
  });
  const settled = tensor("settled", { drift: mean(1e-4, 1e-4), angleLeft90: mean(1, 1) });
  const close = { ...none, reason: "its leading 64 singular values are so close" };
  const unsettled = tensor("flat", { drift: mean(1e-4, 1e-4), angleLeft90: close });
  const notes = (...tensors: TensorGeometry[]) => geometryNotes({ ...geometry, tensors }).join(" ");
  expect(notes(settled)).toMatch(
    /1 matrix is over 1024 on the short side: the leading 64 .* drift is over those alone\./,
  );
  expect(notes(settled)).not.toMatch(/unknown/);
  expect(notes(settled, unsettled)).toMatch(
    /2 matrices are over 1024.*unknown, and in no mean, of flat: its leading 64 singular values are so close\./,
  );
  expect(notes(unsettled, unsettled)).toMatch(/of 2 matrices, the first flat: its/);
  // Of a matrix that is held whole, too; and the directions that were taken, where an eighth of the short side is less than asked.
  const lowRank = tensorOf({
    name: "low",
    spectrum: { values: "all", k: 64, draws: 1 },
    measures: unsettled.measures,
  });
  expect(notes(lowRank)).toMatch(/Angles or drift are unknown, and in no mean, of low: its/);
  const narrow = { ...settled, spectrum: { ...settled.spectrum!, k: 40 } };
  expect(notes(narrow)).toContain("the leading 40 singular values");
});

test("the strip has a column for each layer, or for 48 of more", () => {
  const [strip] = geometryFigures(geometry);
  expect(strip.numbers.headings).toHaveLength(41);
  expect(strip.title).toBe(
    "Stable rank 0.02, energy in the top 16 230, principal mask 1.00 times what sizes give",
  );
  const deep = { ...geometry, layers: Array.from({ length: 130 }, (_, n) => layer(n, true)) };
  expect(geometryFigures(deep)[0].numbers.headings.length).toBeLessThanOrEqual(49);
});
