import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import type { Geometry } from "../../src/lens/geometry-result.js";
import { visibleWidth } from "../../src/report/columns.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { expectResumes, workOf } from "../support/resume.js";
import { expectValid } from "../support/schemas.js";
import { fullTier } from "../support/tier.js";

const folder = temporaryFolder();
const base = recorded("base.safetensors");
const [rlvr, sft] = ["rlvr", "sft"].map((run) => recorded(`${run}/final-bf16.safetensors`));

function geometryOf(text: string): Geometry {
  const result: DifferenceResult = JSON.parse(text);
  expectValid("diff", result);
  return result.geometry!;
}

async function geometry(...args: string[]): Promise<Geometry> {
  return geometryOf(await output("diff", ...args, "--geometry", "--json", "-"));
}

/** The same with its table. */
async function withTable(name: string, ...args: string[]) {
  const saved = join(folder, name);
  const table = await output("diff", ...args, "--geometry", "--json", saved);
  expect(Math.max(...table.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);
  return { saved, table, geometry: geometryOf(readFileSync(saved, "utf8")) };
}

const testFully = fullTier ? test : () => {};

describe("of the recorded runs", async () => {
  const { saved, table, geometry: both } = await withTable("both.json", base, rlvr, sft);

  test("every matrix is measured, and what is none is named", () => {
    expect(both).toMatchObject({ rank: 64, seed: 0, walk: null, sampled: { layers: 2, of: 2, all: false } });
    expect(both.tensors.length + both.leftOut.length).toBe(
      both.others![0].tensors.length + both.leftOut.length,
    );
    // Six of each layer, with short sides of 32: an eighth of that each.
    expect(table.replace(/\s+/g, " ")).toMatch(
      /12 matrices are under 512 on the short side: an eighth of the directions, 4 and not 64, were taken/,
    );
    expect(both.leftOut.every(({ reason }) => /has 1 dimension, not two/.test(reason))).toBe(true);
    expect(both.layers.map(({ layer, spectra }) => [layer, spectra])).toEqual([
      [0, true],
      [1, true],
    ]);
    // Their weights are no matrices of a layer.
    const embedding = both.tensors.find(({ kind }) => kind === "embedding")!;
    expect(embedding.spectrum).toBeNull();
    expect(embedding.measures.drift.reason).toMatch(/--layers all/);
  });

  test("what diff counts is the same with and without, though the geometry counts matrices on its way", async () => {
    for (const args of [
      [base, rlvr],
      [base, rlvr, "--view", "e4m3fn"],
    ]) {
      const { geometry: _, ...beside } = JSON.parse(
        await output("diff", ...args, "--geometry", "--layers", "0", "--json", "-"),
      );
      expect(beside).toEqual(JSON.parse(await output("diff", ...args, "--json", "-")));
    }
  });

  test("the means are those of the tensors, each as one and by weight", () => {
    const q = both.tensors.filter(({ kind }) => kind === "q");
    const ofKind = both.kinds.find(({ kind }) => kind === "q")!;
    const drifts = q.map(({ measures }) => measures.drift.measured!);
    expect(ofKind.measures.drift.measured).toBeCloseTo((drifts[0] + drifts[1]) / 2, 12);
    const weights = both.tensors.map(({ shape }) => shape[0] * shape[1]);
    const whole = weights.reduce((sum, n) => sum + n);
    const changed = both.tensors.reduce(
      (sum, { measures }, i) => sum + weights[i] * measures.changed.measured!,
      0,
    );
    expect(both.totals.weighted.changed.measured).toBeCloseTo(changed / whole, 12);
    expect(both.totals.measures.changed.measured).not.toBeCloseTo(changed / whole, 4);
  });

  test("a model is measured alike alone and beside another, on one thread and on three", async () => {
    const { others, jaccard, ...first } = both;
    const { path, ...second } = others![0];
    expect(path).toBe(sft);
    // The quick tier compares what is measured without spectra, below.
    if (fullTier) {
      expect(await geometry(base, rlvr, "--threads", "3")).toEqual(first);
      expect(await geometry(base, sft, "--threads", "1")).toMatchObject(second);
    }
    expect(jaccard).toHaveLength(1);
    expect(jaccard![0].totals.measured).toBeGreaterThan(0.7);
  });

  test("learning rate and steps tell what a noise walk would give; a layer of two is a sample, and that is said", async () => {
    const { table, geometry } = await withTable(
      "walk.json",
      base,
      rlvr,
      "--lr",
      "1e-5",
      "--steps",
      "300",
      "--layers",
      "1",
    );
    const { walk, totals } = geometry;
    expect(walk).toEqual({ lr: 1e-5, steps: 300 });
    expect(totals.measures.size).toMatchObject({ null: "walk" });
    const [measured, expected] = [totals.measures.size.measured!, totals.measures.size.expected!];
    expect(totals.measures.size.ratio).toBeCloseTo(measured / expected, 12);
    expect(totals.measures.drift.interval).toBeUndefined();
    expect(table).toMatch(/Spectra of 1 of 2 layers \(--layers all takes all\)/);
  });

  test("no layers are no spectra, and say so", async () => {
    const alone = ["--layers", "0", "--threads", "2"];
    const { table, geometry } = await withTable("none.json", base, rlvr, ...alone);
    const { totals, layers } = geometry;
    for (const measure of ["size", "changed", "rowSpread"] as const)
      expect(totals.measures[measure]).toEqual(both.totals.measures[measure]);
    expect(totals.measures.drift).toMatchObject({
      measured: null,
      reason: "no spectra were asked for (--layers 0)",
    });
    expect(totals.measures.rowSpread.ratio).toBeGreaterThan(0.5);
    expect(layers.every(({ spectra }) => !spectra)).toBe(true);
    expect(table.replaceAll(/\s+/g, " ")).toMatch(/no spectrum tells which weights/);
  });

  test("the table, Markdown and report of a saved result", async () => {
    expect(table.replaceAll(/\s+/g, " ")).toMatch(
      /Its matrices moved by a mean 6\.\d% of their norms, along few directions/,
    );
    expect(table).toMatch(/changed weights in both, of those in either/);
    expect(table.replaceAll(/\s+/g, " ")).toMatch(
      /What is counted here is of \S+; the geometry has all \d tuned models\./,
    );
    expect(await output("report", saved)).toBe(table);
    const markdown = await output("report", saved, "--markdown", "-");
    expect(markdown).toMatch(/## How the changes lie/);
    expect(markdown).toMatch(/\| stable rank of the change \| [\d.]+ \| [\d.]+ \|/);
    const [heading, ...rows] = (await output("report", saved, "--csv", "-"))
      .trim()
      .split("\r\n")
      .map((line) => line.split(","));
    const at = (row: string[], name: string) => row[heading.indexOf(name)];
    expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([heading.length]));
    const ofSft = rows.filter((row) => at(row, "model") === sft && at(row, "of") === "tensor");
    expect(ofSft.map((row) => Number(at(row, "size")))).toEqual(
      both.others![0].tensors.map(({ measures }) => measures.size.measured),
    );
    const overlap = rows.find((row) => at(row, "jaccard") !== "")!;
    expect(Number(at(overlap, "jaccard"))).toBe(both.jaccard![0].totals.measured);
    const html = await output("report", saved, "--html", "-");
    expect(html.includes("How the changes lie")).toBe(true);
    expect(html.includes("geometry-layers")).toBe(true);
  });
});

testFully(
  "ended at any moment, the measuring goes on from there and gives what an uninterrupted one gives",
  async () => {
    const args = ["diff", base, rlvr, "--geometry", "--quiet", "--threads", "1"];
    const work = await workOf(args, folder);
    expect(work.progress).toContain('"geometry":true');
    await expectResumes(work, join(folder, "resumed"), 5);
  },
);

testFully(
  "a recorded run is measured after some of its updates, too, and after all as at its end",
  async () => {
    const run = join(folder, "run");
    mkdirSync(run);
    cpSync(base, join(run, "base.safetensors"));
    cpSync(recorded("rlvr/early/updates.safetensors"), join(run, "updates.safetensors"));
    const args = [run, run, "--layers", "1", "--lr", "1e-5", "--steps", "8"];
    const { table, geometry } = await withTable("curve.json", ...args, "--milestones", "8,2");
    const { curve, totals } = geometry;
    expect(curve!.map(({ updates }) => updates)).toEqual([2, 8]);
    expect(curve![1].totals).toEqual(totals);
    expect(curve![0].totals.measures.size.measured).toBeLessThan(totals.measures.size.measured!);
    expect(table).toMatch(/after updates +size +changed +rank/);
    const refused = ["diff", run, run, "--geometry", "--milestones", "9"];
    await expectRefusal(refused, run, "a run of at least 9 updates, for --milestones", "8");
    const checkpoint = ["diff", base, rlvr, "--geometry", "--milestones", "1"];
    await expectRefusal(checkpoint, rlvr, "a recorded run, for --milestones", "a checkpoint");
  },
);

describe("refusals", () => {
  test.each([
    [["--rank", "8"], "--rank is an option of --geometry, which was not given"],
    [["--geometry", "--rank", "0"], "--rank 0: expected from 1 to 1024 directions"],
    [["--geometry", "--lr", "1e-6"], "--lr and --steps go together"],
    [["--geometry", "--lr", "-1", "--steps", "3"], "--lr -1: expected a learning rate above zero"],
    [["--geometry", "--layers", "some"], "expected a whole number"],
    [["--geometry", "--view", "mxfp4"], "--view mxfp4 has shared scales"],
  ])("%j", async (args, message) => {
    await expectUsageError(["diff", base, rlvr, ...args], message);
  });

  test("files without a matrix", async () => {
    const norm = (name: string, x: number): TensorToWrite => ({
      name,
      dtype: "F32",
      shape: [4],
      data: Float32Array.of(x, 1, 1, 1),
    });
    const [a, b] = [1, 2].map((x) => put(folder, `${x}.safetensors`, encodeSafetensors([norm("norm", x)])));
    await expectRefusal(
      ["diff", a, b, "--geometry"],
      b,
      "a matrix that both sides have, of at least 8 x 8 numbers of at most fp32",
      "none",
    );
  });

  test("a second model that is not there", async () => {
    const none = join(folder, "none.safetensors");
    rmSync(none, { force: true });
    await expectRefusal(
      ["diff", base, rlvr, none, "--geometry"],
      none,
      "a file of safetensors or torch.save, its index, or a folder with one of them",
      "nothing there",
    );
  });
});
