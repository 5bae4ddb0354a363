import { describe, expect, test } from "vitest";
import {
  type Block,
  beside,
  figures,
  figuresOf,
  inDocument,
  inMarkdown,
  note,
  onPage,
  onTerminal,
  type Report,
  section,
  shownIn,
  table,
  tableOf,
  text,
} from "../../../src/report/blocks/block.js";
import { markdownText } from "../../../src/report/blocks/markdown.js";
import { terminalText } from "../../../src/report/blocks/terminal.js";
import type { Figure } from "../../../src/report/charts/figure.js";
import { visibleWidth } from "../../../src/report/columns.js";
import { htmlPage } from "../../../src/report/html/page.js";
import { plainTerminal } from "../../../src/report/terminal.js";

const numbers = tableOf(
  [
    { name: "a", n: 1 },
    { name: "b|c", n: 20 },
  ],
  [
    ["row", ({ name }) => name],
    ["number", ({ n }) => String(n)],
    ["place", (_, i) => String(i)],
  ],
);

const figure = (name: string): Figure => ({
  ...{ name, title: `Title of ${name}`, caption: "What is drawn.", size: { width: 10, height: 10 } },
  draw: () => "",
  numbers: { headings: ["row"], rows: [["a"]] },
});

const terminal = (blocks: readonly (Block | null)[], columns = 80) =>
  terminalText({ blocks, skipped: [] }, { ...plainTerminal, columns });
const markdown = (blocks: readonly (Block | null)[]) =>
  markdownText({ title: "A title", blocks, skipped: [] });
const page = (blocks: readonly (Block | null)[], more: Partial<Report> = {}) =>
  htmlPage(
    {
      ...{ tool: { name: "tool", version: "1" }, title: "", headline: ["An answer."], lede: [], tiles: [] },
      ...{ blocks, skipped: [], settings: () => [], meaning: [], source: "" },
      again: () => ({ heading: "Again", commands: [] }),
      ...more,
    },
    { fonts: [], script: "", sha256: () => "" },
  );

describe("what a form shows", () => {
  test("is its own alone, and nothing is made for another", () => {
    const blocks = [
      onTerminal(() => [text(["terminal"])]),
      inMarkdown(() => [text(["Markdown"])]),
      onPage(() => [text(["page"])]),
      inDocument(() => [text(["both"])]),
    ];
    expect(terminal(blocks)).toBe("terminal\n");
    expect(markdown(blocks)).toBe("# A title\n\nMarkdown\n\nboth\n");
    expect(page(blocks)).toMatch(/<p>page<\/p>[\s\S]*<p>both<\/p>/);
    const never = () => {
      throw new Error("made for a form that does not show it");
    };
    expect(shownIn("terminal", [onPage(never), inMarkdown(never)])).toEqual([]);
  });

  test("has no heading over nothing", () => {
    const empty = section("Nothing", [
      table(null),
      table({ headings: ["row"], rows: [] }),
      text([]),
      figures(),
      section("Inside", [onTerminal(() => [])]),
    ]);
    for (const shown of [terminal([empty]), markdown([empty]), page([empty])]) {
      expect(shown).not.toContain("Nothing");
      expect(shown).not.toContain("Inside");
    }
  });
});

describe("a table", () => {
  test("has its cells in every form, and its notes right below", () => {
    const blocks = [section("Numbers", [table(numbers, { notes: ["What they are."] })]), note("The end.")];
    expect(terminal(blocks)).toBe(
      [
        "row  number  place",
        "a         1      0",
        "b|c      20      1",
        "What they are.",
        "",
        "The end.",
        "",
      ].join("\n"),
    );
    expect(markdown(blocks)).toBe(
      [
        ...["# A title", "", "## Numbers", "", "| row | number | place |", "|:--|--:|--:|"],
        ...["| a | 1 | 0 |", "| b\\|c | 20 | 1 |", "", "What they are.", "", "The end.", ""],
      ].join("\n"),
    );
    const html = page(blocks);
    expect(html).toMatch(/<section aria-labelledby="section-numbers"><h2 id="section-numbers">Numbers<\/h2>/);
    expect(html).toMatch(
      /<th scope="row">b\|c<\/th><td>20<\/td>[\s\S]*<\/table><\/div>\n<p>What they are\.<\/p>/,
    );
  });

  test("is set to the left or right as it says, on a terminal", () => {
    expect(
      terminal([table(numbers, { align: "rl" })])
        .split("\n")
        .slice(0, 3),
    ).toEqual(["row  number  place", "  a  1           0", "b|c  20          1"]);
  });

  test("of columns that are alike is parted evenly, each part within the width", () => {
    const headings = ["at", ...Array.from({ length: 7 }, (_, i) => `1e-${i}`)];
    const wide = { headings, rows: [["stored", ...headings.slice(1).map(() => "0.123")]] };
    const lines = terminal([table(wide, { even: true })], 45).split("\n");
    expect(lines.filter((line) => line.startsWith("at ")).map((line) => line.split(/ +/).length - 1)).toEqual(
      [4, 3],
    );
    expect(Math.max(...lines.map(visibleWidth))).toBeLessThanOrEqual(45);
  });

  test("inside a section inside a section has a smaller heading", () => {
    const blocks = [section("Outer", [section("Inner", [table(numbers)])])];
    expect(markdown(blocks)).toContain("## Outer\n\n### Inner\n\n| row |");
    expect(page(blocks)).toContain("<h3>Inner</h3>");
    expect(terminal(blocks)).not.toContain("Inner");
  });
});

describe("a page", () => {
  test("has figures as sections of their own, in a section beside each other, and one of several by choice", () => {
    const blocks: Block[] = [
      figures(figure("one")),
      section("Two", [beside(figure("two"), figure("three"))]),
      section("Choice", [
        {
          kind: "choice",
          labels: ["x", "y"],
          choices: [[figures(figure("four"))], [figures(figure("five"))]],
        },
      ]),
    ];
    expect(figuresOf({ blocks }).map(({ name }) => name)).toEqual(["one", "two", "three", "four", "five"]);
    const html = page(blocks);
    expect(html).toContain('<section><figure id="one">');
    expect(html).toMatch(/<div class="pair"><figure id="two">[\s\S]*<figure id="three">/);
    expect(html).toMatch(/<div data-case="0"><figure id="four">/);
    expect(html).toMatch(/<div data-case="1" hidden><figure id="five">/);
  });

  test("begins with the verdict where there is one, and the answer goes below it", () => {
    const html = page([text(["x"])], {
      verdict: "Loses <all>.",
      scores: {
        note: "What a ring is.",
        of: [{ label: "bf16", share: 0.25, shown: "25.0%", said: "loses updates", tone: "bad" }],
      },
    });
    expect(html).toMatch(/<h1>Loses &#60;all&#62;\.<\/h1>[\s\S]*stroke-dasharray="25 100"[\s\S]*25\.0%/);
    expect(html).toMatch(/<p class="lede">An answer\.<\/p>/);
    expect(page([])).toContain("<h1>An answer.</h1>");
  });

  test("takes nothing of a table for markup", () => {
    const hostile = { headings: ["<b>"], rows: [["<script>"]] };
    expect(page([section("<i>", [table(hostile)])])).not.toMatch(/<b>|<i>|<script>(?!<\/script>)/);
  });
});
