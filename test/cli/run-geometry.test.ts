import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import type { Result } from "../../src/lens/run/result.js";
import { visibleWidth } from "../../src/report/columns.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";
import { fullTier } from "../support/tier.js";

const folder = temporaryFolder();
const run = join(folder, "run");
const saved = join(folder, "saved.json");
const cheap = ["--layers", "1", "--rank", "4", "--milestones", "8,2"];

const testFully = fullTier ? test : () => {};

let result: Result;
let table: string;
let csv: string[][];
beforeAll(async () => {
  mkdirSync(run);
  cpSync(recorded("base.safetensors"), join(run, "base.safetensors"));
  cpSync(recorded("rlvr/early/updates.safetensors"), join(run, "updates.safetensors"));
  put(run, "outcome.json", JSON.stringify({ run: { klForward: 0.1766, klReverse: 0.1211 } }));
  const file = join(folder, "saved.csv");
  table = await output("run", run, "--geometry", ...cheap, "--json", saved, "--csv", file);
  result = JSON.parse(readFileSync(saved, "utf8"));
  expectValid("result", result);
  csv = readFileSync(file, "utf8")
    .trim()
    .split("\r\n")
    .map((line) => line.split(","));
});

describe("run --geometry", () => {
  testFully("measures what diff does of the run and itself, beside the recorded rate", async () => {
    const same = ["--lr", "1e-5", "--steps", "8"];
    const text = await output("diff", run, run, "--geometry", ...cheap, ...same, "--json", "-");
    const { geometry: compared }: DifferenceResult = JSON.parse(text);
    const { divergence, ...geometry } = result.geometry!;
    expect(geometry).toEqual(compared);
    expect(divergence).toEqual({ forward: 0.1766, reverse: 0.1211 });
  });

  test("is told in the table and the renderings of the saved result", async () => {
    for (const line of table.split("\n")) expect(visibleWidth(line)).toBeLessThanOrEqual(80);
    // 13.7 % of the weights changed, under a table by which storing them in place changes 3.1 %.
    expect(table.replaceAll(/\s+/g, " ")).toMatch(
      / Its updates, added in fp32 and not as a case stores them, moved its matrices by a mean /,
    );
    expect(table).toMatch(/after updates +size +changed +rank/);
    expect(table).toMatch(/After 8 updates the change is not low-rank/);
    expect(table).toMatch(/KL of outcome\.json, in nats: of the base to the run 0\.177/);
    expect(await output("report", saved)).toBe(table);
    expect(await output("report", saved, "--markdown", "-")).toMatch(/### After so many updates/);
    const html = await output("report", saved, "--html", "-");
    for (const name of ["geometry-rank-course", "geometry-coherence", "geometry-layers"]) {
      expect(html.includes(`id="${name}"`), name).toBe(true);
    }
  });

  test("has a row of CSV for each milestone, and its measures beside each tensor", () => {
    const [heading, ...rows] = csv;
    const at = (row: string[], name: string) => row[heading.indexOf(name)];
    expect(new Set(csv.map(({ length }) => length))).toEqual(new Set([heading.length]));
    const course = rows.filter((row) => at(row, "updates") !== "");
    expect(course.map((row) => [at(row, "updates"), at(row, "tensor"), at(row, "elements")])).toEqual([
      ["2", "", ""],
      ["8", "", ""],
    ]);
    const { curve, tensors } = result.geometry!;
    expect(Number(at(course[0], "size.ratio"))).toBe(curve![0].totals.measures.size.ratio);
    const q = tensors.find(({ kind, spectrum }) => kind === "q" && spectrum !== null)!;
    const ofQ = rows.filter((row) => at(row, "tensor") === q.name);
    expect(ofQ.map((row) => Number(at(row, "stableRank")))).toEqual(
      result.cases.map(() => q.measures.stableRank.measured),
    );
  });
});

test("what it does not go with is refused", async () => {
  const parts = ["--weights", "w", "--updates", "u"];
  await expectUsageError(
    ["run", ...parts, "--geometry"],
    /--geometry is for the recorded updates of a FOLDER/,
  );
  await expectUsageError(["run", run, "--view", "fp32"], /--view is an option of --geometry/);
  await expectUsageError(["run", run, "--geometry", "--milestones", "0"], /at least one update/);
  const beyond = ["run", run, "--geometry", "--milestones", "9"];
  await expectRefusal(beyond, run, "a run of at least 9 updates, for --milestones", "8");
});
