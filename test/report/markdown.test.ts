import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { renderMarkdown } from "../support/rendered.js";
import { caseOf, renamed, resultOf } from "../support/results.js";

/** The cells of a row of a GitHub table: between bars without a backslash before them. */
function cells(row: string): string[] {
  expect(row).toMatch(/^\|.*\|$/);
  const parts = row.slice(1, -1).match(/(?:\\.|[^\\|])+/gs) ?? [];
  return parts.map((cell) => cell.trim());
}

/** The tables of a document, headings first; checks that every row has as many cells as the headings. */
function tables(markdown: string): string[][][] {
  return markdown
    .split("\n\n")
    .filter((block) => block.startsWith("|"))
    .map((block) => {
      const [heading, rule, ...rows] = block.trimEnd().split("\n");
      expect(rule).toMatch(/^\|:--(\|--:)*\|$/);
      const table = [heading, ...rows].map(cells);
      for (const row of [cells(rule), ...table]) expect(row).toHaveLength(table[0].length);
      return table;
    });
}

/** Without the backslashes that escape: what a reader sees, if no mark is left that is not escaped. */
function read(cell: string): string {
  expect(cell.replace(/\\[\\|<>&`*_[\]~$]/g, "")).not.toMatch(/[\\|<>&`*_[\]~$]/);
  return cell.replace(/\\(.)/g, "$1");
}

const counted = await caseOf([1, 0.5, -2, 3], [1e-4, 0, 0.5, Number.NaN]);
const kahan = await caseOf([1, 0.5, -2, 3], [1e-4, 0, 0.5, Number.NaN], { scheme: "kahan" });

const withName = (name: string) => resultOf([renamed(counted, name)]);

describe("renderMarkdown", () => {
  test("has a row for each case, and for each of its steps and tensors", () => {
    const markdown = renderMarkdown(resultOf([counted, kahan].map((caseResult) => renamed(caseResult, "w"))));
    const [updates, weights, probes, steps, tensors, ...more] = tables(markdown);
    expect(updates[1]).toEqual(["bf16 in-place", "1", "1", "0", "1", "1", "66.7%", "33.3%", "50.0%"]);
    expect(updates[2].slice(0, 5)).toEqual(["bf16 kahan", "1", "1", "1", "0"]);
    expect(weights[1].slice(0, 6)).toEqual(["bf16 in-place", "2", "1", "0", "1", "0"]);
    // |u| of 1e-4 and 0.5, |e| of 0 and 0.5.
    expect(weights[1].slice(-2)).toEqual(["0.5", "0.5"]);
    expect(probes.map(([label]) => label)).toEqual(["stored as", "bf16 in-place", "bf16 kahan"]);
    expect(steps[1]).toEqual(["0", "66.7%", "33.3%", "50.0%", "1.00"]);
    expect(tensors[1].slice(0, 5)).toEqual(["w", "4", "4", "66.7%", "33.3%"]);
    expect(more).toHaveLength(2);
    expect(markdown).toMatch(
      /^# Precision lens\n\n25\.0% of the weights \(1\) were or became NaN or Inf, .* What follows is about the rest\. Stored as bf16 in-place, 66\.7% of the updates/,
    );
    expect(markdown.match(/^## .*/gm)).toEqual([
      "## Updates and weights",
      "## Published probes",
      "## bf16 in-place",
      "## bf16 kahan",
    ]);
  });

  test("has a dash for what is not known", async () => {
    const markdown = renderMarkdown(resultOf([await caseOf([1], [Number.NaN])]));
    expect(markdown).toContain("no weight is finite: in every step");
    expect(markdown.replace("is NaN or Inf", "")).not.toMatch(/NaN|null|undefined|Infinity/);
    expect(tables(markdown)[0][1].slice(-3)).toEqual(["–", "–", "–"]);
  });

  test("lists what was not counted", () => {
    const skipped = [{ name: "a|b", reason: 'lies in "x|y", where the index does not name it' }];
    const all = tables(renderMarkdown(resultOf([counted], { skipped })));
    expect(all.at(-1)![1].map(read)).toEqual(["a|b", 'lies in "x|y", where the index does not name it']);
  });

  test.each([
    "<img src=x onerror=alert(1)>",
    "a\n\n# heading",
    "a | b\\| c \\\\| d",
    "[text](javascript:alert(1))",
    "![image](https://example.com/x.png)",
    "`code` *bold* _italic_ ~~struck~~ $x$ &lt;",
    "\u001b[2J\u202e",
  ])("the name %j is no markup", (name) => {
    const shown = tables(renderMarkdown(withName(name))).at(-1)![1][0];
    expect(read(shown)).toBe(
      name.replaceAll("\n", "\\u000a").replace("\u001b", "\\u001b").replace("\u202e", "\\u202e"),
    );
  });

  test("no name breaks a table or adds a line", () => {
    const lines = renderMarkdown(withName("w")).split("\n").length;
    const hostile = fc.string({ unit: fc.constantFrom(..."\\|`<>&*_[]()~$!#-\n\r\t\u2028 a") });
    fc.assert(
      fc.property(hostile, (name) => {
        const markdown = renderMarkdown(withName(`x${name}x`));
        expect(markdown.split(/[\n\r\u2028]/)).toHaveLength(lines);
        for (const table of tables(markdown)) for (const row of table) row.forEach(read);
      }),
    );
  });

  test("nor does a format of one's own, or what a saved result says of its engine", () => {
    const named = { ...counted, format: "<b>|\n" };
    const engine = { ...resultOf([counted]).engine, name: "<i>", device: "*a*\n" };
    const markdown = renderMarkdown(resultOf([named], { engine } as Partial<Result>));
    expect(markdown.split("\n")).toHaveLength(renderMarkdown(resultOf([counted])).split("\n").length);
    expect(markdown).not.toMatch(/(?<!\\)[<*]/);
  });
});
