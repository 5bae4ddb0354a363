import { describe, expect, test } from "vitest";
import { formats } from "../../src/format/registry.js";
import type { SkippedTensor } from "../../src/lens/input.js";
import type { Case } from "../../src/lens/run/case.js";
import type { Result } from "../../src/lens/run/result.js";
import { visibleWidth } from "../../src/report/columns.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { schemeNames } from "../../src/update/scheme.js";
import { renderTable } from "../support/rendered.js";
import { caseOf, resultOf } from "../support/results.js";
import { expectValid } from "../support/schemas.js";

const counted = await caseOf([1, 0.5, -2, 3], [1e-4, 0, 0.5, 1e-3]);
const nothing = await caseOf([1, Number.NaN], [Number.NaN, 1]);
const widest = (text: string) => Math.max(...text.split("\n").map(visibleWidth));

/** The cells of the row that begins with a label, after it. */
function row(text: string, label: string): string[] {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${label} `));
  return line!.slice(label.length).trim().split(/ +/);
}

/** The same of the table of displacements. */
function displacementOf(text: string, label: string): string[] {
  return row(text.slice(text.indexOf("retained  visible")), label);
}

describe("renderTable", () => {
  test("tells what became of updates and weights", async () => {
    const master = await caseOf([1, 0.5, -2, 3], [1e-4, 0, 0.5, 1e-3], { scheme: "master" });
    const result = resultOf([counted, master]);
    expectValid("result", result);
    const text = renderTable(result);
    expect(text).toMatch(/^4 weights in 1 tensors?, 1 step, 4 updates\n/);
    const [moved, kept, lost, bar, ...end] = row(text, "bf16 in-place");
    expect([moved, kept, lost]).toEqual(["33.3%", "–", "66.7%"]);
    expect(bar).toMatch(/^█+░+$/);
    expect(end).toEqual(["75.0%", "50.0%"]);
    // Of 0.5 and two updates too small to show; a master holds them.
    expect(displacementOf(text, "bf16 in-place")).toEqual(["1.00", "1.00", "0.002", "3e-4"]);
    expect(displacementOf(text, "bf16 master")).toEqual(["1.00", "1.00", "0.00", "0.00"]);
    expect(row(text, "bf16 master").slice(0, 3)).toEqual(["33.3%", "66.7%", "0.0%"]);
    expect(widest(text)).toBeLessThanOrEqual(80);
  });

  test("all and none are told and drawn as such", async () => {
    const [all, none] = [await caseOf([1, 1], [1, -1]), await caseOf([1, 1], [1e-6, -1e-6])];
    const drawn = (caseResult: Case) => row(renderTable(resultOf([caseResult])), "bf16 in-place");
    const bar = (glyph: string) => expect.stringMatching(new RegExp(`^${glyph}{6,}$`));
    expect(drawn(all)).toEqual(["100.0%", "0.0%", bar("█"), "0.0%", "0.0%"]);
    expect(drawn(none)).toEqual(["0.0%", "100.0%", bar("░"), "100.0%", "100.0%"]);
  });

  test("has dashes and no bar where no update was finite", () => {
    const result = resultOf([nothing]);
    expectValid("result", result);
    const text = renderTable(result);
    expect(text.replace(/is\s+NaN\s+or\s+Inf\b/, "")).not.toMatch(/NaN|null|undefined|Infinity/);
    expect(row(text, "bf16 in-place")).toEqual(["–", "–", "–", "–", "2"]);
    expect(displacementOf(text, "bf16 in-place")).toEqual(["–", "–", "–", "–"]);
    expect(text.replace(/\s+/g, " ")).toContain("no weight is finite: in every step");
  });

  test("only a result with nonfinite updates has a column for them", () => {
    expect(renderTable(resultOf([counted]))).not.toContain("nonfinite");
    expect(renderTable(resultOf([nothing, counted]))).toMatch(/hidden +nonfinite\n/);
  });

  test("keeps to 80 columns for every format and scheme, with nonfinite updates too", () => {
    const cases = [...formats.keys()].flatMap((format) =>
      schemeNames.flatMap((scheme) =>
        [nothing, counted].map((caseResult): Case => ({ ...caseResult, format, scheme })),
      ),
    );
    expect(widest(renderTable(resultOf(cases)))).toBeLessThanOrEqual(80);
    const stochastic = cases.map((caseResult) => ({ ...caseResult, rounding: "stochastic" }));
    expect(widest(renderTable(resultOf(stochastic)))).toBeLessThanOrEqual(80);
  });

  test("uses a wide terminal, but not for running text", () => {
    const wide = { ...plainTerminal, columns: 200 };
    const text = renderTable(resultOf([counted]), wide);
    expect(row(text, "bf16 in-place")[2]).toHaveLength(24);
    expect(widest(text)).toBeLessThanOrEqual(100);
  });

  test("does without bars on a narrow terminal", () => {
    const narrow = { ...plainTerminal, columns: 50 };
    const rows = renderTable(resultOf([counted]), narrow).split("\n\n")[1];
    expect(rows).not.toMatch(/[█▒░]/);
    expect(widest(rows)).toBeLessThanOrEqual(60);
  });

  test("colours change nothing but colours", () => {
    const coloured = renderTable(resultOf([counted, nothing]), { ...plainTerminal, colour: true });
    expect(coloured).toContain("\u001b[1m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(renderTable(resultOf([counted, nothing])));
  });

  test("without Unicode its bars and legend are ASCII", () => {
    const text = renderTable(resultOf([counted]), { ...plainTerminal, unicode: false });
    expect(text).toMatch(/#+\.+/);
    expect(text).not.toMatch(/[█▒░]/);
  });
});

describe("tensors that were not counted", () => {
  const withSkipped = (...skipped: SkippedTensor[]): Result => resultOf([counted], { skipped });

  test("are listed, five at most", () => {
    const some = Array.from({ length: 1007 }, (_, i) => ({ name: `w${i}`, reason: "has no updates" }));
    const lines = renderTable(withSkipped(...some))
      .trimEnd()
      .split("\n");
    expect(lines.slice(-7)).toEqual([
      "1,007 not counted:",
      ...[0, 1, 2, 3, 4].map((i) => `  w${i}: has no updates`),
      "  and 1,002 more",
    ]);
    expect(renderTable(withSkipped(...some.slice(0, 5)))).not.toMatch(/and [\d,]+ more/);
  });

  test("cannot flood the terminal with their names, nor command it", () => {
    const text = renderTable(
      withSkipped({ name: "x".repeat(1e6), reason: "r" }, { name: "\u001b[2Ja\nb\u202e", reason: "\u0007" }),
    );
    expect(text.length).toBeLessThan(3000);
    expect(text).toContain(`  ${"x".repeat(120)}…:\nr\n`);
    expect(text).toContain("  \\u001b[2Ja\\u000ab\\u202e: \\u0007\n");
  });
});
