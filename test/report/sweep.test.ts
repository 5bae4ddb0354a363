import { describe, expect, test } from "vitest";
import type { SweepResult } from "../../src/lens/study/sweep.js";
import { escaped } from "../../src/report/blocks/markdown.js";
import { visibleWidth } from "../../src/report/columns.js";
import { rateText, sweepSentences } from "../../src/report/sweep.js";
import { renderSweepCsv } from "../../src/report/sweep-csv.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { hostileName } from "../support/figures.js";
import { renderSweepMarkdown, renderSweepTable } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";
import { oddSweeps, sweepResult } from "../support/sweep.js";

const all: Record<string, SweepResult> = { plain: sweepResult(), ...oddSweeps(hostileName) };
const widest = (text: string) => Math.max(...text.split("\n").map(visibleWidth));
const cheapest = (progress: (caseIndex: number, at: number) => number) =>
  sweepSentences(sweepResult({ progress }))[1];

describe("the answers come first, as sentences", () => {
  test("the smallest rate of each format with the case that learns there, the cheaper of equals", () => {
    const schemes = ["in-place", "master", "kahan"];
    const progress = (caseIndex: number, at: number) =>
      [0, 0.6, 0.6, 0.6, 0, 0, 0, 0.2, 0.4][caseIndex] * (at > 0 ? 1 : 0);
    const [learning] = sweepSentences(
      sweepResult({ formats: ["bf16", "fp16", "e4m3fn"], schemes, progress }),
    );
    expect(learning).toBe(
      "Smallest learning rate at which each format still learns, of those tried: bf16 1e-6 (kahan), fp16 1e-6 (in-place), e4m3fn none.",
    );
  });

  test("of a recorded run they are scales", () => {
    const [learning] = sweepSentences(all["scales of a recorded run"]);
    expect(learning).toMatch(
      /^Smallest scale of the recorded updates at which each format still learns, of those tried: bf16 /,
    );
  });

  test("rates that agree are told as one", () => {
    expect(cheapest(() => 1)).toContain(": bf16 in-place (16 bits a weight) at every rate.");
    expect(cheapest(() => 0)).toContain(": none at any rate.");
    expect(cheapest((caseIndex, at) => (at > caseIndex ? 1 : 0))).toContain(
      ": none at 1e-7, bf16 in-place (16 bits a weight) from 1e-6 on.",
    );
    expect(cheapest((caseIndex, at) => (caseIndex === 0 ? at / 3 : 1))).toContain(
      ": bf16 master (48 bits a weight) from 1e-7 to 1e-5, bf16 in-place (16 bits a weight) at 1e-4.",
    );
    // The rates between two of the same case are not of it.
    expect(cheapest((caseIndex, at) => (at === 1 ? 0 : 1 - caseIndex))).toContain(
      ": bf16 in-place (16 bits a weight) at 1e-7, none at 1e-6, bf16 in-place (16 bits a weight) from 1e-5 on.",
    );
    expect(sweepSentences(all["one rate"])[1]).toMatch(/: none at 1e-6\.$/);
  });
});

describe("what chance leaves open", () => {
  const open = sweepResult({
    schemes: ["in-place", "kahan"],
    roundings: ["nearest-even", "stochastic"],
    rates: [1e-7, 1e-6],
    // By stochastic rounding 1 ± .32, then 1 ± .001.
    progress: (caseIndex) => (caseIndex === 0 ? 0 : 1),
    noise: (caseIndex, at) => (caseIndex === 1 && at === 0 ? 0.32 : 0.001),
  });

  test("is no answer, but said to be possible", () => {
    expect(sweepSentences(open)).toEqual([
      "Smallest learning rate at which each format still learns, of those tried: bf16 1e-7 (kahan).",
      "Cheapest that keeps its updates: bf16 kahan (32 bits a weight) at 1e-7, bf16 stochastic (16 bits a weight) at 1e-6.",
      "Chance leaves open whether these keep them: bf16 stochastic (16 bits a weight) at 1e-7; more weights would tell.",
    ]);
    const alone = sweepResult({ schemes: ["in-place"], roundings: ["stochastic"], noise: () => 0.32 });
    expect(sweepSentences(alone)[0]).toMatch(/: bf16 perhaps 1e-7 \(stochastic\)\.$/);
    expect(sweepSentences(alone)[1]).toContain(": none at any rate.");
  });

  test("is marked in the table", () => {
    const text = renderSweepTable(open);
    expect(text).toMatch(/^bf16 stochastic +16 +1e-6\? +1e-6\?$/m);
    expect(text).toMatch(/^bf16 stochastic +1\.00±0\.32\? +1\.00$/m);
    expect(text).toMatch(/^bf16 kahan stochastic +32 +1e-7 +1e-7$/m);
  });
});

