import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { crossover, passRates } from "../../src/lens/learning/outcome.js";
import type { RunComparison } from "../../src/lens/learning/run-comparison.js";
import type { Result } from "../../src/lens/run/result.js";
import { figuresOfComparison } from "../../src/report/charts/comparison-charts.js";
import { visibleWidth } from "../../src/report/columns.js";
import { comparisonReport } from "../../src/report/kinds/comparison.js";
import { onlyGradients } from "../../src/source/recording.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const plain = recorded("sft/early");

/** The rlvr window with an outcome. */
function runWith(name: string, outcome: unknown): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const file of ["base.safetensors", "updates.safetensors"]) {
    copyFileSync(join(recorded("rlvr/early"), file), join(path, file));
  }
  put(path, "outcome.json", typeof outcome === "string" ? outcome : JSON.stringify(outcome));
  return path;
}

const counts = (correct: number[]) => ({ samplesPerPrompt: 4, correct });
const told = {
  task: "sums",
  base: counts([4, 2, 1, 0]),
  run: { ...counts([4, 4, 0, 0]), klForward: 0.19, klReverse: 0.12 },
  heldOut: [{ name: "differences", base: { passAt: { "1": 0.7 } }, run: { passAt: { "1": 0.6 } } }],
};

describe("runs with and without an outcome", () => {
  let result: RunComparison;
  let full: string;
  beforeAll(async () => {
    full = runWith("full", told);
    result = JSON.parse(await output("compare", full, plain, "--json", "-"));
    expectValid("compare", result);
  });

  test("are counted as run counts them", async () => {
    for (const [i, path] of [full, plain].entries()) {
      const counted: Result = JSON.parse(await output("run", path, "--scheme", "in-place", "--json", "-"));
      expect(result.runs[i].totals).toEqual(counted.cases[0].totals);
      expect(result.runs[i].end).toEqual(counted.cases[0].end);
    }
    expect(result.runs.map(({ outcome }) => outcome?.task ?? null)).toEqual(["sums", null]);
  });

  test("have one table, with intervals from counts, the crossover, and why cells are empty", async () => {
    const text = await output("compare", full, plain);
    // (1 + 1/2 + 1/4 + 0) / 4 and (1 + 1 + 0 + 0) / 4; standard errors of .2135 and .2887.
    expect(text).toMatch(/0\.438 ± 0\.418 -> 0\.500 ± 0\.566/);
    expect(text).toMatch(/0\.700 -> 0\.600/);
    expect(text.replace(/\s+/g, " ")).toContain(`No outcome.json, so no pass@k and no KL: ${plain}`);
    for (const line of text.split("\n").filter((each) => !each.includes(plain))) {
      expect(visibleWidth(line)).toBeLessThanOrEqual(80);
    }
    const saved = put(folder, "compare.json", JSON.stringify(result));
    expect(await output("report", saved)).toBe(text);
    expect(await output("report", saved, "--html", "-")).toContain('<figure id="pass-at-k">');
    const csv = (await output("compare", full, plain, "--csv", "-")).trim().split("\n");
    // Three k of the first, one row of the second.
    expect(csv).toHaveLength(5);
    expect(await output("compare", full, plain, "--markdown", "-")).toMatch(/\| run \|/);
  });

  test("fall behind their base from the smallest k at which they do", () => {
    const { base, run } = result.runs[0].outcome!;
    // Of four samples with one right, two have it in half of the draws: C(3,2) / C(4,2) = 1/2.
    expect(passRates(base!).map(({ k, mean }) => [k, mean])).toEqual([
      [1, 0.4375],
      [2, (1 + 5 / 6 + 1 / 2) / 4],
      [4, 0.75],
    ]);
    expect(crossover(base!, run!)).toEqual({ k: 2, beyondChance: false });
    expect(crossover(run!, run!)).toBeNull();
  });
});

