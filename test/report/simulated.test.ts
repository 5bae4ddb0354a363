import { describe, expect, test } from "vitest";
import { studyFirstShown } from "../../src/engine/first-shown.js";
import { runLens } from "../../src/engine/run-lens.js";
import { selectEngine } from "../../src/engine/select.js";
import type { Result } from "../../src/lens/run/result.js";
import { FirstShownFormula } from "../../src/lens/study/first-shown.js";
import { samplingOf } from "../../src/lens/study/sampling.js";
import { palettes } from "../../src/report/charts/palette.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderCsv } from "../../src/report/csv.js";
import { firstShownNote } from "../../src/report/simulation.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { models } from "../../src/source/synthetic/models.js";
import { syntheticRun } from "../../src/source/synthetic/synthetic-run.js";
import { schemeNames } from "../../src/update/scheme.js";
import { updateSettings } from "../../src/update/settings.js";
import { figuresOfRun, renderHtml, renderMarkdown, renderTable } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";
import { syntheticSettings } from "../support/synthetic.js";

const settings = syntheticSettings(
  { steps: 12 },
  { preset: "rlvr", model: models.get("qwen3-4b")!, elements: 3000 },
);
const result = await simulated();
const whole = 4_022_468_096;
const { sampling, firstShown, ...plain } = result;

/** Every scheme in two formats, and fp32: more cases than fit beside each other. */
async function simulated(): Promise<Result> {
  const { tensors, stepNumbers, sizes, description } = syntheticRun(settings);
  const grid = ["bf16", "fp16"].flatMap((format) =>
    schemeNames.map((scheme) => updateSettings({ format, scheme })),
  );
  const cases = [...grid, updateSettings({ format: "fp32" })];
  const from = { kind: "synthetic", weights: null, updates: null, gradients: null, metadata: {} } as const;
  const source = { ...from, synthetic: description };
  const job = { tensors, stepNumbers, cases, skipped: [], strict: false, source };
  const counted = await runLens(job, await selectEngine("reference"));
  return {
    ...counted,
    sampling: samplingOf(counted.cases, sizes),
    firstShown: await studyFirstShown(job, new FirstShownFormula(settings.run)),
  };
}

/** Percentages told to a tenth where the 95 % interval of a share of n is wider than that tenth. */
function tenthsBeyond(text: string, n: number): string[] {
  const tenths = [...text.matchAll(/(?<![<>\d.])(\d+\.\d)%/g)].map(([, said]) => Number(said) / 100);
  const half = (share: number) => 1.96 * Math.sqrt((share * (1 - share)) / n);
  return tenths.filter((share) => half(share) > 0.0006).map(String);
}

const assets = { fonts: [], script: "", sha256: () => "" };
const binades = firstShown!.flatMap((entry) => entry.binades);
const blocksWith = (text: string, word: string) =>
  text
    .trimEnd()
    .split("\n\n")
    .filter((block) => block.startsWith(word));

