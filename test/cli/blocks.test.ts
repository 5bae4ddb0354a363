import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import type { SweepResult } from "../../src/lens/study/sweep.js";
import { temporaryFolder } from "../source/support.js";
import { expectUsageError, output, run } from "../support/cli.js";
import { recorded, writeExcerpt } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const small = ["--elements", "128x160", "--steps", "3", "--lr", "1e-5"];

async function resultOf(...args: string[]): Promise<Result> {
  const result = JSON.parse(await output(...args, "--json", "-"));
  expectValid("result", result);
  return result;
}

describe("formats with shared scales beside others", () => {
  test("simulate: counted by code, scale and number", async () => {
    const formats = ["bf16", "mxfp8-e4m3", "nvfp4:transformer-engine", "fp8-128x128"];
    const result = await resultOf("simulate", ...small, "--scheme", "master", "--format", formats.join(","));
    expect(result.cases.map(({ format }) => format)).toEqual([...formats, "fp32"]);
    expect(result.engine).toMatchObject({ name: "wasm" });
    const [bf16, mxfp8, nvfp4, fp8] = result.cases.map(({ totals }) => totals);
    expect(bf16).toMatchObject({ collateral: 0, zeros: bf16.none });
    expect(bf16.shared).toBeUndefined();
    expect(mxfp8.shared).toMatchObject({ blocks: 3 * 128 * 5, tensors: 0 });
    expect(nvfp4.shared).toMatchObject({ blocks: 3 * 128 * 10, tensors: 3 });
    expect(fp8.shared).toMatchObject({ blocks: 3 * 2, tensors: 0 });
    for (const { totals, end } of result.cases.slice(1, 4)) {
      expect(totals.none + totals.lost + totals.kept + totals.moved + totals.collateral).toBe(3 * 128 * 160);
      expect(end.retained).toBe(1);
    }
    // The fp32 scale of a block goes with its largest weight: by number everything changed, by code next to nothing.
    expect(fp8.collateral / (3 * 128 * 160)).toBeGreaterThan(0.5);
    expect(fp8.shared!.codes / (3 * 128 * 160)).toBeLessThan(0.05);
  });

  test("what only the reference takes it counts, and says so", async () => {
    const few = ["--elements", "64x160", "--steps", "16", "--lr", "1e-5"];
    const result = await resultOf("simulate", ...few, "--scheme", "in-place", "--format", "nvfp4");
    expect(result.engine).toMatchObject({ name: "reference" });
    expect(result.engine.remark).toContain("shared scales");
  });

  test("through bf16: named in the case, the label and the command that makes it again", async () => {
    const few = ["--elements", "4x64", "--steps", "2"];
    const args = ["simulate", ...few, "--scheme", "master", "--format", "mxfp4", "--through", "bf16"];
    const html = join(folder, "through.html");
    const result = await resultOf(...args, "--html", html);
    expect(result.cases[0]).toMatchObject({ format: "mxfp4", through: "bf16" });
    expect(await output(...args)).toContain("mxfp4 master through bf16");
    expect(await output("report", await saved(result), "--html", "-")).toContain("--through bf16");
  });

  test("scales kept concern the formats that have some", async () => {
    const args = ["simulate", ...small, "--scheme", "master", "--format", "bf16,mxfp8-e4m3"];
    const [renewed, kept] = [await resultOf(...args), await resultOf(...args, "--scales", "kept")];
    expect(kept.cases[1]).toMatchObject({ format: "mxfp8-e4m3", scales: "kept" });
    expect(kept.cases[1].totals.collateral).toBe(0);
    expect(renewed.cases[1].totals.collateral).toBeGreaterThan(0);
    expect(kept.cases[0]).toEqual(renewed.cases[0]);
  });

  test("run: a recorded run, and the same where it is resumed", async () => {
    const excerpt = await writeExcerpt(join(folder, "excerpt"), "rlvr/early", (index) => index === 1);
    const args = ["run", excerpt, "--scheme", "master", "--format", "mxfp8-e4m3,nvfp4"];
    const result = await resultOf(...args);
    expect(result.cases.map(({ end }) => end.retained)).toEqual([1, 1]);
    const resumed = await resultOf(...args, "--resume", join(folder, "log"));
    expect(resumed.cases).toEqual(result.cases);
  });

  test("sweep: bits a weight with its share of the scale", async () => {
    const args = ["--scheme", "master", "--format", "bf16,mxfp4,nvfp4", "--steps", "2", "--elements", "2048"];
    const sweep: SweepResult = JSON.parse(await output("sweep", ...args, "--lr", "1e-6,1e-5", "--json", "-"));
    expectValid("sweep", sweep);
    expect(sweep.answers.cases.map(({ bitsPerWeight }) => bitsPerWeight)).toEqual([48, 36.25, 36.5]);
    expect(await output("sweep", ...args, "--lr", "1e-6")).toContain("mxfp4 master");
  });

  test("predict: which codes the next step changes", async () => {
    const args = ["predict", "--elements", "4x64", "--steps", "3", "--lr", "1e-3", "--format", "nvfp4"];
    const prediction = JSON.parse(await output(...args, "--json", "-"));
    expectValid("prediction", prediction);
    expect(prediction).toMatchObject({ format: "nvfp4", weightSteps: 2 * 256 });
    expect(prediction.changed).toBeGreaterThan(0);
  });

  test.each([
    [
      ["--format", "mxfp4", "--scheme", "kahan"],
      "mxfp4 has shared scales: expected scheme master, in-place or eco",
    ],
    [["--format", "mxfp4:flor"], "floor"],
    [["--format", "mxpf4"], /unknown block format "mxpf4".*mxfp4/],
    [["--format", "bf16", "--through", "bf16"], "--through is for formats with shared scales, found bf16"],
    [
      ["--format", "bf16,fp16", "--scales", "kept"],
      "--scales kept is for formats with shared scales, found bf16, fp16",
    ],
    [["--format", "mxfp4", "--through", "bf16"], "through bf16: expected scheme master, found in-place"],
  ])("simulate %j is refused in a sentence", async (args, message) => {
    await expectUsageError(["simulate", ...small, ...args], message);
  });

  test("what does not take them says so", async () => {
    await expectUsageError(
      ["run", recorded("rlvr/early"), "--optimizer", "adamw", "--format", "mxfp4"],
      "is a block format",
    );
    const engine = await run([
      "simulate",
      ...small,
      "--scheme",
      "in-place",
      "--format",
      "mxfp4,nvfp4",
      "--engine",
      "wasm",
    ]);
    expect(engine).toMatchObject({ status: 2 });
    expect(engine.stderr).toContain("it takes nvfp4 under scheme in-place with kept scales");
    const out = join(folder, "weights.safetensors");
    await expectUsageError(
      ["run", recorded("rlvr/late"), "--scheme", "master", "--format", "mxfp4", "--write-weights", out],
      "--write-weights writes formats without shared scales",
    );
  });

  async function saved(result: Result): Promise<string> {
    const { writeFile } = await import("node:fs/promises");
    const path = join(folder, "result.json");
    await writeFile(path, JSON.stringify(result));
    return path;
  }
});
