import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import type { LearnResult } from "../../src/lens/learning/learning.js";
import type { Check } from "../../src/lens/run/check.js";
import type { Result } from "../../src/lens/run/result.js";
import { visibleWidth } from "../../src/report/columns.js";
import { learnHeadline } from "../../src/report/learning.js";
import { renderLearnCsv } from "../../src/report/learning-csv.js";
import { put, temporaryFolder } from "../source/support.js";
import { ended, expectRefusal, expectUsageError, output, run, start } from "../support/cli.js";
import { renderLearnMarkdown, renderLearnTable } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";
import { fullTier, sized } from "../support/tier.js";

const folder = temporaryFolder();

async function learn(...args: string[]): Promise<LearnResult> {
  const result = JSON.parse(await output("learn", ...args, "--json", "-"));
  expectValid("learn", result);
  return result;
}

/** Each trains several models, or measures one, and asks it every prompt: some seven seconds. */
const testFully = fullTier ? test : () => {};
const describeFully = fullTier ? describe : () => {};

describe("some steps under two ways of storing", () => {
  const [json, markdown, csv] = ["learn.json", "learn.md", "learn.csv"].map((name) => join(folder, name));
  let result: LearnResult;
  let table: string;
  beforeAll(async () => {
    const outputs = ["--json", json, "--markdown", markdown, "--csv", csv];
    table = await output("learn", "--steps", "40", "--lr", "3e-5", ...outputs);
    result = JSON.parse(readFileSync(json, "utf8"));
    expectValid("learn", result);
  });

  test("train a model each, and one in fp32 beside them", () => {
    expect(result.runs.map(({ format, scheme }) => `${format} ${scheme}`)).toEqual([
      "fp32 in-place",
      "bf16 in-place",
      "bf16 master",
    ]);
    for (const { steps, totals, base } of result.runs) {
      expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
      expect(totals).toMatchObject({ elements: 26_048, steps: 40 });
      expect(base.passAt[1]).toBeCloseTo(0.6644, 4);
    }
  });

  test("bf16 in place learns a part of what fp32 and a master learn", () => {
    const [fp32, inPlace, master] = result.runs.map(({ outcome }) => outcome.passAt[1] - 0.6644);
    expect(inPlace / fp32).toBeLessThan(0.7);
    expect(Math.abs(master / fp32 - 1)).toBeLessThan(0.05);
    expect(result.runs.map(({ end }) => end.retained! > 0.99)).toEqual([true, false, true]);
  });

  test("every rendering has every model", async () => {
    expect(table).toBe(renderLearnTable(result));
    expect(readFileSync(markdown, "utf8")).toBe(renderLearnMarkdown(result));
    expect(readFileSync(csv, "utf8")).toBe(renderLearnCsv(result));
    const saved = put(folder, "learn.json", JSON.stringify(result));
    expect(await output("report", saved)).toBe(renderLearnTable(result));
    const slides = join(folder, "slides");
    const html = await output("report", saved, "--html", "-", "--svg", slides);
    expect(html.replace(/<\/?span[^>]*>/g, "")).toContain(`<h1>${learnHeadline(result)[0]}</h1>`);
    expect(readdirSync(slides)).toEqual(
      ["classes", "moved", "pass-at-k", "reward"].map((name) => `${name}-rlvr-3e-5.svg`),
    );
    for (const line of renderLearnTable(result).split("\n"))
      expect(visibleWidth(line)).toBeLessThanOrEqual(80);
    expect(renderLearnTable(result)).toMatch(/Stored as bf16 in-place, rlvr at 3e-5 learns \d+\.\d% of what/);
    expect(renderLearnCsv(result).trim().split("\n")).toHaveLength(4);
  });
});

testFully("seeds make a row with an interval, and all three kinds of training their groups", async () => {
  const storage = ["--format", "fp32", "--scheme", "in-place"];
  const result = await learn("--run", "rlvr,sft,opd", "--steps", "1", "--seed", "0,1", ...storage);
  expect(result.runs.map(({ lr }) => lr)).toEqual([1e-5, 1e-5, 1e-4, 1e-4, 1e-5, 1e-5]);
  const drawsAnswers = result.runs.map(({ steps }) => steps[0].reward !== null);
  expect(drawsAnswers).toEqual([true, true, false, false, true, true]);
  const text = renderLearnTable(result);
  for (const name of ["rlvr", "sft", "opd"]) {
    expect(text).toMatch(new RegExp(`${name} at a learning rate of 1e-[45], 2 seeds`));
  }
  expect(text).toMatch(/0\.66\d\d ± 0\.\d{4}/);
});

testFully("a base of two operations has one of them held out, and KL to a tenth of the prompts", async () => {
  const storage = ["--format", "fp32", "--scheme", "in-place"];
  const result = await learn("--base", "two-operations", "--steps", "1", "--kl", "sample", ...storage);
  const [{ base, outcome, heldOut }] = result.runs;
  expect(result.input.base).toBe("two-operations");
  expect(result.settings.klPrompts).toBe(1000);
  expect(heldOut.map(({ name }) => name)).toEqual(["subtraction"]);
  // As the script that made it tells.
  expect(base.passAt[1]).toBeCloseTo(0.7556, 4);
  expect(heldOut[0].base.passAt[1]).toBeCloseTo(0.6603, 4);
  expect(outcome.klForward).toBeGreaterThan(0);
  expect(outcome.klForward).toBeLessThan(1e-3);
  expect(outcome.klLeftOut).toBeLessThan(1e-2);
  expect(renderLearnTable(result)).toMatch(/subtraction\n/);
});

