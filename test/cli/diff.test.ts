import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderDiffCsv } from "../../src/report/diff-csv.js";
import { shareable } from "../../src/report/shareable.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output } from "../support/cli.js";
import { float32, readTensors, recorded } from "../support/recorded.js";
import { renderDiffMarkdown } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const base = recorded("base.safetensors");

async function diff(...args: string[]): Promise<DifferenceResult> {
  const result = JSON.parse(await output("diff", ...args, "--json", "-"));
  expectValid("diff", result);
  return result;
}

const file = (name: string, ...tensors: TensorToWrite[]) => put(folder, name, encodeSafetensors(tensors));
const percentOf = (share: number | null) => (100 * share!).toFixed(2);

function bfloat16(name: string, numbers: readonly number[]): TensorToWrite {
  const words = new Uint32Array(Float32Array.from(numbers).buffer);
  return {
    name,
    dtype: "BF16",
    shape: [numbers.length],
    data: Uint16Array.from(words, (word) => word >>> 16),
  };
}

describe("the recorded runs have the unchanged shares of their README", () => {
  test.each([
    ["rlvr", "18.9", "0.25"],
    ["sft", "3.2", "0.37"],
    ["opd", "12.7", "0.37"],
  ])("%s: %s %% in bf16, %s %% in fp32", async (run, inBf16, inFp32) => {
    const [bf16, fp32] = ["bf16", "fp32"].map((format) => recorded(`${run}/final-${format}.safetensors`));
    const stored = await diff(base, bf16);
    expect(percentOf(stored.totals.apparentSparsity)).toMatch(new RegExp(`^${inBf16.replace(".", "\\.")}`));
    expect(stored.totals).toMatchObject({ hidden: null, realSparsity: null });
    // Mixed: compared in bf16 it is as stored, and what bf16 hides is known.
    const mixed = await diff(base, fp32);
    expect(mixed.totals).toMatchObject({ unchanged: stored.totals.unchanged, ulps: stored.totals.ulps });
    expect(percentOf(mixed.totals.realSparsityAtMost)).toBe(inFp32);
    expect(mixed.unknown.hidden).toBeNull();
    const exact = await diff(base, fp32, "--view", "fp32");
    expect(percentOf(exact.totals.apparentSparsity)).toBe(inFp32);
    expect(exact.totals.unchanged).toBe(mixed.totals.unchanged - mixed.totals.hidden!);
  });
});

