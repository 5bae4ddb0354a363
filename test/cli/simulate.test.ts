import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { expectUsageError, output, run } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

const small = ["simulate", "--elements", "5000", "--steps", "5", "--quiet"];

async function simulated(...args: string[]): Promise<Result> {
  const result = JSON.parse(await output(...args, "--json", "-"));
  expectValid("result", result);
  return result;
}

/** All but where it was counted. */
const counted = ({ engine: _, ...rest }: Result) => rest;

describe("simulate", () => {
  test("the same seed gives the same result on every engine and any number of threads; another seed another", async () => {
    const args = [...small, "--gradient", "signal:0.2", "--weight-decay", "0.1"];
    const expected = await simulated(...args, "--engine", "reference");
    expect(expected.engine.name).toBe("reference");
    for (const more of [
      ["--engine", "wasm", "--threads", "1"],
      ["--engine", "wasm", "--threads", "2"],
    ]) {
      const result = await simulated(...args, ...more);
      expect(result.engine.name).toBe("wasm");
      expect(counted(result)).toEqual(counted(expected));
    }
    const other = await simulated(...args, "--seed", "1");
    expect(other.cases[0].totals.updateNorm).not.toBe(expected.cases[0].totals.updateNorm);
  });

  test("cases stand beside fp32, with a curve that ends as the run does", async () => {
    const { cases, input, firstShown, sampling } = await simulated(...small, "--scheme", "kahan");
    expect(cases.map(({ format, scheme }) => `${format} ${scheme}`)).toEqual(["bf16 kahan", "fp32 in-place"]);
    expect(cases[0].curve.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    const { step, elements, ...last } = cases[0].curve[4];
    expect([step, elements, last]).toEqual([5, 5000, cases[0].end]);
    expect(input).toMatchObject({ kind: "synthetic", elements: 5000, tensors: 1 });
    expect(firstShown?.map((entry) => entry.case)).toEqual([0]);
    expect(sampling).toBeUndefined();
  });

  test("a sample tells of the whole model", async () => {
    const { sampling, input, cases } = await simulated(
      ...small,
      "--model",
      "llama-3.1-8b",
      "--preset",
      "rlvr",
    );
    expect(input.synthetic).toMatchObject({
      preset: "rlvr",
      model: "llama-3.1-8b",
      parameters: 8_030_261_248,
    });
    expect(input.synthetic?.optimizer).toMatchObject({ lr: 1e-6, weightDecay: 0.01 });
    expect(sampling?.parameters).toBe(8_030_261_248);
    const { low, high } = sampling!.cases[0].unchanged;
    const share = cases[0].end.unchanged / 5000;
    expect(low).toBeLessThan(share);
    expect(high).toBeGreaterThan(share);
  });

  test("the weights of a checkpoint, all of them or a sample", async () => {
    const base = recorded("base.safetensors");
    const all = await simulated("simulate", "--weights", base, "--steps", "2", "--quiet");
    expect(all.input).toMatchObject({ weights: base, elements: 26_048, tensors: 25 });
    expect(all.input.synthetic?.weights).toBeNull();
    const some = await simulated(...small, "--weights", base);
    expect(some.input).toMatchObject({ elements: 5000, tensors: 25 });
    expect(some.sampling?.parameters).toBe(26_048);
  });

  test("settled updates, and gradients by recipes", async () => {
    const settled = await simulated(...small, "--source", "steady-state", "--lr", "1e-5");
    expect(settled.input.synthetic?.source).toBe("steady-state");
    // Of settled noise |u| is 0.183 lr on average, its root mean square 0.229 lr.
    const rms = settled.cases[0].totals.updateNorm / Math.sqrt(5000 * 5) / 1e-5;
    expect(rms).toBeGreaterThan(0.22);
    expect(rms).toBeLessThan(0.24);
    const { cases } = await simulated(...small, "--recipe", "torch-2.13-cpu-fused,master");
    expect(cases.map(({ recipe }) => recipe?.name)).toEqual(["torch-2.13-cpu-fused", "master"]);
  });

  test("is told within 80 columns, and by report the same from what was saved", async () => {
    const saved = join(await mkdtemp(join(tmpdir(), "precision-lens-")), "result.json");
    const args = ["--elements", "5000", "--steps", "5", "--model", "qwen3-4b", "--json", saved];
    const text = await output("simulate", ...args);
    expect(text).toContain("of 4,022,468,096");
    expect(text).toContain("|w| from");
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(await output("report", saved)).toBe(text);
    const twice = await run(["report", saved, saved]);
    expect(twice).toMatchObject({ status: 2, stdout: "" });
    expect(twice.stderr).toContain("a synthetic run is no part of a larger one");
    await rm(dirname(saved), { recursive: true });
  });

  test.each([
    ["steps beyond memory", ["simulate", "--steps", "100001"], /--steps.*at most 100,000/],
    ["an unknown model", ["simulate", "--model", "gpt-5", "--steps", "1"], /gpt-5/],
    ["an unknown preset", ["simulate", "--preset", "dpo"], /dpo/],
    ["shapes twice", ["simulate", "--steps", "1", "--model", "qwen3-4b", "--weights", "x"], /--model/],
    ["betas of 1", ["simulate", "--steps", "1", "--betas", "1,0.9"], /betas/],
    ["a warm-up without end", ["simulate", "--steps", "5", "--warmup", "5"], /warm-up/],
    [
      "settled updates with a signal",
      ["simulate", "--steps", "5", "--source", "steady-state", "--gradient", "signal:1"],
      /steady-state/,
    ],
    ["an epsilon below zero", ["simulate", "--steps", "5", "--eps", "-1e-8"], /--eps.*not below zero/],
    [
      "weights that grow by decay",
      ["simulate", "--steps", "5", "--weight-decay", "-1"],
      /--weight-decay.*not below zero/,
    ],
    [
      "scales beyond all numbers",
      ["simulate", "--steps", "5", "--scale-spread", "1000"],
      /--scale-spread.*from 0 to 10/,
    ],
    ["a shape that is all head", ["simulate", "--steps", "5", "--qk-shape", "0.1"], /--qk-shape.*from 0.2/],
    ["no such signal", ["simulate", "--steps", "5", "--gradient", "signal"], /signal:0.1/],
  ])("%s is refused", async (_, args, message) => {
    await expectUsageError(args, message);
  });

  test("fewer elements than tensors, and a checkpoint that is not there, are told in a sentence", async () => {
    for (const args of [
      ["--model", "qwen3-8b", "--elements", "10"],
      ["--weights", "nowhere"],
    ]) {
      const { status, stdout, stderr } = await run(["simulate", "--steps", "1", ...args]);
      expect([status, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^precision-lens: .*: expected .*, found .*\n$/);
    }
  });
});