describeFully("--geometry", () => {
  const recording = join(folder, "geometry");
  const storage = ["--format", "fp32", "--scheme", "in-place", "--seed", "3"];
  let result: LearnResult;
  beforeAll(async () => {
    result = await learn("--steps", "2", "--geometry", "--record", recording, ...storage);
  });

  test("measures the change as diff does of the recorded run", async () => {
    const walk = ["--lr", "1e-5", "--steps", "2"];
    const text = await output("diff", recording, recording, "--geometry", ...walk, "--json", "-");
    const compared: DifferenceResult = JSON.parse(text);
    expect(result.runs[0].geometry).toEqual(compared.geometry);
  });

  test("is in every rendering", () => {
    const { measures } = result.runs[0].geometry!.totals;
    const table = renderLearnTable(result);
    expect(table).toMatch(/over expected +size +rank +NSS +angle +top 16 +princ\. +low +rows/);
    for (const line of table.split("\n")) expect(visibleWidth(line)).toBeLessThanOrEqual(80);
    expect(renderLearnMarkdown(result)).toContain(`| ${measures.stableRank.ratio!.toFixed(2)} |`);
    const [heading, row] = renderLearnCsv(result)
      .split("\r\n")
      .map((line) => line.split(","));
    const at = heading.indexOf("stableRank.expected");
    expect(Number(row[at])).toBe(measures.stableRank.expected);
  });
});

describe("--record", () => {
  const recording = join(folder, "recorded");
  const storage = ["--scheme", "in-place", "--rounding", "sr", "--seed", "7"];
  let result: LearnResult;
  beforeAll(async () => {
    result = await learn("--steps", "3", "--record", recording, ...storage);
  });

  test("writes a run that counts and ends as it did", async () => {
    const counted: Result = JSON.parse(await output("run", recording, ...storage, "--json", "-"));
    const [trained] = result.runs;
    expect(result.runs).toHaveLength(1);
    expect(counted.cases[0].totals).toEqual(trained.totals);
    expect(counted.cases[0].end).toEqual(trained.end);
    expect(counted.input.metadata).toMatchObject({ run: "rlvr", lr: "0.00001", seed: "7" });
  });

  test("is checked as it was stored", async () => {
    const checked: Check = JSON.parse(await output("check", recording, "--seed", "7", "--json", "-"));
    const [trained] = result.runs;
    expect(checked).toMatchObject({ format: "bf16", scheme: "in-place", rounding: "stochastic" });
    expect(checked.retained).toBe(trained.end.retained);
  });

  test("its gradients, through the optimizer that they tell, are its updates", async () => {
    const replayed: Result = JSON.parse(
      await output("run", recording, "--optimizer", "adamw", "--recipe", "master", "--json", "-"),
    );
    const counted: Result = JSON.parse(await output("run", recording, "--scheme", "master", "--json", "-"));
    expect(replayed.settings.optimizer).toMatchObject({ lr: 1e-5, betas: [0.9, 0.95] });
    const { moved, kept } = counted.cases[0].totals;
    expect(Math.abs(replayed.cases[0].totals.moved - moved)).toBeLessThan(50);
    expect(Math.abs(replayed.cases[0].totals.kept - kept)).toBeLessThan(50);
  });

  test("has what it achieved", () => {
    const outcome = JSON.parse(readFileSync(join(recording, "outcome.json"), "utf8"));
    expect(outcome.run.passAt).toEqual(result.runs[0].outcome.passAt);
    expect(outcome.base).toEqual({ prompts: 10_000, passAt: result.runs[0].base.passAt });
    expect(outcome.run).not.toHaveProperty("klForward");
  });

  test("takes one model, and no folder with something in it", async () => {
    await expectUsageError(["learn", "--record", join(folder, "x")], /--record takes one model, found 2/);
    const long = ["learn", "--scheme", "master", "--steps", "3001", "--record", join(folder, "x")];
    await expectUsageError(long, /at most 3000 steps, found 3001/);
    const full = join(folder, "full");
    mkdirSync(full);
    put(full, "a.txt", "");
    await expectRefusal(
      ["learn", "--scheme", "master", "--record", full],
      full,
      "a new or an empty folder",
      "one with a.txt in it",
    );
    const nowhere = join(folder, "no/where");
    const { status, stderr } = await run(["learn", "--scheme", "master", "--record", nowhere]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/no such folder/)]);
  });

  test("leaves nothing where it is interrupted", async () => {
    const path = join(folder, "interrupted");
    const child = start(["learn", "--scheme", "master", "--steps", "3000", "--record", path]);
    setTimeout(() => child.kill("SIGINT"), sized({ quick: 800, full: 1500 }));
    expect((await ended(child)).status).toBe(130);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith("interrupted"))).toEqual([]);
  });
});

test.each([
  [["--run", "grpo"], /unknown run "grpo"/],
  [["--lr", "0"], /learning rates above zero/],
  [["--steps", "0"], /from 1 to 9999/],
  [["--scheme", "masters"], /master/],
  [["--seed", "x"], /whole number/],
])("%j is refused", async (args, message) => {
  await expectUsageError(["learn", ...args], message);
});
