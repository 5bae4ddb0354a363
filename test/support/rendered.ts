import { figuresOf, type Report } from "../../src/report/blocks/block.js";
import { markdownText } from "../../src/report/blocks/markdown.js";
import { terminalText } from "../../src/report/blocks/terminal.js";
import type { HtmlAssets } from "../../src/report/html/document.js";
import { htmlPage } from "../../src/report/html/page.js";
import { comparisonReport } from "../../src/report/kinds/comparison.js";
import { diffReport } from "../../src/report/kinds/diff.js";
import { learnReport } from "../../src/report/kinds/learning.js";
import { predictionReport } from "../../src/report/kinds/prediction.js";
import { runReport } from "../../src/report/kinds/run.js";
import { seriesReport } from "../../src/report/kinds/series.js";
import { sweepReport } from "../../src/report/kinds/sweep.js";
import type { Terminal } from "../../src/report/terminal.js";

/** Results of a kind in each form. */

const onTerminal =
  <Of>(reportOf: (result: Of) => Report) =>
  (result: Of, terminal?: Terminal) =>
    terminalText(reportOf(result), terminal);
const inMarkdown =
  <Of>(reportOf: (result: Of) => Report) =>
  (result: Of) =>
    markdownText(reportOf(result));
const onPage =
  <Of>(reportOf: (result: Of) => Report) =>
  (result: Of, assets: HtmlAssets) =>
    htmlPage(reportOf(result), assets);
const drawn =
  <Of>(reportOf: (result: Of) => Report) =>
  (result: Of) =>
    figuresOf(reportOf(result));

export const renderTable = onTerminal(runReport);
export const renderMarkdown = inMarkdown(runReport);
export const renderHtml = onPage(runReport);
export const figuresOfRun = drawn(runReport);
export const renderDiffTable = onTerminal(diffReport);
export const renderDiffMarkdown = inMarkdown(diffReport);
export const renderDiffHtml = onPage(diffReport);
export const figuresOfDiff = drawn(diffReport);
export const renderSeriesMarkdown = inMarkdown(seriesReport);
export const renderSweepTable = onTerminal(sweepReport);
export const renderSweepMarkdown = inMarkdown(sweepReport);
export const renderSweepHtml = onPage(sweepReport);
export const figuresOfSweep = drawn(sweepReport);
export const renderPredictionTable = onTerminal(predictionReport);
export const renderPredictionMarkdown = inMarkdown(predictionReport);
export const renderPredictionHtml = onPage(predictionReport);
export const figuresOfPrediction = drawn(predictionReport);
export const renderLearnTable = onTerminal(learnReport);
export const renderLearnMarkdown = inMarkdown(learnReport);
export const renderLearnHtml = onPage(learnReport);
export const figuresOfLearning = drawn(learnReport);
export const renderComparisonHtml = onPage(comparisonReport);
export const figuresOfComparison = drawn(comparisonReport);
