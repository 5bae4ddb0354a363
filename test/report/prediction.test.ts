import { describe, expect, test } from "vitest";
import { type PredictionResult, ruleOutcomes } from "../../src/lens/study/prediction.js";
import { escaped } from "../../src/report/blocks/markdown.js";
import { predictionChart } from "../../src/report/charts/prediction-chart.js";
import { visibleWidth } from "../../src/report/columns.js";
import { predictionHeadline, renderPredictionCsv } from "../../src/report/prediction.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { hostileName } from "../support/figures.js";
import { renderPredictionMarkdown, renderPredictionTable } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";
import { oddPredictions, predictionResult } from "../support/sweep.js";

const plain = predictionResult();
const all: Record<string, PredictionResult> = { plain, ...oddPredictions(hostileName) };

test("the headline tells what the rule in use finds, and what would find more", () => {
  expect(predictionHeadline(plain)).toEqual([
    "The ulp rule on Adam's moments finds 30.0% of the weights that the next step changes.",
    "Of 1,000 weights stored as bf16 from an fp32 master, 4.0% changed in a step. Knowing what the master holds back, the " +
      "moments find 87.5%; with the update itself, 100.0%. A gradient of up to 4 standard deviations can reach 9.7% of the weights, and 100.0% " +
      "of those that change.",
  ]);
});

describe("the headline of a run", () => {
  const noneRight = plain.steps.map((step) => ({ ...step, changed: 0, right: Array(7).fill(0) }));
  const unchanged = { changed: 0, steps: noneRight, rules: ruleOutcomes(noneRight) };

  test("in which nothing changed says so", () => {
    expect(predictionHeadline(predictionResult(unchanged))).toEqual([
      "Nothing changed: of 1,000 weights stored as bf16 from an fp32 master, no step changed any.",
      "A gradient of up to 4 standard deviations can reach 9.7% of the weights.",
    ]);
    expect(predictionChart(predictionResult(unchanged)).title).toBe("No stored weight changes");
  });

  test("with NaN or Inf begins with them", () => {
    // 100 of the 1,000 weights in each of two steps.
    const some = predictionHeadline(predictionResult({ weightSteps: 1800 }));
    expect(some[0]).toBe(
      "10.0% of the weight-steps (200) are left out: the weight, its update or what is stored is NaN or Inf. What follows " +
        "is about the rest.",
    );
    // 80 of 1,800, and 194 of 1,800.
    expect(some.slice(1).join(" ")).toMatch(
      /4\.4% changed in a step.*can reach 10\.8% of the finite weights/,
    );
    const rules = ruleOutcomes([]);
    expect(predictionHeadline(predictionResult({ ...unchanged, weightSteps: 0, rules }))).toEqual([
      "No weight is finite in any of these steps: nothing can be said.",
    ]);
  });

  test("of one step has nothing to say", () => {
    expect(predictionHeadline(all["nothing predicted"])).toEqual([
      "There is nothing to predict: this takes weights, and at least two steps.",
    ]);
  });
});

describe("the table", () => {
  const text = renderPredictionTable(plain);

  test("has a row a rule and what it is given", () => {
    const rows = text.split("\n").filter((line) => /%.*%/.test(line) && / (m and v|the update) /.test(line));
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
      ["ulp-rule", "m and v", "1.4%", "30.0%", "85.7%"],
      ["one-step", "m and v", "2.2%", "37.5%", "68.2%"],
      ["residual", "m and v", "4.1%", "87.5%", "85.4%"],
      ["reach", "m and v", "9.7%", "100.0%", "41.2%"],
      ["ulp-rule", "the update", "1.4%", "30.0%", "85.7%"],
      ["one-step", "the update", "2.2%", "37.5%", "68.2%"],
      ["residual", "the update", "4.0%", "100.0%", "100.0%"],
    ]);
  });

  test("fits a terminal, in colour or not", () => {
    expect(Math.max(...text.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);
    const coloured = renderPredictionTable(plain, { ...plainTerminal, colour: true });
    expect(coloured).toContain("\u001b[1m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(text);
  });

  test("lists what was left out", () => {
    const skipped = [{ name: "lm_head.weight", reason: "it has no gradient" }];
    expect(renderPredictionTable(predictionResult({ skipped }))).toContain("lm_head.weight");
  });
});

test("CSV has a row a rule, with counts", () => {
  const rows = renderPredictionCsv(plain)
    .trimEnd()
    .split("\r\n")
    .map((line) => line.split(","));
  expect(rows[0]).toEqual([
    ...["rule", "knows", "weightSteps", "changed", "predicted", "right", "recall", "precision"],
  ]);
  expect(rows[1]).toEqual(["ulp-rule", "moments", "2000", "80", "28", "24", "0.3", String(24 / 28)]);
  expect(rows).toHaveLength(8);
  expect(renderPredictionCsv(all["nothing predicted"]).split("\r\n")[1]).toBe("ulp-rule,moments,0,0,0,0,,");
});

test("Markdown has the headline and one table", () => {
  const text = renderPredictionMarkdown(plain);
  for (const sentence of predictionHeadline(plain)) expect(text).toContain(escaped(sentence));
  expect(text.split("\n").filter((line) => line.startsWith("|"))).toHaveLength(2 + 7);
});

describe.each(Object.entries(all))("%s", (_, result) => {
  test("keeps to its schema", () => expectValid("prediction", result));

  test("is rendered without a number that is none, or a name that is more", () => {
    for (const render of [renderPredictionTable, renderPredictionMarkdown, renderPredictionCsv]) {
      const text = render(result);
      expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
      if (render === renderPredictionMarkdown) expect(text).not.toMatch(/(?<!\\)<img/);
    }
  });
});

describe("the schema refuses", () => {
  test.each<[string, (result: PredictionResult) => object]>([
    ["another field", (result) => ({ ...result, more: 1 })],
    ["another rule", (result) => ({ ...result, rules: [{ ...result.rules[0], rule: "hunch" }] })],
    ["a count that is none", (result) => ({ ...result, changed: -1 })],
    ["no optimizer", ({ optimizer: _, ...result }) => result],
  ])("%s", (_, change) => {
    expect(() => expectValid("prediction", change(predictionResult()))).toThrow();
  });
});
