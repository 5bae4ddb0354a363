import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import type { Result } from "../../src/lens/run/result.js";
import { diffCommandLine, runCommandLines } from "../../src/report/command.js";
import { runVerdict } from "../../src/report/verdict.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { figuresOfDiff, figuresOfRun } from "../support/rendered.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
const window = recorded("rlvr/early");
const path = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(path(name), "utf8");

/** The arguments of a command that a report tells, which has no word that a shell would change. */
const words = (command: string) => command.split(" ").slice(1);

await output("run", window, "--quiet", "--json", path("run.json"), "--html", path("run.html"));
const result: Result = JSON.parse(read("run.json"));

describe("--html", () => {
  test("of a live and of a saved result is the same page", async () => {
    await output("report", path("run.json"), "--quiet", "--html", path("saved.html"));
    expect(read("saved.html")).toBe(read("run.html"));
    expect(await output("report", path("run.json"), "--html", "-")).toBe(read("run.html"));
    expect(read("run.html")).toContain(`<h1>${runVerdict(result)}</h1>`);
  });

  test("brings its font", () => {
    expect(read("run.html")).toMatch(
      /@font-face\{font-family:Inter;font-weight:600;src:url\(data:font\/woff2;base64,/,
    );
  });

  test("of demo goes beside its table", async () => {
    const stdout = await output("demo", "--html", path("demo.html"));
    expect(stdout).toBe(await output("demo"));
    expect(read("demo.html")).toContain("97.9% of the updates left the stored weight as it was");
  });

  test("of a comparison, live and saved", async () => {
    const sides = [recorded("../recorded/base.safetensors"), recorded("rlvr/final-fp32.safetensors")];
    await output("diff", ...sides, "--quiet", "--json", path("diff.json"), "--html", path("diff.html"));
    await output("report", path("diff.json"), "--quiet", "--html", path("diff-saved.html"));
    expect(read("diff-saved.html")).toBe(read("diff.html"));
    const difference: DifferenceResult = JSON.parse(read("diff.json"));
    const again = await output(...words(diffCommandLine(difference)), "--json", "-");
    expect(JSON.parse(again)).toEqual(difference);
  });
});

describe("the commands of a report count the same again", () => {
  const withoutEngine = ({ engine: _, ...rest }: Result) => rest;

  test("a recorded run", async () => {
    const [command, ...others] = runCommandLines(result);
    expect(others).toEqual([]);
    expect(withoutEngine(JSON.parse(await output(...words(command), "--json", "-")))).toEqual(
      withoutEngine(result),
    );
  });

  test("a synthetic run, a sample of a model with a preset", async () => {
    const elements = sized({ quick: "2000", full: "20000" });
    const options = [
      "--preset",
      "rlvr",
      "--model",
      "qwen2.5-0.5b",
      "--elements",
      elements,
      "--steps",
      sized({ quick: "3", full: "6" }),
    ];
    const more = ["--seed", "5", "--qk-shape", "1.13", "--format", "bf16,e4m3fn", "--gradient", "signal:0.2"];
    const args = ["simulate", ...options, ...more, "--gradient-norm", "3", "--json", "-"];
    const simulated: Result = JSON.parse(await output(...args));
    const [command, ...others] = runCommandLines(simulated);
    expect(others).toEqual([]);
    const again: Result = JSON.parse(await output(...words(command), "--json", "-"));
    expect(withoutEngine(again)).toEqual(withoutEngine(simulated));
  });
});

describe("--svg and --png", () => {
  const names = (kind: string) => figuresOfRun(result).map(({ name }) => `${name}.${kind}`);

  test("write each figure at the size of a slide", async () => {
    await output("report", path("run.json"), "--quiet", "--svg", path("svg"), "--png", path("png"));
    expect(readdirSync(path("svg")).sort()).toEqual(names("svg").sort());
    expect(readdirSync(path("png")).sort()).toEqual(names("png").sort());
    for (const name of names("png")) {
      const png = readFileSync(join(path("png"), name));
      expect(png.subarray(1, 4).toString()).toBe("PNG");
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1600, 900]);
    }
    for (const name of names("svg")) expect(read(`svg/${name}`)).toContain('viewBox="0 0 1600 900"');
  });

  test("dark, into a folder that is there", async () => {
    mkdirSync(path("dark"));
    await output(
      "diff",
      window,
      window,
      "--quiet",
      "--json",
      path("own.json"),
      "--svg",
      path("dark"),
      "--theme",
      "dark",
    );
    const difference: DifferenceResult = JSON.parse(read("own.json"));
    expect(readdirSync(path("dark"))).toHaveLength(figuresOfDiff(difference).length);
    expect(read("dark/modules.svg")).toContain("background:#11151b");
  });
});

describe("where it cannot go is refused before any work", () => {
  test("a page in a folder that is not there", async () => {
    const page = path("nowhere/report.html");
    await expectRefusal(
      ["run", window, "--html", page],
      page,
      `its folder ${path("nowhere")} to exist`,
      "no such folder",
    );
  });

  test("figures in a file, or in a folder of one that is not there", async () => {
    const file = put(folder, "a-file", "text");
    await expectRefusal(["run", window, "--png", file], file, "a folder", "a file");
    expect(readFileSync(file, "utf8")).toBe("text");
    const deep = path("nowhere/figures");
    const expected = `the folder ${path("nowhere")} to exist`;
    await expectRefusal(["run", window, "--svg", deep], deep, expected, "no such folder");
  });

  test("a page and a table in one place", async () => {
    await expectUsageError(
      ["run", window, "--csv", "-", "--html", "-"],
      "error: only one of --csv and --html can go to stdout",
    );
    await expectUsageError(["run", window, "--theme", "sepia"], /'sepia' is invalid.*light, dark/);
  });
});

test("a hostile name in a saved result opens no element", async () => {
  const name = '</script><img src=x onerror="hacked=1">';
  const renamed = result.cases.map((caseResult) => ({
    ...caseResult,
    tensors: caseResult.tensors.map((tensor, i) => (i === 0 ? { ...tensor, name } : tensor)),
  }));
  const hostile = { ...result, cases: renamed };
  writeFileSync(path("hostile.json"), JSON.stringify(hostile));
  const ran = await run(["report", path("hostile.json"), "--html", "-"]);
  expect(ran.status).toBe(0);
  expect(ran.stdout).not.toContain("<img");
});
