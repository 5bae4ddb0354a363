import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderCsv } from "../../src/report/csv.js";
import { shareable } from "../../src/report/shareable.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { expectedLora, float32Tensor, loraPath, putAdapter } from "../support/lora.js";
import { plainProduct } from "../support/low-rank.js";
import { readTensors } from "../support/recorded.js";
import { renderMarkdown } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const base = loraPath("base");

async function lens(...args: string[]): Promise<Result> {
  const result = JSON.parse(await output(...args, "--quiet", "--json", "-"));
  expectValid("result", result);
  return result;
}

describe("PEFT 0.21: adapters as it saves them, and what it merges them to", () => {
  test.each(Object.entries(expectedLora))("%s has every figure of numpy", async (name, expected) => {
    const merged = loraPath(`${name}-merged-by-peft`);
    const result = await lens("diff", base, loraPath(name), "--merged", merged);
    const [{ totals, tensors }] = result.cases;
    const { weights, differsFromPeft, ...counts } = expected.totals;
    expect(totals).toMatchObject({ elements: weights, ...counts, kept: 0, nonfinite: 0 });
    expect(result.merge).toMatchObject({
      scale: expected.scale,
      merged: { elements: weights, differ: differsFromPeft },
    });
    expect(result.merge!.merged).toMatchObject({
      case: 0,
      tensors: 8,
      others: { tensors: 13, differ: 0 },
      skipped: [],
    });
    expect(tensors.map((tensor) => tensor.name).sort()).toEqual(Object.keys(expected.tensors).sort());
    for (const tensor of tensors) {
      const { effectiveDescent, weights: elements, none, lost, moved } = expected.tensors[tensor.name];
      expect(tensor.totals).toMatchObject({ elements, none, lost, moved });
      // The order of a sum may differ in its last bits.
      expect(tensor.totals.effectiveDescent).toBeCloseTo(effectiveDescent, 12);
    }
  });

  test("a checkpoint that is not that merge: how many weights differ, and which tensors", async () => {
    const { merge, cases } = await lens("diff", base, loraPath("adapter"), "--merged", base);
    // The base itself has other bits just where the merge moved a weight.
    expect(merge!.merged).toMatchObject({
      differ: cases[0].totals.moved,
      others: { tensors: 13, differ: 0 },
    });
    const other = await lens(
      "diff",
      base,
      loraPath("adapter"),
      "--merged",
      loraPath("adapter-rslora-merged-by-peft"),
    );
    expect(other.merge!.merged!.differ).toBeGreaterThan(cases[0].totals.moved / 2);
  });

  test("with safe_merge PEFT rounds the update to bf16 first: other bits, which --round-update has", async () => {
    const given = ["diff", base, loraPath("adapter"), "--merged", loraPath("adapter-merged-by-peft")];
    const { merge } = await lens(...given, "--round-update", "bf16");
    expect(merge!.rounded).toBe("bf16");
    expect(merge!.merged!.differ).toBe(differBySafeMerge());
    expect(merge!.merged!.differ).toBeGreaterThan(0);
  });

  test("its merge against the base, as any two checkpoints", async () => {
    const merged = loraPath("adapter-merged-by-peft");
    const { totals } = JSON.parse(await output("diff", base, merged, "--quiet", "--json", "-"));
    expect(totals.changed).toBe(expectedLora.adapter.totals.moved);
  });
});

test("two adapters are compared as any two checkpoints", async () => {
  const both = ["diff", loraPath("adapter"), loraPath("adapter")];
  const { totals, tensors } = JSON.parse(await output(...both, "--quiet", "--json", "-"));
  expect(tensors).toHaveLength(16);
  expect(totals.bytesChanged).toBe(0);
});

test("one matrix, the least of a configuration: numpy's counts", async () => {
  const [{ totals }] = (await lens("diff", loraPath("one-matrix/base"), loraPath("one-matrix/adapter")))
    .cases;
  expect(totals).toMatchObject({ none: 0, lost: 20_156, moved: 45_380 });
});

