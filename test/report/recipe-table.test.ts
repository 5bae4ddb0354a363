import { beforeAll, describe, expect, test } from "vitest";
import { runLens } from "../../src/engine/run-lens.js";
import { selectEngine } from "../../src/engine/select.js";
import type { Result } from "../../src/lens/run/result.js";
import { shownIn } from "../../src/report/blocks/block.js";
import { tableLines } from "../../src/report/blocks/terminal.js";
import { renderCsv } from "../../src/report/csv.js";
import { caseLabels } from "../../src/report/labels.js";
import { recipeBlocks, verificationNotes } from "../../src/report/recipe-table.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { recipeSettings } from "../../src/update/optimizer.js";
import { renderHtml, renderMarkdown, renderTable } from "../support/rendered.js";
import { caseOf, resultOf } from "../support/results.js";
import { tensorOf } from "../support/values.js";

const names = ["torch-2.13-cpu-for-loop", "collage-light", "master", "fp32"];
let result: Result;

beforeAll(async () => {
  const cases = names.map((name) =>
    recipeSettings("adamw", name, { lr: 1e-3, weightDecay: 0.1, format: "bf16" }),
  );
  // One weight moves by itself, one only decays, one has nothing to do.
  const tensors = [tensorOf("w", [0.001, 1, 0], [1, 0, 0], [1, 0, 0])];
  const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} } as const;
  const job = { tensors, stepNumbers: [0, 1], cases, skipped: [], strict: false, source };
  result = await runLens(job, await selectEngine("reference"));
});

/** Lines of the tables of recipes, on a terminal. */
function tablesOf(shown: Result): string[][] {
  return shownIn("terminal", recipeBlocks(shown)).flatMap((block) =>
    block.kind === "table" ? [tableLines(block, plainTerminal)] : [],
  );
}

describe("tables of recipes", () => {
  test("label cases by their recipe, a star where it is unverified", () => {
    expect(caseLabels(result.cases)).toEqual([
      "bf16 torch-2.13-cpu-for-loop",
      "bf16 collage-light*",
      "bf16 master",
      "fp32",
    ]);
    expect(verificationNotes(result)).toEqual([
      "Compared bit for bit with torch 2.13.0+cpu, ten steps: torch-2.13-cpu-for-loop.",
      "* Unverified: written from sources or papers, not compared bit for bit with a run: collage-light in bf16.",
    ]);
  });

  test("tell why weights did not move, what moments lost, where recipes part", () => {
    const [causes, moments, parting] = tablesOf(result);
    expect(causes[0]).toBe("unmoved because of            storage  epsilon  moment  decay  gradient 0");
    // Of four weight-steps that did not move, two had only weight decay and two nothing.
    expect(causes[1]).toBe("bf16 torch-2.13-cpu-for-loop     0.0%     0.0%    0.0%  50.0%       50.0%");
    expect(moments[0]).toBe("updates of moments            m lost  v lost");
    expect(parting[0]).toBe("parting from bf16 torch-2.13-cpu-for-loop  at step  weights at the end");
    expect(parting).toHaveLength(4);
    expect(parting[3]).toMatch(/^fp32 +– +–$/);
  });

  test("are in the text, the Markdown and the CSV", () => {
    const text = renderTable(result);
    for (const [heading] of tablesOf(result)) expect(text).toContain(heading);
    expect(text).toContain("Compared bit for bit with torch 2.13.0+cpu, ten steps:");
    expect(text).toContain("* Unverified:");
    expect(text).toContain("Stored as bf16 by the recipe torch-2.13-cpu-for-loop,");
    const markdown = renderMarkdown(result);
    expect(markdown).toContain("## Why weights stood still, by recipe");
    expect(markdown).toContain("| torch.optim.AdamW(foreach=False), PyTorch 2.13.0, CPU |");
    expect(markdown).toContain("Compared bit for bit with torch 2.13.0+cpu, ten steps:");
    expect(markdown).toContain("\\* Unverified:");
    const html = renderHtml(result, { fonts: [], script: "", sha256: () => "" });
    expect(html).toContain("<p>Compared bit for bit with torch 2.13.0+cpu, ten steps:");
    expect(html).toContain("<p>* Unverified:");
    const [heading, first] = renderCsv(result)
      .split("\r\n")
      .map((line) => line.split(","));
    expect(first[heading.indexOf("recipe")]).toBe("torch-2.13-cpu-for-loop");
    expect(first[heading.indexOf("cause.weightDecay")]).toBe("2");
    expect(first[heading.indexOf("end.parted")]).toBe("0");
  });

  test("a recipe is verified by the release that it was compared with, in the formats in which it was", async () => {
    const asked = ["torch-2.13-cuda-fused", "torch-2.13-cuda-capturable", "torch-2.13-cpu-fused", "master"];
    const cases = ["bf16", "fp16"].flatMap((format) =>
      asked.map((name) => recipeSettings("adamw", name, { lr: 1e-3, format })),
    );
    const tensors = [tensorOf("w", [0.5], [1])];
    const source = { kind: "arrays", weights: null, updates: null, gradients: null, metadata: {} } as const;
    const job = { tensors, stepNumbers: [0], cases, skipped: [], strict: false, source };
    const counted = await runLens(job, await selectEngine("reference"));
    expect(caseLabels(counted.cases).filter((label) => label.endsWith("*"))).toEqual([
      "fp16 torch-2.13-cuda-capturable*",
      "fp16 torch-2.13-cpu-fused*",
    ]);
    expect(verificationNotes(counted)).toEqual([
      "Compared bit for bit with torch 2.11.0+cu130 on an H100, ten steps: torch-2.13-cuda-fused, torch-2.13-cuda-capturable.",
      "Compared bit for bit with torch 2.13.0+cpu, ten steps: torch-2.13-cpu-fused.",
      "* Unverified: written from sources or papers, not compared bit for bit with a run: " +
        "torch-2.13-cuda-capturable in fp16, torch-2.13-cpu-fused in fp16.",
    ]);
  });

  test("are absent where updates were recorded", async () => {
    const recorded = resultOf([await caseOf([1, 2], [0.1, 0])]);
    expect(recipeBlocks(recorded)).toEqual([]);
    expect(verificationNotes(recorded)).toEqual([]);
    expect(renderMarkdown(recorded)).not.toContain("Optimizer");
    const [heading, first] = renderCsv(recorded)
      .split("\r\n")
      .map((line) => line.split(","));
    expect(first[heading.indexOf("recipe")]).toBe("");
    expect(first[heading.indexOf("cause.storage")]).toBe("");
  });
});