describe("outputs", () => {
  const after = recorded("rlvr/final-fp32.safetensors");

  test("the table, in at most 80 columns", async () => {
    const text = await output("diff", base, after);
    // How well this Node compresses, and whether it has zstd, is not for the file.
    const same = text.replace(/ No figures of zstd:.*/s, "\n").replace(/^.*(gzip|zstd)\*.*\n/gm, "");
    await expect(same).toMatchFileSnapshot("diff.txt");
    expect(Math.max(...text.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);
  });

  test("CSV and Markdown render the result; report renders it again", async () => {
    const saved = join(folder, "saved.json");
    const table = await output("diff", base, after, "--json", saved);
    const result = JSON.parse(readFileSync(saved, "utf8"));
    expect(await output("diff", base, after, "--csv", "-")).toBe(renderDiffCsv(result));
    expect(await output("diff", base, after, "--markdown", "-")).toBe(renderDiffMarkdown(shareable(result)));
    expect(await output("report", saved)).toBe(table);
    expect(await output("report", saved, "--csv", "-")).toBe(renderDiffCsv(result));
    await expectRefusal(
      ["report", saved, saved],
      `${saved}, ${saved}`,
      "results that add up",
      "one of schema precision-lens-diff/2, which does not",
    );
  });

  test("--quiet prints nothing", async () => {
    expect(await output("diff", base, after, "--quiet")).toBe("");
  });
});

describe("the result", () => {
  test("adds up by kind, layer and tensor, and has a cell for each layer and kind", async () => {
    const { totals, kinds, layers, heatmaps, tensors } = await diff(
      base,
      recorded("sft/final-bf16.safetensors"),
    );
    const sum = (counts: readonly { unchanged: number; elements: number }[]) => [
      counts.reduce((all, { unchanged }) => all + unchanged, 0),
      counts.reduce((all, { elements }) => all + elements, 0),
    ];
    expect(sum(kinds)).toEqual([totals.unchanged, totals.elements]);
    expect(sum(tensors)).toEqual([totals.unchanged, totals.elements]);
    expect(sum(layers)).toEqual(sum(tensors.filter(({ layer }) => layer !== null)));
    const [{ layers: rows, kinds: columns, apparentSparsity }] = heatmaps;
    for (const [r, layer] of rows.entries()) {
      for (const [c, kind] of columns.entries()) {
        const [unchanged, elements] = sum(
          tensors.filter((tensor) => tensor.layer === layer && tensor.kind === kind),
        );
        expect(apparentSparsity[r][c]).toBe(unchanged / elements);
      }
    }
  });

  test("does not depend on threads or sharding", async () => {
    const after = recorded("opd/final-bf16.safetensors");
    const whole = await diff(base, after);
    expect(await diff(base, after, "--threads", "1")).toEqual(whole);
    expect(await diff(base, after, "--threads", "3")).toEqual(whole);
    const sharded = join(folder, "sharded");
    mkdirSync(sharded);
    const tensors = readTensors(after);
    const shardOf: Record<string, string> = {};
    for (const part of [0, 1, 2, 3]) {
      const name = `model-${part}.safetensors`;
      const mine = tensors.filter((_, i) => i % 4 === part);
      writeFileSync(join(sharded, name), encodeSafetensors(mine));
      for (const tensor of mine) shardOf[tensor.name] = name;
    }
    writeFileSync(join(sharded, "model.safetensors.index.json"), JSON.stringify({ weight_map: shardOf }));
    const { input: _, ...ofShards } = await diff(base, sharded);
    const { input: __, ...ofWhole } = whole;
    expect(ofShards).toEqual(ofWhole);
  });

  test("a file against itself is unchanged, and costs nothing but the mask to send", async () => {
    const { totals, tensors, delta } = await diff(base, base);
    expect(totals).toMatchObject({
      changed: 0,
      apparentSparsity: 1,
      tensorsUnchanged: totals.tensors,
      ulps: [],
    });
    expect(tensors.every(({ whollyUnchanged }) => whollyUnchanged)).toBe(true);
    expect(delta).toMatchObject({
      changed: 0,
      fullBytes: 52096,
      indexValueBytes: 0,
      maskValueBytes: 26048 / 8,
    });
  });
});

describe("what the files can tell", () => {
  const start = [1, 1, 1, 1];
  const moved = [1, 1 + 2 ** -10, 2, -1];

  test("two bf16 files: neither what is hidden nor what is real", async () => {
    const { totals, unknown } = await diff(
      file("a.safetensors", bfloat16("w", start)),
      file("b.safetensors", bfloat16("w", moved)),
    );
    expect(totals).toMatchObject({ unchanged: 2, hidden: null, realSparsity: null, realSparsityAtMost: 0.5 });
    expect(unknown.hidden).toMatch(/^both sides store bf16/);
    expect(unknown.realSparsity).toMatch(/^two checkpoints do not tell/);
  });

  test("tensors of several formats: the reason of the most weights, and how many tensors it concerns", async () => {
    const names = ["x", "y", "z"] as const;
    const mixed = (name: string, numbers: number[], wide: (typeof names)[number]) =>
      file(
        name,
        ...names.map((tensor) => (tensor === wide ? float32 : bfloat16)(tensor, numbers)),
        float32("large", [...numbers, ...numbers, ...numbers]),
      );
    const before = mixed("mixed-before.safetensors", start, "x");
    const of = async (after: string) => (await diff(before, after)).unknown.hidden;
    // fp32 is not the first format, but that of the most weights: 12 and 4, of 24.
    expect(await of(mixed("mixed-after.safetensors", moved, "x"))).toBe(
      "in 2 of 4 tensors both sides store fp32 and are compared in fp32: a move that this format does not show is not in the files",
    );
    // In y AFTER stores fp32 and BEFORE bf16; in x it is the other way round.
    const bf16 = file(
      "mostly-bf16.safetensors",
      ...names.map((tensor) => bfloat16(tensor, moved)),
      bfloat16("large", [...moved, ...moved, ...moved]),
    );
    expect(await of(bf16)).toMatch(
      /^in 2 of 4 tensors AFTER stores bf16, narrower than the fp32 of BEFORE: where numbers differ/,
    );
  });

  test("fp32 viewed as bf16: what bf16 would hide", async () => {
    const pair = [file("c.safetensors", float32("w", start)), file("d.safetensors", float32("w", moved))];
    const { totals, unknown, tensors, settings } = await diff(...pair, "--view", "bf16");
    expect(totals).toMatchObject({ unchanged: 2, hidden: 1, realSparsityAtMost: 0.25 });
    expect(unknown.hidden).toBeNull();
    expect(settings.view).toBe("bf16");
    expect(tensors[0].formats).toEqual({ before: "fp32", after: "fp32", compared: "bf16" });
    expect((await diff(...pair)).totals).toMatchObject({ unchanged: 1, hidden: null });
  });

  test("AFTER narrower than BEFORE: the cast may have changed what differs", async () => {
    const { totals, unknown } = await diff(
      file("e.safetensors", float32("w", moved)),
      file("f.safetensors", bfloat16("w", start)),
    );
    expect(totals).toMatchObject({ unchanged: 2, hidden: null, realSparsityAtMost: 0.5 });
    expect(unknown.hidden).toMatch(/^AFTER stores bf16, narrower than the fp32 of BEFORE/);
  });

  test("a recorded run against itself: its base and its end, and which weights were never updated", async () => {
    const run = recorded("rlvr/early");
    const { totals, unknown, input } = await diff(run, run);
    expect(input.before.kind).toBe("recorded run");
    expect(unknown).toEqual({ hidden: null, realSparsity: null });
    const { end } = JSON.parse(await output("run", run, "--scheme", "master", "--json", "-")).cases[0];
    // An fp32 master is the end that diff sees; its view is what a bf16 master run stores.
    expect(totals).toMatchObject({
      unchanged: end.unchanged,
      hidden: end.hidden,
      neverUpdated: end.neverUpdated,
    });
    const byBase = await diff(join(run, "base.safetensors"), run);
    expect(byBase.totals).toEqual(totals);
    const elsewhere = await diff(base, run);
    expect(elsewhere.totals.realSparsity).toBeNull();
    expect(elsewhere.unknown.realSparsity).toMatch(/^AFTER is a recorded run, but BEFORE is not its base/);
  });
});

describe("tensors that cannot be compared", () => {
  const half: TensorToWrite = { name: "half", dtype: "F16", shape: [1], data: Uint16Array.of(0x3c00) };
  const before = file(
    "before.safetensors",
    float32("w", [1]),
    float32("gone", [1]),
    float32("shape", [1, 2]),
    bfloat16("half", [1]),
    { name: "ids", dtype: "I64", shape: [1], data: new BigInt64Array(1) },
  );
  const after = file(
    "after.safetensors",
    float32("w", [1]),
    float32("new\u001b[2J", [1]),
    float32("shape", [1, 2, 3]),
    half,
    { name: "ids", dtype: "I64", shape: [1], data: new BigInt64Array(1) },
  );

  test("are listed with the reason", async () => {
    const { skipped, totals, byBytes } = await diff(before, after);
    expect(totals.elements).toBe(1);
    expect(Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]))).toEqual({
      gone: "is only in BEFORE",
      "new\u001b[2J": "is only in AFTER",
      shape: "its shape is [2] in BEFORE and [3] in AFTER",
      half: "it is BF16 in BEFORE and F16 in AFTER, and neither holds all numbers of the other: --view names a format to compare in",
    });
    expect(byBytes).toEqual([{ name: "ids", dtype: "I64", shape: [1], elements: 1, changed: 0 }]);
    const text = await output("diff", before, after);
    expect(text).toContain("4 not counted:");
    expect(text).not.toContain("\u001b");
  });

  test("are an error with --strict", async () => {
    const out = join(folder, "strict");
    mkdirSync(out);
    await expectRefusal(
      ["diff", before, after, "--strict", "--json", join(out, "r.json")],
      before,
      "nothing to skip (strict)",
      'tensor "gone": is only in BEFORE',
    );
    expect(readdirSync(out)).toEqual([]);
  });

  test("bf16 against fp16 can be viewed", async () => {
    const { tensors } = await diff(before, after, "--view", "fp32");
    expect(tensors.find(({ name }) => name === "half")!.formats).toEqual({
      before: "bf16",
      after: "fp16",
      compared: "fp32",
    });
  });

  test("nothing in common is an error", async () => {
    const other = file("other.safetensors", float32("x", [1]));
    await expectRefusal(
      ["diff", base, other],
      other,
      `tensors that can be compared with those of ${JSON.stringify(base)}`,
      'none; the first left out is "embed_tokens.weight": is only in BEFORE',
    );
  });
});

describe("what cannot be used is refused in one sentence", () => {
  test("a hostile file, on either side", async () => {
    const cut = put(folder, "cut.safetensors", encodeSafetensors([float32("w", [1])]).subarray(0, -1));
    const size = readFileSync(cut).length;
    for (const args of [
      [cut, base],
      [base, cut],
    ]) {
      await expectRefusal(
        ["diff", ...args],
        cut,
        "all bytes that the header speaks of",
        `a file that is cut off: ${size} of ${size + 1} bytes`,
      );
    }
  });

  test("a path with nothing there", async () => {
    const nothing = join(folder, "nothing");
    const expected = "a file of safetensors or torch.save, its index, or a folder with one of them";
    await expectRefusal(["diff", base, nothing], nothing, expected, "nothing there");
  });

  test.each<[string, string[], RegExp]>([
    ["one operand", [base], /missing required argument 'after'/],
    ["an unknown format", [base, base, "--view", "fp17"], /unknown format "fp17"/],
    ["no threads", [base, base, "--threads", "0"], /expected a number of threads from 1 to 256/],
    ["half a chunk", [base, base, "--sample", "0.5"], /expected a whole number/],
  ])("%s", async (_, args, message) => {
    await expectUsageError(["diff", ...args], message);
  });
});
