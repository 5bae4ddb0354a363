import { describe, expect, test } from "vitest";
import { deltaCosts, sentNumbers } from "../../src/lens/difference/delta.js";
import { DifferenceTally } from "../../src/lens/difference/difference.js";
import type { DeltaSample, DifferenceResult } from "../../src/lens/difference/difference-result.js";
import { type CountedPair, summarizeDifference } from "../../src/lens/difference/summarize-difference.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderDiffCsv } from "../../src/report/diff-csv.js";
import { diffHeadline } from "../../src/report/diff-headline.js";
import { otherNote } from "../../src/report/diff-notes.js";
import { diffReport } from "../../src/report/kinds/diff.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { renderDiffHtml, renderDiffMarkdown, renderDiffTable } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";

const bytes = { full: 1000, gapValue: 300, maskValue: 250 };
const sample: DeltaSample = { chunks: 1, elements: 500, changed: 50, plain: bytes, gzip: bytes, zstd: null };

function tally(counts: Partial<DifferenceTally>, distances: readonly number[] = []): DifferenceTally {
  const called = counts.unchanged ?? 0;
  const difference = Object.assign(
    new DifferenceTally(),
    { pathNotTaken: called, smallSubnetworks: called },
    counts,
  );
  difference.distances.set(distances);
  difference.bytesChanged = counts.bytesChanged ?? distances.reduce((sum, n) => sum + n, 0);
  return difference;
}

function pair(
  name: string,
  counted: DifferenceTally,
  tells = { hidden: false, updates: false },
): CountedPair {
  const formats = { before: "bf16", after: "bf16", compared: "bf16" };
  return { name, shape: [counted.elements], formats, tells, tally: counted };
}

function resultOf(pairs: readonly CountedPair[], changes: Partial<DifferenceResult> = {}): DifferenceResult {
  const summary = summarizeDifference(pairs);
  return {
    schema: "precision-lens-diff/2",
    tool: { name: "precision-lens", version: "0.0.0" },
    input: { before: { path: "a", kind: "checkpoint" }, after: { path: "b", kind: "checkpoint" } },
    settings: { view: null, strict: false, seed: 0 },
    unknown: { hidden: "both store bf16", realSparsity: "two checkpoints do not tell" },
    ...summary,
    delta: deltaCosts(summary.tensors.map(sentNumbers), sample, "no zstd here"),
    skipped: [],
    ...changes,
  };
}

const q = pair(
  "model.layers.0.q_proj.weight",
  tally({ elements: 80, unchanged: 60, signFlips: 1 }, [10, 5, 5]),
);
const norm = pair("model.norm.weight", tally({ elements: 20, unchanged: 20 }));
const widest = (text: string) => Math.max(...text.split("\n").map(visibleWidth));
const renderers = { table: renderDiffTable, markdown: renderDiffMarkdown, csv: renderDiffCsv };

