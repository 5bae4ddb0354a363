import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import type { SeriesResult } from "../../src/lens/difference/series.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderSeriesCsv } from "../../src/report/series.js";
import { shareable } from "../../src/report/shareable.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, seeded, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { renderSeriesMarkdown } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();

async function series(...args: string[]): Promise<SeriesResult> {
  const result = JSON.parse(await output("diff", ...args, "--quiet", "--json", "-"));
  expectValid("series", result);
  return result;
}

/** Four checkpoints of two tensors, of which each step changes some codes of bf16. */
const below = seeded(5);
const names = ["model.layers.0.self_attn.q_proj.weight", "model.layers.0.mlp.up_proj.weight"];
const codes: Uint16Array[][] = [
  names.map(() => Uint16Array.from({ length: 500 }, () => 0x3c00 + below(256))),
];
for (let step = 1; step < 4; step++) {
  codes.push(
    codes[step - 1].map((model) => model.map((code) => (below(4) === 0 ? 0x3c00 + below(3) : code))),
  );
}
const paths = codes.map((model, i) =>
  put(
    folder,
    `step-${i}.safetensors`,
    encodeSafetensors(names.map((name, t) => ({ name, dtype: "BF16", shape: [20, 25], data: model[t] }))),
  ),
);

function changed(before: number, after: number, tensor: number): number {
  return codes[before][tensor].filter((code, i) => code !== codes[after][tensor][i]).length;
}

test("each step against the one before and against the first: counts of a plain loop", async () => {
  const { input, steps, skipped } = await series(...paths);
  expect(input.checkpoints.map(({ path }) => path)).toEqual(paths);
  expect(steps).toHaveLength(3);
  expect(skipped).toEqual([]);
  for (const [i, { change, sinceStart }] of steps.entries()) {
    for (const [before, { totals, kinds, delta }] of [
      [i, change],
      [0, sinceStart],
    ] as const) {
      const [q, up] = [0, 1].map((tensor) => changed(before, i + 1, tensor));
      expect(totals).toMatchObject({
        elements: 1000,
        changed: q + up,
        apparentSparsity: (1000 - q - up) / 1000,
      });
      expect(kinds.map((kind) => [kind.kind, kind.changed])).toEqual([
        ["q", q],
        ["up", up],
      ]);
      // Four bytes of an index and two of a value.
      expect(delta.indexValueBytes).toBe(6 * (q + up));
    }
  }
});

test("what is told of two is what diff of these two tells", async () => {
  const { steps } = await series(...paths);
  const two = async (before: number, after: number): Promise<DifferenceResult> =>
    JSON.parse(await output("diff", paths[before], paths[after], "--quiet", "--json", "-"));
  for (const [difference, result] of [
    [steps[0].change, await two(0, 1)],
    [steps[2].change, await two(2, 3)],
    [steps[2].sinceStart, await two(0, 3)],
  ] as const) {
    const { unknown, totals, kinds, delta } = result;
    expect(difference).toEqual({ unknown, totals, kinds, delta });
  }
  expect(steps[0].sinceStart).toEqual(steps[0].change);
});

test("a view with shared scales: codes, as diff of two compares them", async () => {
  const { settings, steps } = await series(...paths.slice(0, 3), "--view", "mxfp4");
  expect(settings.view).toBe("mxfp4");
  const two: DifferenceResult = JSON.parse(
    await output("diff", paths[1], paths[2], "--view", "mxfp4", "--quiet", "--json", "-"),
  );
  expect(steps[1].change.totals).toEqual(two.totals);
  // Rows of 25 weights are blocks: 20 of them in each tensor.
  expect(two.totals.shared!.blocks).toBe(40);
  const table = (await output("diff", ...paths, "--view", "mxfp4")).replaceAll(/\s+/g, " ");
  expect(table).toContain("Unchanged: the same code as in the checkpoint before");
  expect(table).toMatch(/Each step changed the codes of .* have the codes that they had at the start/);
});

