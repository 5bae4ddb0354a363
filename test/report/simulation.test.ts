import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { firstShownTable, samplingNote, samplingTable } from "../../src/report/simulation.js";
import { caseOf, resultOf } from "../support/results.js";

const plain = resultOf([await caseOf([1, 2], [0.5, 1e-9])]);

describe("what a sample tells", () => {
  const share = (low: number, high: number) => ({
    estimate: (low + high) / 2,
    standardError: 0.001,
    low,
    high,
  });
  const sampled = (): Result => {
    const cases = plain.cases.map(() => ({
      unchanged: share(0.8161, 0.8179),
      hidden: share(0.5, 0.5),
      apparentSparsity: share(0, 0.0001),
    }));
    return { ...plain, sampling: { parameters: 7_615_616_512, confidence: 0.95, cases } };
  };

  test("is told of the whole model, by intervals", () => {
    const table = samplingTable(sampled())!;
    expect(table.headings[0]).toBe("of 7,615,616,512");
    expect(table.rows[0].slice(1)).toEqual(["81.6% to 81.8%", "50.0%", "0.0% to <0.1%", "–", "–"]);
    expect(samplingNote(sampled())).toContain("95%");
  });

  test("nothing of a result that is no sample", () => {
    expect(samplingTable(plain)).toBeNull();
  });
});

describe("when weights first show", () => {
  test("by magnitude, measured and by formula; a dash where there is none", () => {
    const binade = { weights: 100, shown: 60, medianStep: 12, formula: 12.345 };
    const result = {
      ...plain,
      firstShown: [
        {
          case: 0,
          binades: [
            { exponent: -6, ...binade },
            { exponent: -4, weights: 40, shown: 1, medianStep: null, formula: 2820.04 },
            { exponent: -2, weights: 4, shown: 0, medianStep: null, formula: 1.10157998e57 },
          ],
        },
      ],
    };
    const { headings, rows } = firstShownTable(result)!;
    expect(headings.slice(0, 1)).toEqual(["|w| from"]);
    expect(rows).toEqual([
      ["0.016", "12", "12"],
      ["0.063", "–", "2,800"],
      ["0.25", "–", "1.1e+57"],
    ]);
  });

  test("nothing of recorded runs", () => {
    expect(firstShownTable(plain)).toBeNull();
  });
});