describe("renderDiffTable", () => {
  const result = resultOf([q, norm]);
  const text = renderDiffTable(result);
  const row = (label: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(`${label} `))!
      .slice(label.length)
      .trim()
      .split(/ {2,}/);

  test("weighs by weights, not by tensors", () => {
    expectValid("diff", result);
    expect(row("all").slice(0, 2)).toEqual(["100", "80.0%"]);
    expect(row("q").slice(0, 2)).toEqual(["80", "75.0%"]);
  });

  test("tells what is unknown as such", () => {
    expect(row("q").slice(2, 4)).toEqual(["–", "≤ 75.0%"]);
    expect(text.replaceAll("\n", " ")).toContain(
      "How many were never updated is unknown, at most 80.0%: two checkpoints do not tell.",
    );
  });

  test("tells distances of what changed, the whole tensors and the costs", () => {
    expect(row("of the changed")).toEqual(["50.0%", "25.0%", "25.0%", "0.0%", "0.0%", "0.0%", "0.0%"]);
    expect(text).toContain("1 of 2 tensors is wholly unchanged: model.norm.weight.");
    expect(row("index and value of what changed")).toEqual(["120 B", "60.0%"]);
    // One bit for each of 80 and 20 weights in whole bytes, and twenty values.
    expect(row("bit mask, and values of what changed")).toEqual(["53 B", "26.5%"]);
    expect(row("bit mask and values, gzip*")).toEqual(["50 B", "25.0%"]);
  });

  test("a heat map of many layers is thinned, and says so", () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      pair(`model.layers.${i}.q_proj.weight`, tally({ elements: 100, unchanged: i }, [100 - i])),
    );
    const deep = renderDiffTable(resultOf(many));
    expect(deep).toContain("(24 of 100 layers; --json has all)");
    expect(deep).toMatch(/^ +0 +0$/m);
    expect(deep).toMatch(/^ +99 +█ 99$/m);
    expect(widest(deep)).toBeLessThanOrEqual(80);
    expect(renderDiffTable(resultOf(many), { ...plainTerminal, unicode: false })).not.toMatch(/[░▒▓█]/);
  });

  test("a heat map of more kinds than there is room for goes on below, each kind once", () => {
    const names = ["q_a_proj", "kv_b_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "experts.0"];
    const more = ["mlp.gate", "input_layernorm", "embed_tokens", "shared_head.head", "eh_proj", "qkv_proj"];
    const wide = resultOf(
      [...names, ...more].map((module) =>
        pair(`model.layers.61.${module}.weight`, tally({ elements: 1, unchanged: 1 })),
      ),
    );
    const lines = renderDiffTable(wide).split("\n");
    expect(widest(lines.join("\n"))).toBeLessThanOrEqual(80);
    const headings = lines
      .filter((line) => /^ *model\.layers /.test(line))
      .map((line) => line.trim().split(/ +/));
    expect(headings.length).toBe(2);
    expect(headings.flatMap(([, ...kinds]) => kinds)).toEqual(wide.heatmaps[0].kinds);
    expect(lines.filter((line) => /^ +61 /.test(line)).length).toBe(2);
  });

  test("colours change nothing but colours", () => {
    const coloured = renderDiffTable(result, { ...plainTerminal, colour: true });
    expect(coloured).toContain("\u001b[1m");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(text);
  });
});

describe("what is known of recorded updates", () => {
  test("is told", () => {
    const known = pair("w", tally({ elements: 10, unchanged: 8, hidden: 6, neverUpdated: 1 }, [2]), {
      hidden: true,
      updates: true,
    });
    const result = resultOf([known], { unknown: { hidden: null, realSparsity: null } });
    expectValid("diff", result);
    const text = renderDiffTable(result).replace(/\s+/g, " ");
    expect(text).toContain(
      "80.0% of the weights are the same number. 75.0% of those differ at full precision: 20.0% of the weights",
    );
    expect(text).toContain("10.0% were never updated");
  });
});

describe("what is of no kind", () => {
  const sinks = pair("model.layers.0.self_attn.sinks", tally({ elements: 30, unchanged: 30 }));
  const pooler = pair("pooler.dense.weight", tally({ elements: 10, unchanged: 10 }));
  const html = (result: DifferenceResult) =>
    renderDiffHtml(result, { fonts: [], script: "", sha256: () => "" });

  test.each([
    {
      others: [pooler, sinks],
      says:
        "2 tensors with 28.6% of the weights are of none of these kinds (other); the largest is " +
        "model.layers.0.self_attn.sinks.",
    },
    {
      others: [pooler],
      says: "1 tensor with 9.1% of the weights is of none of these kinds (other): pooler.dense.weight.",
    },
  ])("is told with its share and a name: $says", ({ others, says }) => {
    const result = resultOf([q, norm, ...others]);
    for (const render of [renderDiffTable, renderDiffMarkdown, html]) {
      expect(render(result).replaceAll("\\", "").replace(/\s+/g, " ")).toContain(says);
    }
  });

  test("is not spoken of where every kind is known", () => {
    for (const render of [renderDiffTable, renderDiffMarkdown, html]) {
      expect(render(resultOf([q, norm]))).not.toContain("none of these kinds");
    }
  });

  test("has no share of no weights, and no name of none", () => {
    expect(otherNote(resultOf([pair("", tally({ elements: 0 }))]))).toEqual([
      "1 tensor is of none of these kinds (other).",
    ]);
  });
});