describe("weights that are NaN or Inf", () => {
  // At the second rate of the first case.
  const finite = sweepResult();
  const cells = finite.cells.map((cell, i) =>
    i === finite.answers.cases.length
      ? { ...cell, end: { ...cell.end, nonfinite: cell.totals.elements / 2 } }
      : cell,
  );
  const result = { ...finite, cells };

  test("come before the answers", () => {
    expect(sweepSentences(result)[0]).toMatch(
      /^50\.0% of the weights \([\d,]+\) were or became NaN or Inf with bf16 in-place at 1e-6, some with 1 of the \d cases\. /,
    );
    expect(sweepSentences(finite)[0]).not.toContain("NaN");
  });

  test("have a table by rate, with a row for each case that has them", () => {
    for (const text of [renderSweepTable(result), renderSweepMarkdown(result)]) {
      expect(text).toMatch(/nonfinite at/);
    }
    const [, rows] = renderSweepTable(result).split("nonfinite at");
    expect(rows).toMatch(/^.*1e-6.*\nbf16 in-place +0 +[1-9][\d,]* +0/);
    expect(renderSweepTable(finite)).not.toContain("nonfinite at");
  });
});

describe("the table", () => {
  test("has a row a case, and progress at each rate", () => {
    const lines = renderSweepTable(all.plain).split("\n");
    const rows = lines.filter((line) => line.startsWith("bf16 "));
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
      ["bf16 in-place", "16", "1e-5", "1e-5"],
      ["bf16 master", "48", "1e-5", "1e-4"],
      ["bf16 in-place", "0.11", "0.33", "1.00", "1.00"],
      ["bf16 master", "0.064", "0.19", "0.58", "1.00"],
    ]);
  });

  test("shows noise, and what it leaves untold", () => {
    const text = renderSweepTable(all.noisy);
    expect(text).toMatch(/0\.064±1\.00\?/);
    expect(text).toMatch(/0\.19±0\.10 /);
    expect(text.replace(/\s+/g, " ")).toContain(
      "?: cannot be told, because three standard errors reach to either side of a limit; more weights would tell.",
    );
    expect(renderSweepTable(all.plain)).not.toContain("±");
  });

  test.each(Object.entries(all).filter(([name]) => name !== "a hostile sweep"))(
    "of %s is at most as wide as its terminal",
    (_, result) => {
      for (const columns of [80, 120]) {
        expect(widest(renderSweepTable(result, { ...plainTerminal, columns }))).toBeLessThanOrEqual(columns);
      }
    },
  );

  test("rates are written as people write them", () => {
    expect([1e-6, 3.16e-7, 0.001, 0.01, 0.1, 1, 10, 31.6, 1e12, null].map(rateText)).toEqual([
      ...["1e-6", "3.16e-7", "1e-3", "0.01", "0.1", "1", "10", "31.6", "1e+12", "–"],
    ]);
  });

  test("colours change nothing but colours", () => {
    const coloured = renderSweepTable(all.noisy, { ...plainTerminal, colour: true });
    expect(coloured).toContain("\u001b[1m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(renderSweepTable(all.noisy));
  });
});

test("CSV has a row a case and rate, all of one length", () => {
  const { cells } = all.noisy;
  const [heading, ...rows] = renderSweepCsv(all.noisy)
    .trimEnd()
    .split("\r\n")
    .map((line) => line.split(","));
  expect(rows).toHaveLength(cells.length);
  for (const [i, row] of rows.entries()) {
    expect(row).toHaveLength(heading.length);
    const byHeading = Object.fromEntries(heading.map((name, column) => [name, row[column]]));
    expect(byHeading).toMatchObject({
      rate: String(cells[i].rate),
      format: cells[i].format,
      scheme: cells[i].scheme,
    });
    for (const name of ["visible", "retained", "noise", "noiseToWeight"] as const) {
      expect(byHeading[name]).toBe(String(cells[i].end[name]));
    }
    expect(byHeading.standardError).toBe(String(cells[i].standardError ?? ""));
  }
});

test("Markdown has the sentences, what is retained, and the noise", () => {
  const text = renderSweepMarkdown(all.noisy);
  for (const sentence of sweepSentences(all.noisy)) expect(text).toContain(escaped(sentence));
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  // Four cases; of the two that are stochastic noise, and noise by weight.
  expect(rows).toHaveLength(2 + 4 + 2 + 4);
  for (const table of [rows.slice(0, 6), rows.slice(6)]) {
    expect(new Set(table.map((row) => row.split("|").length)).size).toBe(1);
  }
});

describe.each(Object.entries(all))("%s", (_, result) => {
  test("keeps to its schema", () => expectValid("sweep", result));

  test("is rendered without a number that is none, or a name that is more", () => {
    for (const render of [renderSweepTable, renderSweepMarkdown, renderSweepCsv]) {
      const text = render(result);
      expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
      expect(text).not.toContain("\u001b");
      if (render === renderSweepMarkdown) expect(text).not.toMatch(/(?<!\\)<img/);
    }
  });
});

describe("the schema refuses", () => {
  test.each<[string, (result: SweepResult) => object]>([
    ["another field", (result) => ({ ...result, more: 1 })],
    ["no answers", ({ answers: _, ...result }) => result],
    ["a rate that is none", (result) => ({ ...result, rates: [0] })],
    ["another kind of rate", (result) => ({ ...result, settings: { ...result.settings, rate: "speed" } })],
    ["metadata of files", (result) => ({ ...result, input: { ...result.input, metadata: {} } })],
    [
      "a cell without totals",
      (result) => ({ ...result, cells: result.cells.map(({ totals: _, ...cell }) => cell) }),
    ],
  ])("%s", (_, change) => {
    expect(() => expectValid("sweep", change(sweepResult()))).toThrow();
  });
});
