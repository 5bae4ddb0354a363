import { expect, test } from "vitest";
import { reportScript } from "../../browser-bundle.js";
import { htmlAssets } from "../../src/cli/html-assets.js";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import { diffReport } from "../../src/report/kinds/diff.js";
import { runReport } from "../../src/report/kinds/run.js";
import { differenceResult } from "../support/figures.js";
import {
  renderDiffHtml,
  renderDiffMarkdown,
  renderDiffTable,
  renderHtml,
  renderMarkdown,
  renderTable,
} from "../support/rendered.js";
import { caseOf, resultOf } from "../support/results.js";

const assets = htmlAssets(reportScript());

/** One weight in one tensor, one step, one update: nothing that is one has the plural. */
const plural = /(?<![\d.,])1 (weights|tensors|updates|steps|chunks|rates|layers|cases|modules)\b/;

const words = (html: string) =>
  html.replace(/<script[\s\S]*?<\/script>|<style[\s\S]*?<\/style>/g, "").replace(/<[^>]*>/g, "");

test("a result of one weight", async () => {
  const result = resultOf([await caseOf([1], [1])]);
  for (const text of [
    renderTable(result),
    renderMarkdown(result),
    words(renderHtml(result, assets)),
    runReport(result).source,
  ]) {
    expect(text).toMatch(/1 weight in 1 tensor/);
    expect(text).not.toMatch(plural);
  }
});

test("a comparison of one weight", () => {
  const difference = differenceResult();
  const one: DifferenceResult = {
    ...difference,
    totals: { ...difference.totals, elements: 1, tensors: 1, tensorsUnchanged: 1 },
    tensors: difference.tensors.slice(0, 1).map((tensor) => ({ ...tensor, whollyUnchanged: true })),
  };
  for (const text of [
    renderDiffTable(one),
    renderDiffMarkdown(one),
    words(renderDiffHtml(one, assets)),
    diffReport(one).source,
  ]) {
    expect(text).toMatch(/1 weight|1 tensor/);
    expect(text).not.toMatch(plural);
  }
});