/** The bits of a number rounded to bf16 by nearest-even. Valid for finite numbers far from the largest. */
function bfloat16(x: number): number {
  const [word] = new Uint32Array(Float32Array.of(x).buffer);
  return ((word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000) >>> 0;
}
const numberOf = (word: number) => new Float32Array(Uint32Array.of(word).buffer)[0];

/** By a plain program: weights of PEFT's merge that are others where the update is rounded to bf16 first. */
function differBySafeMerge(): number {
  const [weights, factors, merged] = [
    "base/model",
    "adapter/adapter_model",
    "adapter-merged-by-peft/model",
  ].map(
    (path) =>
      new Map(
        readTensors(loraPath(`${path}.safetensors`)).map(
          ({ name, shape, data: { buffer, byteOffset, byteLength } }) => [
            name,
            { shape, bytes: buffer.slice(byteOffset, byteOffset + byteLength) },
          ],
        ),
      ),
  );
  let differ = 0;
  for (const [name, { shape, bytes }] of factors) {
    if (!name.endsWith("lora_A.weight")) continue;
    const weight = `${name.slice("base_model.model.".length, -".lora_A.weight".length)}.weight`;
    const [rank, columns] = shape;
    const [rows] = weights.get(weight)!.shape;
    const a = new Float32Array(bytes);
    const b = new Float32Array(factors.get(name.replace("lora_A", "lora_B"))!.bytes);
    const [before, after] = [weights, merged].map((tensors) => new Uint16Array(tensors.get(weight)!.bytes));
    // Alpha 16 over rank 4.
    const u = plainProduct(
      rows,
      columns,
      rank,
      (i, k) => b[i * rank + k],
      (k, j) => a[k * columns + j],
      4,
    );
    for (const [i, code] of before.entries()) {
      const made = bfloat16(numberOf(code * 65536) + numberOf(bfloat16(u[i])));
      if (made / 65536 !== after[i]) differ += 1;
    }
  }
  return differ;
}

test("a plain program that adds the product and takes it away again has the same counts, by kind and layer too", async () => {
  const [rows, columns, rank] = [24, 40, 3];
  const numbers = (count: number, size: number) =>
    Float32Array.from({ length: count }, (_, i) => size * Math.sin(1 + i * i * 0.7));
  const names = [
    "model.layers.0.self_attn.q_proj",
    "model.layers.1.self_attn.q_proj",
    "model.layers.1.mlp.up_proj",
  ];
  const parts = names.map((name, n) => ({
    name,
    a: numbers(rank * columns, 0.03 * (n + 1)),
    b: numbers(rows * rank, 0.002),
    // Some far smaller than their updates: merged, these have bits that unmerging does not give back.
    words: [...numbers(rows * columns, 0.3 + n)].map((x) => bfloat16(x ** 9)),
  }));
  const file = put(
    folder,
    "plain.safetensors",
    encodeSafetensors(
      parts.map(({ name, words }) => ({
        name: `${name}.weight`,
        dtype: "BF16",
        shape: [rows, columns],
        data: Uint16Array.from(words, (word) => word >>> 16),
      })),
    ),
  );
  const adapter = putAdapter(
    folder,
    "plain",
    { r: rank, lora_alpha: 5 },
    parts.flatMap(({ name, a, b }) => [
      float32Tensor(`base_model.model.${name}.lora_A.weight`, [rank, columns], a),
      float32Tensor(`base_model.model.${name}.lora_B.weight`, [rows, rank], b),
    ]),
  );
  const counted = parts.map(({ a, b, words }) => {
    const left = (i: number, k: number) => b[i * rank + k];
    const right = (k: number, j: number) => a[k * columns + j];
    const u = plainProduct(rows, columns, rank, left, right, 5 / rank);
    const counts = { lost: 0, moved: 0, back: 0, returned: 0, descent: 0, size: 0 };
    for (const [i, word] of words.entries()) {
      const merged = bfloat16(numberOf(word) + u[i]);
      const unmerged = bfloat16(numberOf(merged) - u[i]);
      counts[merged === word ? "lost" : "moved"] += 1;
      if (unmerged === word) counts.back += 1;
      if (unmerged === word && merged !== word) counts.returned += 1;
      // A displacement is an fp32 number.
      counts.descent += Math.fround(numberOf(merged) - numberOf(word)) * u[i];
      counts.size += u[i] * u[i];
    }
    return counts;
  });
  const sum = (which: readonly number[], field: keyof (typeof counted)[0]) =>
    which.reduce((all, i) => all + counted[i][field], 0);

  const result = await lens("diff", file, adapter, "--unmerge");
  const [{ kinds, layers, unmerge }] = result.merge!.cases;
  const elements = 3 * rows * columns;
  const back = sum([0, 1, 2], "back");
  expect(unmerge).toEqual({
    elements,
    unchanged: back,
    returned: sum([0, 1, 2], "returned"),
    changed: elements - back,
    nonfinite: 0,
    changedShare: (elements - back) / elements,
  });
  expect(unmerge!.changed).toBeGreaterThan(0);
  const rowsOf = (counts: readonly { moved: number; lost: number; effectiveDescent: number | null }[]) =>
    counts.map(({ moved, lost, effectiveDescent }) => [moved, lost, effectiveDescent!.toFixed(10)]);
  const expectedRow = (which: readonly number[]) => [
    sum(which, "moved"),
    sum(which, "lost"),
    (sum(which, "descent") / sum(which, "size")).toFixed(10),
  ];
  expect(kinds.map(({ kind }) => kind)).toEqual(["q", "up"]);
  expect(rowsOf(kinds)).toEqual([expectedRow([0, 1]), expectedRow([2])]);
  expect(layers.map(({ stack, layer }) => [stack, layer])).toEqual([
    ["model.layers", 0],
    ["model.layers", 1],
  ]);
  expect(rowsOf(layers)).toEqual([expectedRow([0]), expectedRow([1, 2])]);
});

describe("run --adapter", () => {
  test("takes any formats, schemes, roundings and engines; its first case is what diff gives", async () => {
    const given = ["run", "--weights", base, "--adapter", loraPath("adapter")];
    const grid = [
      "--format",
      "bf16,fp16,e4m3fn",
      "--scheme",
      "in-place,master,kahan",
      "--rounding",
      "rne,sr",
    ];
    const result = await lens(...given, ...grid);
    expect(result.cases).toHaveLength(18);
    const [ofDiff] = (await lens("diff", base, loraPath("adapter"))).cases;
    expect(result.cases[0]).toEqual(ofDiff);
    expect(result.merge!.cases).toHaveLength(18);
    const wasm = await lens(...given, ...grid, "--engine", "wasm");
    expect(wasm.cases).toEqual(result.cases);
    // A master keeps all of the adapter, and shows what in-place storage has.
    const [, , master] = result.cases;
    expect(master).toMatchObject({ scheme: "master", totals: { lost: 0 } });
    expect(master.end.retained).toBe(1);
  });

  test("--merged goes with the case in place by nearest-even", async () => {
    const merged = loraPath("adapter-merged-by-peft");
    const given = ["run", "--weights", base, "--adapter", loraPath("adapter"), "--merged", merged];
    const { merge } = await lens(...given, "--scheme", "master,in-place");
    expect(merge!.merged).toMatchObject({ case: 1, differ: 0, elements: 11_264 });
    const none = "none";
    await expectRefusal(
      [...given, "--scheme", "master"],
      merged,
      "a case stored in-place by nearest-even to compare with",
      none,
    );
    const fp16 = (await lens(...given, "--format", "fp16")).merge!.merged!;
    expect(fp16).toMatchObject({ tensors: 0, elements: 0 });
    expect(fp16.skipped[0].reason).toBe("the merged checkpoint stores it as BF16, not as fp16");
  });
});

describe("outputs", () => {
  const given = [base, loraPath("adapter"), "--unmerge", "--merged", loraPath("adapter-merged-by-peft")];

  test("the table, in at most 80 columns; CSV, Markdown and HTML; report renders it again", async () => {
    const saved = join(folder, "saved.json");
    const page = join(folder, "page.html");
    const table = await output("diff", ...given, "--json", saved, "--html", page);
    await expect(table).toMatchFileSnapshot("adapter.txt");
    // docs/lora.md shows a part of it.
    const [, shown] = /```console\n\$ .*\n([^`]*)```/.exec(readFileSync("docs/lora.md", "utf8"))!;
    for (const line of shown.split("\n").filter((text) => text !== "...")) expect(table).toContain(line);
    expect(Math.max(...table.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);
    const result = JSON.parse(readFileSync(saved, "utf8"));
    expectValid("result", result);
    expect(await output("report", saved)).toBe(table);
    expect(await output("diff", ...given, "--csv", "-")).toBe(renderCsv(result));
    expect(await output("diff", ...given, "--markdown", "-")).toBe(renderMarkdown(shareable(result)));
    const html = readFileSync(page, "utf8");
    for (const text of [
      "58.0% of the adapter&#39;s updates left the stored weight as it was",
      "The adapter by module and layer",
      "model.layers.1",
      "After unmerging",
      "scale of the adapter",
      "--adapter ",
    ]) {
      expect(html.replaceAll("&apos;", "&#39;"), text).toContain(text);
    }
    expect(html).not.toContain(folder);
    await expectRefusal(
      ["report", saved, saved],
      `${saved}, ${saved}`,
      "results that add up",
      "that the merge of an adapter is no part of a larger one",
    );
  });

  test("no output takes the place of an input", async () => {
    const copy = putAdapter(
      folder,
      "copy",
      readFileSync(loraPath("adapter/adapter_config.json"), "utf8"),
      [],
    );
    const bytes = readFileSync(loraPath("adapter/adapter_model.safetensors"));
    put(copy, "adapter_model.safetensors", bytes);
    const config = join(copy, "adapter_config.json");
    const { status, stderr } = await run(["diff", base, copy, "--json", config]);
    expect(status, stderr).toBe(2);
    expect(stderr).toContain("another file than the inputs");
  });
});

describe("what cannot be merged", () => {
  test("gets one sentence", async () => {
    const adapter = loraPath("adapter");
    const nowhere = join(folder, "nowhere");
    await expectRefusal(
      ["run", "--weights", base, "--adapter", nowhere],
      nowhere,
      "the folder of a LoRA adapter",
      "nothing there",
    );
    const swapped = "a base as BEFORE, and its adapter as AFTER";
    await expectRefusal(["diff", adapter, base], adapter, swapped, "a LoRA adapter");
    const wide = loraPath("one-matrix/base");
    const { status, stderr } = await run(["diff", wide, adapter]);
    expect(status, stderr).toBe(2);
    expect(stderr).toContain("expected factors that fit a weight of");
    const mixed = put(
      folder,
      "mixed.safetensors",
      encodeSafetensors([
        float32Tensor("a.weight", [1, 1], [1]),
        { name: "b.weight", dtype: "BF16", shape: [1, 1], data: Uint16Array.of(0x3f80) },
      ]),
    );
    const both = putAdapter(
      folder,
      "both",
      { r: 1, lora_alpha: 1 },
      ["a", "b"].flatMap((name) =>
        ["A", "B"].map((which) => float32Tensor(`${name}.lora_${which}.weight`, [1, 1], [1])),
      ),
    );
    await expectRefusal(
      ["diff", mixed, both],
      mixed,
      "one format for all weights that the adapter changes, or one named by --view",
      "fp32 and bf16",
    );
    expect((await lens("diff", mixed, both, "--view", "bf16")).cases[0].totals.moved).toBe(2);
  });

  test("wrong usage", async () => {
    const adapter = loraPath("adapter");
    await expectUsageError(["run", "--adapter", adapter], /--weights and --adapter go together/);
    await expectUsageError(
      ["run", "--weights", base, "--adapter", adapter, "--updates", base],
      /--updates is for recorded runs, not for --adapter/,
    );
    await expectUsageError(
      ["run", "--weights", base, "--adapter", adapter, "--write-weights", join(folder, "out.safetensors")],
      /--write-weights is for recorded runs/,
    );
    await expectUsageError(
      ["diff", base, base, "--round-update", "bf16"],
      /--round-update is for AFTER a LoRA adapter/,
    );
    for (const given of [["--rename", "s/a/b/"], ["--common-rows"], ["--sample", "16"], ["--seed", "0"]]) {
      await expectUsageError(
        ["diff", base, adapter, ...given],
        new RegExp(`${given[0]} is for checkpoints, not for a LoRA adapter`),
      );
    }
    await expectUsageError(
      ["diff", base, adapter, "--view", "nvfp4"],
      /--view of a LoRA adapter's merge is for formats without shared scales, found nvfp4/,
    );
    await expectUsageError(["run", base, "--unmerge"], /--unmerge is for --adapter/);
    await expectUsageError(["diff", base, base, "--unmerge"], /--unmerge is for AFTER a LoRA adapter/);
  });
});
