import { describe, expect, test } from "vitest";
import { studyFirstShown } from "../../src/engine/first-shown.js";
import { runLens } from "../../src/engine/run-lens.js";
import { selectEngine } from "../../src/engine/select.js";
import { FirstShownFormula } from "../../src/lens/first-shown.js";
import type { Result } from "../../src/lens/result.js";
import { samplingOf } from "../../src/lens/sampling.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderCsv } from "../../src/report/csv.js";
import { renderHtml } from "../../src/report/html/html.js";
import { renderMarkdown } from "../../src/report/markdown.js";
import { firstShownNote } from "../../src/report/simulation.js";
import { renderTable } from "../../src/report/table.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { models } from "../../src/source/synthetic/models.js";
import { syntheticRun } from "../../src/source/synthetic/synthetic-run.js";
import { schemeNames } from "../../src/update/scheme.js";
import { updateSettings } from "../../src/update/settings.js";
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

const assets = { fonts: [], sha256: () => "" };
const binades = firstShown!.flatMap((of) => of.binades);
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
    for (const of of magnitudes) expect(of).toEqual(magnitudes[0]);
    expect(magnitudes[0]).toHaveLength(new Set(binades.map(({ exponent }) => exponent)).size);
    // The note is of all of them, once.
    expect(text.match(/Half of the weights/g)).toHaveLength(1);
    expect(parts.at(-1)).toContain(firstShownNote.slice(0, 30));
  });

  test("has them in one table where there is room, and one case in each where there is none", () => {
    expect(blocksWith(renderTable(result, { ...plainTerminal, columns: 300 }), "|w| from")).toHaveLength(1);
    const narrow = renderTable(result, { ...plainTerminal, columns: 20 });
    expect(blocksWith(narrow, "|w| from")).toHaveLength(firstShown!.length);
  });

  test("tells of the whole, and of really zero updates in words", () => {
    const [table] = blocksWith(text, `of ${whole.toLocaleString("en-US")}`);
    expect(table.split("\n")[1]).toMatch(/^bf16 in-place( +[\d.<>%]+( to [\d.<>%]+)?){3}$/);
    expect(text.replaceAll("\n", " ")).toContain("no update was zero.");
  });

  test("has none of it for another result", () => {
    const other = renderTable(plain);
    expect(other).not.toMatch(/\|w\| from|intervals/);
    expect(text.startsWith(other.trimEnd())).toBe(true);
  });
});

describe("other outputs of a simulation", () => {
  const cells = (line: string) => line.split(",");

  test("CSV has the estimates and bounds of the whole in the rows over all tensors, in full", () => {
    const [heading, ...rows] = renderCsv(result).trimEnd().split("\r\n").map(cells);
    const at = heading.indexOf("whole.unchanged.estimate");
    expect(heading.slice(at)).toEqual(
      ["unchanged", "hidden", "apparentSparsity"].flatMap((share) =>
        ["estimate", "low", "high"].map((bound) => `whole.${share}.${bound}`),
      ),
    );
    const overAll = rows.filter((row) => row[heading.indexOf("tensor")] === "");
    const { unchanged, hidden, apparentSparsity } = sampling!.cases[1];
    expect(overAll[1].slice(at).map(Number)).toEqual(
      [unchanged, hidden, apparentSparsity].flatMap(({ estimate, low, high }) => [estimate, low, high]),
    );
    for (const row of rows) expect(row).toHaveLength(heading.length);
    for (const row of rows) if (!overAll.includes(row)) expect(row.slice(at).join("")).toBe("");
    expect(renderCsv(plain)).not.toContain("whole.");
  });

  test("a page has a section for each, after the probes", () => {
    const page = renderHtml(result, assets);
    for (const id of ["whole", "first-shown"]) expect(page.match(`id="${id}-heading"`)).not.toBeNull();
    expect(page).toContain(whole.toLocaleString("en-US"));
    expect(page).toContain('<th scope="col">|w| from</th>');
    expect(renderHtml(plain, assets)).not.toContain('id="first-shown-heading"');
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
    expect(renderCsv(cut).split("\r\n")[1]).toMatch(/,{9}$/);
    const beyond = { ...cut, sampling: sampling!, firstShown: [{ case: 7, binades: [] }] };
    expectValid("result", beyond);
    expect(renderTable(beyond)).not.toContain("|w| from");
    expect(blocksWith(renderTable(beyond), "of 4,")[0].split("\n").slice(0, -1)).toHaveLength(2);
  });
});