describe.each(Object.entries(renderers))("%s", (_, render) => {
  test("never lets a name command the terminal or become markup", () => {
    const hostile = pair(
      "model.layers.3.\u001b[2J|<b>\u202e.q_proj",
      tally({ elements: 2, unchanged: 1 }, [1]),
    );
    const text = render(resultOf([hostile], { skipped: [{ name: "\u001b[2J", reason: "\u0007" }] }));
    for (const control of render === renderDiffCsv ? [] : ["\u001b", "\u0007", "\u202e"]) {
      expect(text).not.toContain(control);
    }
    if (render === renderDiffMarkdown) expect(text).not.toContain("<b>");
  });

  test("renders nothing finite, and no weights at all, without NaN", () => {
    for (const counts of [{ elements: 3, nonfinite: 3 }, { elements: 0 }]) {
      const result = resultOf([pair("w", tally(counts))]);
      expectValid("diff", result);
      expect(render(result)).not.toMatch(/NaN|Infinity|undefined|null/);
    }
  });
});

describe("weights that are NaN or Inf", () => {
  const tells = { hidden: true, updates: false };
  const result = resultOf([
    pair("w", tally({ elements: 4096, nonfinite: 4000, nonfiniteChanged: 4000, unchanged: 96 }), tells),
  ]);

  test("come first, before the shares of the rest", () => {
    const [first, second] = diffHeadline(result);
    expect(first).toBe(
      "97.7% of the weights (4,000) are NaN or Inf on one side or both. What follows is about the rest.",
    );
    expect(second).toBe("Compared as bf16, 100.0% of the weights are the same number.");
    expect(diffHeadline(resultOf([q])).join()).not.toContain("NaN");
  });

  test("are not what the tiles are of", () => {
    expect(diffReport(result).tiles.slice(0, 2)).toEqual([
      ["of the finite weights unchanged", "100.0%"],
      ["of the finite weights can be really unchanged", "≤ 100.0%"],
    ]);
    expect(diffReport(resultOf([q])).tiles[0][0]).toBe("of the weights unchanged");
  });

  test("leave no verdict on the rest alone", () => {
    const finite = resultOf([pair("w", tally({ elements: 4096, unchanged: 96 }, [4000]), tells)]);
    expect(diffReport(finite).verdict).toContain("look unchanged");
    expect(diffReport(result).verdict).toBeUndefined();
  });
});

test("a bound that rounds to all is less than all", () => {
  const allBut = (changed: number) =>
    resultOf([pair("w", tally({ elements: 40_000, unchanged: 40_000 - changed }, [changed]))]);
  expect(diffHeadline(allBut(1)).at(-1)).toContain("is unknown, less than 100%: two checkpoints");
  expect(renderDiffTable(allBut(1))).toContain(" < 100% ");
  expect(diffHeadline(allBut(13)).at(-1)).toContain("is unknown, at most 99.97%: two checkpoints");
  expect(renderDiffTable(allBut(13))).toContain(" ≤ 99.97% ");
  expect(diffReport(allBut(13)).tiles).toContainEqual(["of the weights can be really unchanged", "≤ 99.97%"]);
});

test("CSV has a row in all, for each kind, layer and tensor, all of one length", () => {
  const rows = renderDiffCsv(resultOf([q, norm]))
    .trimEnd()
    .split("\r\n");
  expect(rows.map((line) => line.split(",")[0])).toEqual([
    "of",
    "all",
    "kind",
    "kind",
    "layer",
    "tensor",
    "tensor",
  ]);
  expect(new Set(rows.map((line) => line.split(",").length)).size).toBe(1);
});