describe("the table of a simulation", () => {
  const text = renderTable(result);

  test("keeps to 80 columns: when weights first show is told in several tables, by the same magnitudes", () => {
    expectValid("result", result);
    const lines = text.split("\n");
    expect(lines.filter((line) => visibleWidth(line) > 80)).toEqual([]);
    const parts = blocksWith(text, "|w| from");
    expect(parts.length).toBeGreaterThan(1);
    const headings = parts.map((part) => part.split("\n")[0]);
    expect(headings.join(" ").match(/formula/g)).toHaveLength(firstShown!.length);
    const magnitudes = parts.map((part) => part.match(/^\d\.\d+/gm));
    for (const magnitude of magnitudes) expect(magnitude).toEqual(magnitudes[0]);
    expect(magnitudes[0]).toHaveLength(new Set(binades.map(({ exponent }) => exponent)).size);
    // The note is of all of them, once.
    expect(text.match(/Half of the weights/g)).toHaveLength(1);
    expect(parts.at(-1)).toContain(firstShownNote(result).slice(0, 30));
    const counts = binades.map(({ weights }) => weights).sort((a, b) => a - b);
    expect(text.replace(/\s+/g, " ")).toContain(
      `Measured on a sample, ${counts[0]} to ${counts.at(-1)} weights a row: another seed gives other steps.`,
    );
  });

  test("has them in one table where there is room, and one case in each where there is none", () => {
    expect(blocksWith(renderTable(result, { ...plainTerminal, columns: 300 }), "|w| from")).toHaveLength(1);
    const narrow = renderTable(result, { ...plainTerminal, columns: 20 });
    expect(blocksWith(narrow, "|w| from")).toHaveLength(firstShown!.length);
  });

  test("tells of the whole, and of really zero updates in words", () => {
    const [table] = blocksWith(text, `of ${whole.toLocaleString("en-US")}`);
    expect(table.split("\n")[1]).toMatch(/^bf16 in-place( +[\d.<>%]+( to [\d.<>%]+)?){4}$/);
    expect(text.replaceAll("\n", " ")).toContain("no update was zero.");
  });

  test("has none of it for another result", () => {
    expect(renderTable(plain)).not.toMatch(/\|w\| from|intervals|estimates/);
  });

  test("tells no digits that 3,000 weights do not carry, in tables, headline and charts", () => {
    const flat = text.replaceAll(/\s+/g, " ");
    expect(flat).toContain(`These are estimates from 3,000 of ${whole.toLocaleString("en-US")} weights`);
    // Those with bounds are the intervals themselves, whose table comes last.
    const [told] = text.split(`of ${whole.toLocaleString("en-US")} `);
    expect(tenthsBeyond(told, 3000)).toEqual([]);
    expect(tenthsBeyond(renderTable(plain), 3000).length).toBeGreaterThan(5);
    const figures = figuresOfRun(result).map(({ title, numbers, draw, size }) =>
      [title, ...numbers.rows.flat(), draw(size, palettes.light)].join(" "),
    );
    expect(tenthsBeyond(figures.join(" "), 3000)).toEqual([]);
    expect(figures.join(" ")).toMatch(/\d%/);
    const maps = figuresOfRun(result).filter(({ name }) => name.includes("layers"));
    expect(maps).toHaveLength(result.cases.length);
    // Some 70 weights of a matrix: no cell of bf16 is known to a percent.
    expect(maps[0].title).toContain("too few weights of a layer were drawn");
    expect(maps[0].caption).toContain("does not carry whole percents");
    expect(maps[0].numbers.rows.flatMap(([, ...cells]) => cells).every((cell) => cell === "–")).toBe(true);
  });

  test("of a tensor of a sample it tells whole percents or nothing, and nothing of what it retains", () => {
    const rows = renderMarkdown(result)
      .split("\n")
      .filter((line) => line.includes("layers"));
    expect(rows.length).toBeGreaterThan(300);
    const cells = rows.map((line) => line.split(" | "));
    for (const row of cells) {
      expect(tenthsBeyond(row.slice(3, 7).join(" "), Number(row[2].replaceAll(",", "")))).toEqual([]);
      expect(row.slice(-2).join(" ")).toBe("– – |");
    }
  });

  test("what is retained has an interval, and a master retains all of it", () => {
    const [inPlace, master] = sampling!.cases;
    expect(master.retained).toMatchObject({ estimate: 1, low: 1, high: 1 });
    expect(master.noise).toMatchObject({ estimate: 0, low: 0, high: 0 });
    expect(inPlace.retained!.low).toBeLessThan(inPlace.retained!.estimate);
    expect(inPlace.retained!.high).toBeLessThan(0.2);
    expect(text).toContain("bf16 master");
    expect(text.replaceAll(/\s+/g, " ")).toMatch(/bf16 master.* retain all of it, within 1%/);
  });

  test("a sample that was saved without them tells nothing of what is retained", () => {
    const cases = sampling!.cases.map(({ unchanged, hidden, apparentSparsity }) => ({
      unchanged,
      hidden,
      apparentSparsity,
    }));
    const old = { ...result, sampling: { ...sampling!, cases } };
    expectValid("result", old);
    expect(renderTable(old)).not.toContain("retains");
    expect(renderHtml(old, assets)).toContain("<dd>–</dd>");
    expect(renderMarkdown(old)).toContain("| – | – | – | – |");
  });
});

describe("other outputs of a simulation", () => {
  const cells = (line: string) => line.split(",");

  test("CSV has the estimates and bounds of the whole in the rows over all tensors, in full", () => {
    const [heading, ...rows] = renderCsv(result).trimEnd().split("\r\n").map(cells);
    const at = heading.indexOf("whole.unchanged.estimate");
    expect(heading.slice(at)).toEqual(
      [
        ...["unchanged", "hidden", "apparentSparsity"],
        ...["retained", "visible", "noise", "noiseToWeight"],
      ].flatMap((share) => ["estimate", "low", "high"].map((bound) => `whole.${share}.${bound}`)),
    );
    const overAll = rows.filter((row) => row[heading.indexOf("tensor")] === "");
    const { unchanged, hidden, apparentSparsity, retained, visible, noise, noiseToWeight } =
      sampling!.cases[0];
    expect(overAll[0].slice(at).map(Number)).toEqual(
      [unchanged, hidden, apparentSparsity, retained!, visible!, noise!, noiseToWeight!].flatMap(
        ({ estimate, low, high }) => [estimate, low, high],
      ),
    );
    for (const row of rows) expect(row).toHaveLength(heading.length);
    for (const row of rows) if (!overAll.includes(row)) expect(row.slice(at).join("")).toBe("");
    expect(renderCsv(plain)).not.toContain("whole.");
  });

  test("a page has a section for each, after the probes", () => {
    const page = renderHtml(result, assets);
    for (const id of ["the-whole-model", "when-weights-first-show"]) {
      expect(page).toContain(`id="section-${id}"`);
    }
    expect(page).toContain(whole.toLocaleString("en-US"));
    expect(page).toContain('<th scope="col">|w| from</th>');
    expect(renderHtml(plain, assets)).not.toContain('id="section-when-weights-first-show"');
  });

  test("Markdown has them under headings of their own", () => {
    const markdown = renderMarkdown(result);
    expect(markdown).toContain("\n## The whole model\n");
    expect(markdown).toContain("\n## When weights first show\n");
    expect(renderMarkdown(plain)).not.toMatch(/whole model|first show/);
  });

  test("of cases that a saved result lacks, nothing is told", () => {
    const [first] = result.cases;
    const cut = { ...result, cases: [first], sampling: { ...sampling!, cases: [] } };
    expectValid("result", cut);
    expect(blocksWith(renderTable(cut), "|w| from")[0].split("\n")[0]).toBe(
      "|w| from  bf16 in-place  formula",
    );
    expect(renderCsv(cut).split("\r\n")[1]).toMatch(/,{21}$/);
    const beyond = { ...cut, sampling: sampling!, firstShown: [{ case: 7, binades: [] }] };
    expectValid("result", beyond);
    expect(renderTable(beyond)).not.toContain("|w| from");
    expect(blocksWith(renderTable(beyond), "of 4,")[0].split("\n")).toHaveLength(2);
  });
});
