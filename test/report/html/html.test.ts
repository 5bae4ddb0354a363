import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { reportScript } from "../../../browser-bundle.js";
import { htmlAssets } from "../../../src/cli/html-assets.js";
import type { Result } from "../../../src/lens/run/result.js";
import type { Figure } from "../../../src/report/charts/figure.js";
import { diffHeadline } from "../../../src/report/diff-headline.js";
import { headline } from "../../../src/report/headline.js";
import { embeddedJson } from "../../../src/report/html/document.js";
import { caseLabels } from "../../../src/report/labels.js";
import { predictionHeadline } from "../../../src/report/prediction.js";
import { shareable } from "../../../src/report/shareable.js";
import { sweepSentences } from "../../../src/report/sweep.js";
import { runVerdict } from "../../../src/report/verdict.js";
import { differenceResult, hostileName, oddResults, smallResult } from "../../support/figures.js";
import { largeResult } from "../../support/large-result.js";
import { learnResult, runComparison } from "../../support/learning.js";
import {
  figuresOfComparison,
  figuresOfDiff,
  figuresOfLearning,
  figuresOfPrediction,
  figuresOfRun,
  figuresOfSweep,
  renderComparisonHtml,
  renderDiffHtml,
  renderHtml,
  renderLearnHtml,
  renderPredictionHtml,
  renderSweepHtml,
} from "../../support/rendered.js";
import { caseOf, resultOf } from "../../support/results.js";
import { oddPredictions, oddSweeps, predictionResult, sweepResult } from "../../support/sweep.js";

const assets = htmlAssets(reportScript());
const odd = await oddResults();
const small = smallResult();
const learned = learnResult();
const difference = differenceResult();
const hostileDifference = {
  ...differenceResult({ name: hostileName }),
  input: {
    before: { path: hostileName, kind: "checkpoint" as const },
    after: { path: hostileName, kind: "checkpoint" as const },
  },
  unknown: { hidden: hostileName, realSparsity: hostileName },
  skipped: [{ name: hostileName, reason: hostileName }],
};

const pages: Record<string, string> = {
  ...eachOf(odd, renderHtml),
  ...eachOf(oddSweeps(hostileName), renderSweepHtml),
  ...eachOf(oddPredictions(hostileName), renderPredictionHtml),
  "models that learn": renderLearnHtml(learned, assets),
  "recorded runs": renderComparisonHtml(shareable(runComparison("/data/runs/b")), assets),
  "recorded runs of hostile names": renderComparisonHtml(runComparison(hostileName), assets),
  "a run": renderHtml(small, assets),
  "a comparison": renderDiffHtml(difference, assets),
  "a hostile comparison": renderDiffHtml(hostileDifference, assets),
  "a sweep": renderSweepHtml(sweepResult(), assets),
  "a prediction": renderPredictionHtml(predictionResult(), assets),
};

function eachOf<Of>(named: Record<string, Of>, render: (value: Of, by: typeof assets) => string) {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, render(value, assets)]));
}

/** What a reader reads: the text of a page without its script, style and data. */
function textOf(html: string): string {
  return html
    .replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, " ");
}

function dataOf(html: string) {
  return JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)![1]);
}

