import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { renderCsv } from "../../src/report/csv.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, output, run } from "../support/cli.js";
import { float32, recorded, writeExcerpt, writeRun } from "../support/recorded.js";
import { renderMarkdown, renderTable } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const window = recorded("rlvr/early");
const excerpt = await writeExcerpt(join(folder, "excerpt"), "rlvr/early", (i) => i < 7);

/** A run with a tensor of each kind that is left out: not a float, without updates, without weights. */
const gaps = await writeRun(
  join(folder, "gaps"),
  [
    float32("w", [1, 0.5]),
    { name: "i\u001b[31m", dtype: "I32", shape: [1], data: new Int32Array(1) },
    float32("alone", [1]),
  ],
  [float32("step0001/w", [1e-3, 0]), float32("step0001/i\u001b[31m", [1]), float32("step0001/lost", [1])],
);

describe("run", () => {
  test("a folder and its two parts by name give the same", async () => {
    const parts = ["--weights", `${window}/base.safetensors`, "--updates", `${window}/updates.safetensors`];
    const byName: Result = JSON.parse(await output("run", ...parts, "--json", "-"));
    const byFolder: Result = JSON.parse(await output("run", window, "--json", "-"));
    expect(byName).toEqual(byFolder);
    expect(byName.input.weights).toBe(join(window, "base.safetensors"));
  });

  test("the grid is in the order of the options: format, scheme, rounding", async () => {
    const { cases, settings }: Result = JSON.parse(
      await output(
        ...["run", excerpt, "--format", "fp16, bf16", "--scheme", "kahan,in-place,kahan"],
        ...["--rounding", "toward-zero,stochastic", "--opmath", "exact", "--overflow", "saturate"],
        ...["--seed", "7", "--json", "-"],
      ),
    );
    expect(
      cases.map((caseResult) =>
        [caseResult.format, caseResult.scheme, caseResult.rounding, caseResult.opmath].join(" "),
      ),
    ).toEqual([
      "fp16 kahan toward-zero exact",
      "fp16 kahan stochastic exact",
      "fp16 in-place toward-zero exact",
      "fp16 in-place stochastic exact",
      "bf16 kahan toward-zero exact",
      "bf16 kahan stochastic exact",
      "bf16 in-place toward-zero exact",
      "bf16 in-place stochastic exact",
    ]);
    expect(settings).toEqual({ optimizer: null, overflow: "saturate", seed: 7, strict: false });
  });

  test("a seed repeats a stochastic run, another one does not", async () => {
    const seeded = (seed: string) =>
      output("run", window, "--rounding", "stochastic", "--seed", seed, "--csv", "-");
    const [first, again, other] = await Promise.all(["1", "1", "2"].map(seeded));
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test("all outputs tell of one result", async () => {
    const out = join(folder, "outputs");
    mkdirSync(out);
    const files = { json: join(out, "r.json"), csv: join(out, "r.csv"), markdown: join(out, "r.md") };
    const options = Object.entries(files).flatMap(([name, path]) => [`--${name}`, path]);
    const table = await output("run", window, ...options);
    const text = readFileSync(files.json, "utf8");
    const result: Result = JSON.parse(text);
    expectValid("result", result);
    expect(table).toBe(renderTable(result));
    expect(readFileSync(files.csv, "utf8")).toBe(renderCsv(result));
    expect(readFileSync(files.markdown, "utf8")).toBe(renderMarkdown(result));
    expect(readdirSync(out).sort()).toEqual(["r.csv", "r.json", "r.md"]);
    expect(await output("run", window, "--json", "-")).toBe(text);
    expect(await output("run", window, "--csv", "-")).toBe(renderCsv(result));
    expect(await output("run", window, "--markdown", "-")).toBe(renderMarkdown(result));
    expect(await output("run", window, "--quiet")).toBe("");
  });

  test("an output that is a device is written to, not replaced by a file", async () => {
    const link = join(folder, "null");
    symlinkSync("/dev/null", link);
    await output("run", gaps, "--quiet", "--json", link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });
});

describe("tensors that cannot be counted", () => {
  const reasons = {
    "i\u001b[31m": "its dtype is I32, which holds no floats",
    alone: "has no updates",
    lost: "has updates, but is not among the weights",
  };
  const first = `"i\\u001b[31m": ${reasons["i\u001b[31m"]}`;

  test("are told on stderr and listed in the result", async () => {
    const { status, stdout, stderr } = await run(["run", gaps, "--json", "-"]);
    expect(status).toBe(0);
    expect(stderr).toBe(`precision-lens: 3 tensors were not counted; the first, ${first}\n`);
    const result: Result = JSON.parse(stdout);
    expectValid("result", result);
    expect(Object.fromEntries(result.skipped.map(({ name, reason }) => [name, reason]))).toEqual(reasons);
    expect(result.input.tensors).toBe(1);
  });

  test("are listed in the table, safely", async () => {
    const { stdout } = await run(["run", gaps]);
    expect(stdout).toContain("3 not counted:");
    expect(stdout).toContain("  i\\u001b[31m: its dtype is I32");
    expect(stdout).not.toContain("\u001b");
  });

  test("--quiet keeps the warning back", async () => {
    expect(await output("run", gaps, "--quiet")).toBe("");
  });

  test("--strict makes them an error", async () => {
    const file = join(gaps, "base.safetensors");
    await expectRefusal(["run", gaps, "--strict"], file, "nothing to skip (strict)", `tensor ${first}`);
  });
});

describe("wrong input leaves an existing output as it was", () => {
  const out = join(folder, "before");
  mkdirSync(out);
  const kept = put(out, "kept.json", "as it was");

  test.each<[string, string, string, string]>([
    ["nothing there", join(folder, "nowhere"), "the folder of a recorded run", "nothing there"],
    ["a file", kept, "the folder of a recorded run", "a file"],
    [
      "a folder without weights",
      out,
      "base.safetensors, base.safetensors.index.json or a folder base",
      "none of them",
    ],
  ])("%s", async (_, input, expected, found) => {
    await expectRefusal(["run", input, "--json", kept, "--csv", join(out, "new")], input, expected, found);
    expect(readFileSync(kept, "utf8")).toBe("as it was");
    expect(readdirSync(out)).toEqual(["kept.json"]);
  });

  test("a success replaces it", async () => {
    const path = join(out, "replaced.json");
    writeFileSync(path, "x");
    linkSync(path, join(folder, "former"));
    await output("run", gaps, "--quiet", "--json", path);
    expectValid("result", JSON.parse(readFileSync(path, "utf8")));
    expect(readdirSync(out).sort()).toEqual(["kept.json", "replaced.json"]);
    // Another file under its name: whoever reads the former one is not disturbed.
    expect(readFileSync(join(folder, "former"), "utf8")).toBe("x");
  });
});