test("names are rewritten and common rows compared in every step", async () => {
  const row = (value: number) => new Uint16Array(25).fill(value);
  const checkpoint = (name: string, rows: number[]) => {
    const data = Uint16Array.from(rows.flatMap((value) => [...row(value)]));
    const file = encodeSafetensors([{ name, dtype: "BF16", shape: [rows.length, 25], data }]);
    return put(folder, `${name}-${rows.length}.safetensors`, file);
  };
  const three = [
    checkpoint("actor.model.embed_tokens.weight", [0x3c00, 0x3c01]),
    checkpoint("model.embed_tokens.weight", [0x3c00, 0x3c02, 0x3c03]),
    checkpoint("model.embed_tokens.weight", [0x3c04, 0x3c02]),
  ];
  const { settings, steps, skipped } = await series(...three, "--rename", "s/^actor\\.//", "--common-rows");
  expect(settings).toMatchObject({ rename: ["s/^actor\\.//"], commonRows: true });
  expect(skipped).toEqual([]);
  expect(steps.map(({ change }) => change.totals)).toMatchObject([
    { elements: 50, changed: 25 },
    { elements: 50, changed: 25 },
  ]);
  expect(steps[1].sinceStart.totals).toMatchObject({ elements: 50, changed: 50 });
});

describe("outputs", () => {
  const given = [
    recorded("base.safetensors"),
    ...["rlvr", "opd", "sft"].map((method) => recorded(`${method}/final-fp32.safetensors`)),
  ];

  test("the table, in at most 80 columns; CSV, Markdown, HTML and a slide; report renders it again", async () => {
    const [saved, page] = ["saved.json", "page.html"].map((name) => join(folder, name));
    const table = await output("diff", ...given, "--view", "bf16", "--json", saved, "--html", page);
    await expect(table).toMatchFileSnapshot("diff-series.txt");
    expect(Math.max(...table.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);
    const result = JSON.parse(readFileSync(saved, "utf8"));
    expectValid("series", result);
    expect(await output("report", saved)).toBe(table);
    expect(await output("report", saved, "--csv", "-")).toBe(renderSeriesCsv(shareable(result)));
    expect(await output("report", saved, "--markdown", "-")).toBe(renderSeriesMarkdown(shareable(result)));
    const html = readFileSync(page, "utf8");
    for (const text of [
      "since the start",
      "Unchanged in each step, by module",
      "rlvr/final-fp32.safetensors",
    ]) {
      expect(html).toContain(text);
    }
    // No path of this machine.
    expect(html).not.toContain(given[0]);
    const slides = join(folder, "slides");
    await output("report", saved, "--quiet", "--svg", slides);
    expect(readFileSync(join(slides, "series.svg"), "utf8")).toContain("unchanged since the start");
  });

  test("tensors that cannot be compared are listed once; --strict refuses them", async () => {
    const other = put(
      folder,
      "other.safetensors",
      encodeSafetensors([{ name: names[0], dtype: "BF16", shape: [20, 25], data: codes[0][0] }]),
    );
    const { skipped } = await series(paths[0], other, paths[1], other);
    expect(skipped.map(({ name }) => name)).toEqual([names[1]]);
    const { status, stderr } = await run(["diff", paths[0], other, paths[1], "--strict"]);
    expect(status, stderr).toBe(2);
  });

  test("wrong usage, and a checkpoint that is not there", async () => {
    await expectUsageError(
      ["diff", ...paths, "--resume", join(folder, "log")],
      /--resume is for two checkpoints/,
    );
    const nowhere = join(folder, "nowhere");
    const expected = "a file of safetensors or torch.save, its index, or a folder with one of them";
    await expectRefusal(["diff", ...paths, nowhere], nowhere, expected, "nothing there");
    await expectRefusal(
      ["diff", ...paths, "--json", paths[3].replace(".safetensors", ".json").replace("step-3", "nowhere/x")],
      paths[3].replace(".safetensors", ".json").replace("step-3", "nowhere/x"),
      `its folder ${join(folder, "nowhere")} to exist`,
      "no such folder",
    );
  });
});