describe.each(Object.entries(pages))("the page of %s", (_, html) => {
  test("has two scripts, its data and the one that its policy names", () => {
    expect(html.match(/<script\b/gi)).toHaveLength(2);
    expect(html.match(/<\/script\b/gi)).toHaveLength(2);
    const [, script] = /<script>([\s\S]*?)<\/script>/.exec(html)!;
    const hash = createHash("sha256").update(script).digest("base64");
    expect(html).toContain(`script-src 'sha256-${hash}'`);
  });

  test("takes no name for markup", () => {
    expect(html).not.toMatch(/<img|onerror="|<script>hacked/);
    expect(html.match(/<\/title><\/svg>/)).toBeNull();
    // Attributes are those of the report: no quotation mark of a name has ended one.
    for (const [tag] of html.replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, "").matchAll(/<[a-z][^<>]*>/g)) {
      expect(tag).toMatch(/^<[a-z][a-z0-9]*(\s+[a-zA-Z][a-zA-Z0-9-]*(="[^"]*")?)*\s*\/?>$/);
    }
  });

  test("asks nothing of any network", () => {
    expect(html).toContain("default-src 'none'");
    const addresses = html.replaceAll('xmlns="http://www.w3.org/2000/svg"', "");
    expect(addresses.match(/https?:|\s(?:src|href)="|@import|url\((?!data:)/g) ?? []).toEqual([]);
  });

  test("has every id once, and labels that are there", () => {
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, labels] of html.matchAll(/aria-labelledby="([^"]*)"/g)) {
      for (const label of labels.split(" ")) expect(ids).toContain(label);
    }
  });
});

/** What is said first. */
function verdictOf(html: string): string {
  return textOf(/<h1>(.*)<\/h1>/.exec(html)![1]).trim();
}

describe("the page of a run", () => {
  const html = pages["a run"];
  const text = textOf(html);

  test("begins with the verdict, a ring a case, and says what terminals say", () => {
    expect(verdictOf(html)).toBe(runVerdict(small));
    const rings = [...html.matchAll(/<div class="score (\w+)"><dt>([^<]+)<\/dt>/g)];
    expect(rings.map(([, , label]) => label)).toEqual(caseLabels(small.cases));
    for (const sentence of headline(small)) expect(text).toContain(sentence);
  });

  test("has every figure, and every number of it as text", () => {
    for (const { name, title, numbers } of figuresOfRun(small)) {
      expect(html).toContain(`<figure id="${name}">`);
      expect(text).toContain(title);
      for (const row of numbers.rows) expect(text).toContain(row.join(" "));
    }
  });

  test("carries its tensors, column by column, for each case", () => {
    const data = dataOf(html);
    expect(data.names).toEqual(small.cases[0].tensors.map(({ name }) => name));
    expect(data.cases).toHaveLength(small.cases.length);
    for (const columns of data.cases) {
      expect(columns).toHaveLength(data.columns.length - 3);
      for (const column of columns) expect(column).toHaveLength(data.names.length);
    }
    const weights = data.columns.findIndex(({ heading }: { heading: string }) => heading === "weights") - 3;
    expect(data.cases[1][weights]).toEqual(small.cases[1].tensors.map(({ totals }) => totals.elements));
  });

  test("says how to count it again", () => {
    expect(text).toContain(
      "precision-lens run --weights base/ --updates updates/ --format bf16 --scheme in-place,master,kahan --rounding nearest-even",
    );
  });

  test("is the same text for the same result", () => {
    expect(renderHtml(smallResult(), assets)).toBe(html);
  });
});

test("a share that is not quite all never reads as all", async () => {
  const caseResult = await caseOf([1, 1], [1e-9, 1e-9]);
  const [tensor] = caseResult.tensors;
  const nearly: Result = resultOf([
    {
      ...caseResult,
      tensors: [
        {
          ...tensor,
          totals: { ...tensor.totals, elements: 1e12 },
          end: { ...tensor.end, unchanged: 1e12 - 1, hidden: 0 },
        },
      ],
    },
  ]);
  const data = dataOf(renderHtml(nearly, assets));
  const [, unchanged] = data.cases[0];
  expect(unchanged[0]).toBeLessThan(1);
});

test("a run of one step has no curves", () => {
  expect(pages["one step"]).not.toContain("Step by step");
  expect(pages["a run"]).toContain("Step by step");
});

test("a run with curves shows what was so far, one without them each step", () => {
  expect(pages["a run"]).toContain('id="unchanged-so-far"');
  const without = renderHtml(
    { ...small, cases: small.cases.map(({ curve: _, ...caseResult }) => ({ ...caseResult, curve: [] })) },
    assets,
  );
  expect(without).not.toContain('id="unchanged-so-far"');
  expect(without).toContain('id="descent-per-step"');
});

describe("the page of a comparison", () => {
  const html = pages["a comparison"];
  const text = textOf(html);

  test("has the headline, every figure and its numbers", () => {
    for (const sentence of diffHeadline(difference)) expect(text).toContain(sentence);
    for (const { name, numbers } of figuresOfDiff(difference)) {
      expect(html).toContain(`<figure id="${name}">`);
      for (const row of numbers.rows) expect(text).toContain(row.join(" "));
    }
  });

  test("says what is unknown, with the reason", () => {
    expect(text).toContain("What the format hides both store bf16");
    expect(text).toContain("How many weights were never updated two checkpoints do not tell");
    const knows = textOf(renderDiffHtml(differenceResult({ hidden: true }), assets));
    expect(knows).not.toContain("What the format hides");
  });

  test("says how to compare again", () => {
    expect(text).toContain("precision-lens diff base tuned");
  });
});

describe.each<[string, string, readonly string[], readonly Figure[]]>([
  [
    "a sweep",
    "bf16 in-place, at 16 bits a weight, learns from a learning rate of 1e-5 on.",
    sweepSentences(sweepResult()),
    figuresOfSweep(sweepResult()),
  ],
  [
    "a prediction",
    predictionHeadline(predictionResult())[0],
    predictionHeadline(predictionResult()),
    figuresOfPrediction(predictionResult()),
  ],
])("the page of %s", (name, verdict, sentences, figures) => {
  const text = textOf(pages[name]);

  test("says what terminals say", () => {
    expect(verdictOf(pages[name])).toBe(verdict);
    for (const sentence of sentences) expect(text).toContain(sentence);
  });

  test("has every figure, and every number of it as text", () => {
    for (const { name: id, title, numbers } of figures) {
      expect(pages[name]).toContain(`<figure id="${id}">`);
      expect(text).toContain(title);
      for (const row of numbers.rows) expect(text).toContain(row.join(" "));
    }
  });

  test("has no table of tensors, and says so to its script", () => {
    expect(dataOf(pages[name])).toBeNull();
  });
});

test("a sweep's page names its rates, not the one that its input was described at", () => {
  const { input } = sweepResult();
  const optimizer = {
    lr: 1.23e-7,
    betas: [0.9, 0.95],
    eps: 1e-8,
    weightDecay: 0,
    schedule: "constant",
    warmup: 0,
  };
  const synthetic = {
    preset: null,
    model: null,
    parameters: 9,
    source: "adamw",
    weights: null,
    optimizer,
    gradients: { noise: "gaussian", snr: 0, norm: 1, scaleSpread: 0 },
    seed: 0,
  };
  const syntheticSweep = { ...sweepResult(), input: { ...input, synthetic } } as unknown as ReturnType<
    typeof sweepResult
  >;
  const text = textOf(renderSweepHtml(syntheticSweep, assets));
  expect(text).toContain("rates 1e-7, 1e-6, 1e-5, 1e-4");
  expect(text).toContain("optimizer: betas 0.9, 0.95");
  expect(text).not.toContain("1.23e-7");
});

test("a name comes through as it is, in data that no text can leave", () => {
  const data = dataOf(pages.hostile);
  expect(data.names).toEqual([hostileName]);
  expect(embeddedJson({ a: "</script><!--\u2028&" })).toBe(
    '{"a":"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026"}',
  );
});

test("control characters and changes of direction are told, not sent", async () => {
  const caseResult = await caseOf([1], [1e-9]);
  const name = "a\u202Eb\u0000c";
  const html = renderHtml(
    resultOf([{ ...caseResult, tensors: [{ ...caseResult.tensors[0], name }] }]),
    assets,
  );
  for (const character of ["\u202E", "\u0000"]) expect(html).not.toContain(character);
  expect(dataOf(html).names).toEqual(["a\\u202eb\\u0000c"]);
});

test("the report of a 70B model's run is under 3 MB", () => {
  const result = largeResult();
  expect([result.input.tensors, result.cases.length, result.cases[0].steps.length]).toEqual([723, 3, 300]);
  const bytes = Buffer.byteLength(renderHtml(result, assets));
  expect(bytes).toBeLessThan(3e6);
  // It is a quarter of that; twice as much would be a mistake.
  expect(bytes).toBeLessThan(1.5e6);
});

describe("the page of models that learn", () => {
  const html = pages["models that learn"];

  test("has the verdict first, and every figure and number", () => {
    expect(verdictOf(html)).toBe(
      "Stored as bf16 in-place, sft at 1e-4 learns 8.3% of what it learns in fp32.",
    );
    for (const { name, numbers } of figuresOfLearning(learned)) {
      expect(html).toContain(`<figure id="${name}">`);
      for (const cell of numbers.rows.flat()) expect(textOf(html)).toContain(cell);
    }
    // A hundredth of the prompts is never answered right after sft, by its formula.
    expect(textOf(html)).toContain("fp32 in-place is behind its base from k = 8 on, 2 others too");
  });

  test("says how to train them again", () => {
    expect(textOf(html)).toContain(
      "precision-lens learn --run rlvr --lr 1e-5 --steps 30 --seed 0,1 --kl all --format bf16 --scheme in-place,master --rounding nearest-even",
    );
  });
});

describe("the page of recorded runs", () => {
  const html = pages["recorded runs"];

  test("has the verdict, what each run lacks and no place of this machine", () => {
    expect(html).toMatch(
      /<h1>As if stored as bf16 in-place, runs\/b retains 3\.\d% of its fp32 displacement; most is retained by \S+, \d+\.\d%\./,
    );
    for (const { name } of figuresOfComparison(runComparison("/data/runs/b"))) {
      expect(html).toContain(`<figure id="${name}">`);
    }
    expect(textOf(html)).toContain("No outcome.json, so no pass@k and no KL: sft/early");
    // The task of this run's outcome is named like it.
    expect(html).not.toMatch(/\/data\/runs\/(grpo|sft)/);
    expect(textOf(html)).toContain(
      "precision-lens compare …/grpo/early …/runs/b …/sft/early --format bf16 --scheme in-place",
    );
    expect(textOf(html)).toContain("put the beginning in place of …/");
  });
});