describe("how the updates of a run are counted", () => {
  const shape = [2];
  const weights = { name: "w", dtype: "F32", shape, data: Float32Array.of(1, 2) } as const;
  const update = { name: "step0/w", dtype: "F32", shape, data: Float32Array.of(1e-6, 0.25) } as const;

  function made(name: string, part: string, metadata: Record<string, string> = {}): string {
    const path = join(folder, name);
    mkdirSync(path);
    put(path, "base.safetensors", encodeSafetensors([weights]));
    put(path, `${part}.safetensors`, encodeSafetensors([update], metadata));
    return path;
  }
  const inPlace = made("in-place", "updates");
  const master = made("master", "updates", { stored_as: "bf16 master nearest-even" });
  const gradients = made("gradients", "gradients");

  const compare = async (...args: string[]) => {
    const result: RunComparison = JSON.parse(await output("compare", ...args, "--json", "-"));
    expectValid("compare", result);
    return result;
  };

  test("as the recording says, unless options say otherwise", async () => {
    const own = await compare(inPlace, master);
    const way = { format: "bf16", scheme: "master", rounding: "nearest-even" };
    expect(own.runs.map(({ storedAs }) => storedAs)).toEqual([undefined, way]);
    expect(own.runs.map(({ totals: { lost, kept, moved } }) => [lost, kept, moved])).toEqual([
      [1, 0, 1],
      [0, 1, 1],
    ]);
    const [again] = comparisonReport(own).again!().commands;
    expect(await compare(...again.split(" ").slice(2))).toEqual(own);
    const asked = await compare(inPlace, master, "--scheme", "in-place");
    expect(asked.runs.map(({ storedAs, totals }) => [storedAs, totals.lost])).toEqual([
      [undefined, 1],
      [undefined, 1],
    ]);
    expect(await output("compare", master, "--format", "bf16")).toMatch(/^As if stored as bf16 in-place, /);
    expect(await output("compare", master)).toMatch(/^Stored as bf16 master, /);
  });

  test("none, with the reason, where it has only gradients; the others are counted", async () => {
    const { runs } = await compare(master, gradients);
    const why = "it has only gradients, from which run --optimizer computes the updates";
    expect(runs.map(({ uncounted, totals }) => [uncounted, totals.elements])).toEqual([
      [undefined, 2],
      [why, 0],
    ]);
    const text = (await output("compare", master, gradients)).replace(/\s+/g, " ");
    expect(text).toContain(`was not counted: ${why}.`);
    for (const command of ["run", "check", "sweep"]) {
      const expected = "updates.safetensors, updates.safetensors.index.json or a folder updates";
      await expectRefusal([command, gradients], gradients, expected, onlyGradients);
    }
  });
});

describe("a run below its base", () => {
  const of = (name: string, base: number[], run: number[]) =>
    output("compare", runWith(name, { base: counts(base), run: counts(run) })).then((text) =>
      text.replace(/\s+/g, " "),
    );

  test("within the interval of the difference is not said to fall behind", async () => {
    const text = await of("chance", [2, 2, 2, 3], [2, 2, 2, 2]);
    expect(text).toContain("chance is below its base at pass@1, but not beyond chance.");
    expect(text).not.toContain("falls behind");
    expect(text).toContain("Below base from k, with ?: within the 95% interval of the difference");
    const [{ title }] = figuresOfComparison(
      JSON.parse(await output("compare", join(folder, "chance"), "--json", "-")),
    ).filter(({ name }) => name === "pass-at-k");
    expect(title).toMatch(/chance is below its base at k = 1, perhaps by chance$/);
  });

  test("by more than that falls behind", async () => {
    const text = await of("behind", [3, 3, 3, 4], [2, 2, 2, 2]);
    expect(text).toContain("behind falls behind its base at pass@1.");
    expect(text).not.toContain("with ?:");
  });

  test("of other prompts is said to be so", async () => {
    expect(await of("apart", [3, 3, 3], [3, 3])).toContain(
      "its base answered 3 prompts, the run 2, so they are not compared prompt by prompt.",
    );
  });
});

test.each([
  ["not JSON", "{", "JSON", "text that is not JSON"],
  ["a list", [], "at the file an object", '"[]"'],
  ["too many right", { run: counts([5]) }, "at run.correct whole numbers from 0 to 4", '"5"'],
  ["a part of an answer", { run: counts([0.5]) }, "at run.correct whole numbers from 0 to 4", '"0.5"'],
  ["counts of nothing", { run: { correct: [1] } }, "at run.correct samplesPerPrompt beside it", "nothing"],
  [
    "other prompts",
    { run: { ...counts([1]), prompts: 2 } },
    "at run.correct 2 counts, as prompts says",
    '"1"',
  ],
  ["pass@0", { run: { passAt: { "0": 1 } } }, "at run.passAt whole numbers k as keys", String.raw`"\"0\""`],
  ["more than all", { run: { passAt: { "1": 2 } } }, "at run.passAt 1 a number from 0 to 1", '"2"'],
  ["no name", { heldOut: [{}] }, "at heldOut[0].name a text", "nothing"],
  [
    "KL as a text",
    { run: { klForward: "0" } },
    "at run.klForward a number not below zero",
    String.raw`"\"0\""`,
  ],
])("an outcome with %s is refused", async (name, outcome, expected, found) => {
  const path = runWith(name.replaceAll(" ", "-"), outcome);
  await expectRefusal(["compare", path], join(path, "outcome.json"), expected, found);
});

test("takes one way to store, and each run once", async () => {
  await expectUsageError(["compare", plain, "--scheme", "in-place,master"], /one way to store, found 2/);
  await expectUsageError(["compare", plain, plain], /given twice/);
  await expectUsageError(["compare"], /missing required argument/);
});
