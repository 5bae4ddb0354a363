import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SweepResult } from "../../src/lens/study/sweep.js";
import { visibleWidth } from "../../src/report/columns.js";
import { sweepCommandLines } from "../../src/report/command.js";
import { renderSweepCsv } from "../../src/report/sweep-csv.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { renderSweepMarkdown } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
const window = recorded("rlvr/early");

/** Sweeps once, for the table and for the result. */
async function sweep(...args: string[]): Promise<{ table: string; result: SweepResult; path: string }> {
  const path = join(folder, `${Math.random()}.json`);
  const table = await output("sweep", ...args, "--json", path);
  const result = JSON.parse(readFileSync(path, "utf8"));
  expectValid("sweep", result);
  return { table, result, path };
}

const retainedOf = ({ cells }: SweepResult, rate: number) =>
  cells.filter((cell) => cell.rate === rate).map(({ end }) => end.retained);

describe("of a synthetic run", () => {
  test("every case at every rate, in order, is what simulate gives there", async () => {
    const common = ["--elements", "1000", "--steps", "3", "--seed", "3", "--format", "bf16,e4m3fn"];
    const cases = ["--scheme", "in-place", "--rounding", "stochastic"];
    const { result } = await sweep(...common, ...cases, "--lr", "1e-6,1e-4");
    expect(result.rates).toEqual([1e-6, 1e-4]);
    expect(result.settings).toEqual({
      overflow: "ieee",
      seed: 3,
      strict: false,
      rate: "lr",
      learns: 0.5,
      keeps: 0.99,
    });
    const single = await output("simulate", ...common, ...cases, "--lr", "1e-4", "--json", "-");
    const shared = result.cells.slice(2).map(({ rate: _, standardError: __, ...sweepCase }) => sweepCase);
    // A page tells the command that gives it again.
    const [again] = sweepCommandLines(result);
    const { result: same } = await sweep(...again.split(" ").slice(2));
    expect(same).toEqual(result);
    // Beside what is asked for simulate counts the fp32 run.
    expect(JSON.parse(single).cases.slice(0, 2)).toMatchObject(shared);
    for (const { standardError } of result.cells) expect(standardError).toBeGreaterThan(0);
  });

  test("of a sample of a model what is retained has the error of what was drawn, as simulate has it", async () => {
    const common = [
      "--model",
      "qwen2.5-0.5b",
      "--elements",
      "2000",
      "--steps",
      "2",
      "--scheme",
      "in-place,master",
    ];
    const { result, table } = await sweep(...common, "--lr", "1e-5");
    const [inPlace, master] = result.cells.map(({ standardError }) => standardError);
    const { sampling } = JSON.parse(await output("simulate", ...common, "--lr", "1e-5", "--json", "-"));
    expect(inPlace).toBe(sampling.cases[0].retained.standardError);
    expect(inPlace).toBeGreaterThan(0.005);
    expect(master).toBe(0);
    expect(table.replaceAll(/\s+/g, " ")).toContain("by which weights of the model were drawn");
    expect(table).toMatch(/bf16 in-place +\d\.\d+±0\.\d+/);
    const { result: whole } = await sweep("--elements", "2000", "--steps", "2", "--lr", "1e-5");
    expect(whole.cells.map(({ standardError }) => standardError)).not.toContainEqual(expect.any(Number));
  });

  test("an fp32 master learns where storing in place does not, and stochastic rounding at any rate", async () => {
    const elements = sized({ quick: "8000", full: "20000" });
    const { result, table, path } = await sweep(
      ...["--elements", elements, "--lr", "1e-5:1e-4:2", "--scheme", "in-place,master"],
      ...["--rounding", "nearest-even,stochastic", "--learns", "0.6"],
    );
    expect(
      result.answers.cases.map(({ scheme, rounding, learnsFrom }) => [scheme, rounding, learnsFrom]),
    ).toEqual([
      ["in-place", "nearest-even", 1e-4],
      ["in-place", "stochastic", 1e-5],
      ["master", "nearest-even", 1e-5],
      ["master", "stochastic", 1e-5],
    ]);
    expect(table).toMatch(
      /^\d+,000 weights, 20 steps at each of 2 learning rates\n\nSmallest learning rate /,
    );
    expect(table.replace(/\s+/g, " ")).toContain("A case learns if it retains 0.6 to 1.4, ");
    expect(Math.max(...table.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);

    // Saved, it is rendered again.
    const [csv, markdown, html] = ["a.csv", "a.md", "a.html"].map((name) => join(folder, name));
    const outputs = ["--csv", csv, "--markdown", markdown, "--html", html, "--svg", join(folder, "svg")];
    expect(await output("report", path, ...outputs)).toBe(table);
    expect(readFileSync(csv, "utf8")).toBe(renderSweepCsv(result));
    expect(readFileSync(markdown, "utf8")).toBe(renderSweepMarkdown(result));
    expect(readFileSync(html, "utf8")).toMatch(/<h1>.* bits a weight, learns from a learning rate of /);
    expect(readFileSync(join(folder, "svg", "cost.svg"), "utf8")).toContain("<title");
  });
});

describe("the error that stochastic rounding gives what is retained", () => {
  /** Standard deviations over the seeds 0 to 7, by rate: 1e-7, 1e-6, 1e-5 (2026-11-29). */
  const overSeeds: Record<string, readonly number[]> = {
    "bf16 in-place": [0.145, 0.0467, 0.0199],
    "bf16 kahan": [0.00056, 0.00035, 0.000092],
    "e4m3fn in-place": [0.595, 0.142, 0.0744],
    "e4m3fn kahan": [0.71, 0.269, 0.0384],
  };

  test("is within a factor of two of the spread over seeds; a master has none, and learns at any rate", async () => {
    const { result, table } = await sweep(
      ...["--format", "bf16,e4m3fn", "--scheme", "in-place,master,kahan", "--rounding", "stochastic"],
      ...["--lr", "1e-7,1e-6,1e-5", "--elements", "16384", "--steps", "10"],
    );
    const errors = new Map<string, (number | null)[]>();
    for (const { format, scheme, standardError } of result.cells) {
      const name = `${format} ${scheme}`;
      errors.set(name, [...(errors.get(name) ?? []), standardError]);
    }
    for (const [name, spreads] of Object.entries(overSeeds)) {
      for (const [i, spread] of spreads.entries()) {
        const ratio = errors.get(name)![i]! / spread;
        expect([name, i, ratio > 1 / 2 && ratio < 2]).toEqual([name, i, true]);
      }
    }
    for (const format of ["bf16", "e4m3fn"]) {
      expect(errors.get(`${format} master`)).toEqual([0, 0, 0]);
      expect(result.answers.cases).toContainEqual(
        expect.objectContaining({ format, scheme: "master", learnsFrom: 1e-7, keepsFrom: 1e-7 }),
      );
    }
    expect(table).toMatch(/^e4m3fn master stochastic +1\.00 +1\.00 +1\.00$/m);
  });
});

describe("of a recorded run", () => {
  test("its updates are scaled; by 1 they are what run applies", async () => {
    const { result, table } = await sweep(window, "--scale", "0.5,1,10", "--engine", "reference");
    expect(result.input).toMatchObject({ kind: "recorded", elements: 26048 });
    expect(result.settings.rate).toBe("scale");
    const { cases } = JSON.parse(await output("run", window, "--json", "-"));
    const ofRun = new Map(
      cases.map(({ scheme, end }: SweepResult["cells"][number]) => [scheme, end.retained]),
    );
    expect(retainedOf(result, 1)).toEqual([ofRun.get("in-place"), ofRun.get("master")]);
    expect(retainedOf(result, 10)[0]).toBeGreaterThan(retainedOf(result, 1)[0]!);
    expect(retainedOf(result, 0.5)[0]).toBeLessThan(retainedOf(result, 1)[0]!);
    expect(table).toMatch(/8 steps at each of 3 scales\n\nSmallest scale of the recorded updates /);

    const other = await sweep(window, "--scale", "0.5,1,10", "--engine", "wasm", "--threads", "2");
    expect(other.result.cells).toEqual(result.cells);
  });
});

describe("usage", () => {
  test.each<[string, string[], RegExp]>([
    ["a scale without a folder", ["--scale", "1,2"], /--scale is for a recorded run \(FOLDER\)/],
    ["a learning rate for a folder", [window, "--lr", "1e-6"], /--lr is for a synthetic run, not for FOLDER/],
    ["a range without a count", ["--lr", "1e-6:1e-4"], /expected a list such as 1e-7,1e-6 or from:to:count/],
    ["a range of four parts", ["--lr", "1e-6:1e-4:3:4"], /expected a list such as/],
    ["no share", ["--learns", "0"], /expected a share above 0, at most 1/],
    [
      "more to keep learning than to keep",
      ["--learns", "0.9", "--keeps", "0.5"],
      /--keeps is less than --learns/,
    ],
  ])("%s is refused", async (_, args, message) => {
    await expectUsageError(["sweep", ...args], message);
  });

  test("a folder that is no recorded run is refused in one sentence", async () => {
    const expected = "base.safetensors, base.safetensors.index.json or a folder base";
    await expectRefusal(["sweep", folder], folder, expected, "none of them");
  });

  test("a saved sweep that is broken, hostile, or one of two", async () => {
    const { result, path } = await sweep("--elements", "100", "--lr", "1e-6,1e-4", "--steps", "2");
    const found = "one of schema precision-lens-sweep/2, which does not";
    await expectRefusal(["report", path, path], `${path}, ${path}`, "results that add up", found);

    const broken = put(folder, "broken.json", JSON.stringify({ ...result, rates: [] }));
    const schema = "a result of schema precision-lens-sweep/2";
    await expectRefusal(["report", broken], broken, schema, '"/rates" that has 0 entries, not 1 or more');

    const input = { ...result.input, weights: "a\u001b[2J" };
    const cells = result.cells.map((cell) => ({ ...cell, format: "b\u001b[2J" }));
    const hostile = put(folder, "control.json", JSON.stringify({ ...result, input, cells }));
    const ran = await run(["report", hostile]);
    expect(ran.status).toBe(0);
    expect(ran.stdout + ran.stderr).not.toContain("\u001b");
  });
});
