import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { expectUsageError, output, run } from "../support/cli.js";
import { describeNeeding, python, requirements } from "../support/requirements.js";
import { expectValid } from "../support/schemas.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const forms = ["hex", "csv", "json", "safetensors"] as const;
/** All for one operation; the others, which share how they are written, are read back in the first. */
const formsOf = (operation: string) =>
  sized({ quick: operation === "sqrt" ? forms : forms.slice(0, 1), full: forms });

async function verified(path: string, ...args: string[]) {
  const { status, stdout, stderr } = await run(["vectors", "--verify", path, "--json", "-", ...args]);
  expect(stderr).toBe("");
  const found = JSON.parse(stdout);
  expectValid("verification", found);
  return { status, ...found };
}

describe("vectors", () => {
  test("are lines of codes in hexadecimal under what they are about", async () => {
    const [head, ...lines] = (await output("vectors", "--format", "bf16")).trimEnd().split("\n");
    expect(JSON.parse(head.slice(1))).toMatchObject({
      format: "bf16",
      operation: "round",
      from: "fp32",
      level: "1",
    });
    expect(lines.length).toBeGreaterThan(10_000);
    expect(lines).toContain("3f808000 3f80");
    expect(lines).toContain("3f818000 3f82");
    expect(lines.filter((line) => !/^[0-9a-f]{8} [0-9a-f]{4}$/.test(line))).toEqual([]);
  });

  test.each([
    ["round", "--format", "e4m3fn", "--from", "fp64", "--rounding", "sr"],
    ["fma", "--format", "fp16", "--rounding", "toward-negative"],
    ["sqrt", "--format", "e5m2", "--level", "exhaustive"],
    ["quantize", "--format", "nvfp4"],
    ["adamw", "--recipe", "torch-2.13-cuda-fused"],
  ])("of %s %s %s are right when they are read back", async (operation, ...args) => {
    const counts = [];
    for (const form of formsOf(operation)) {
      const path = at(`right.${form}`);
      expect(await output("vectors", "--operation", operation, ...args, "--as", form, "--out", path)).toBe(
        "",
      );
      const { status, cases, wrong } = await verified(path);
      expect([status, wrong]).toEqual([0, 0]);
      counts.push(cases);
    }
    expect(new Set(counts).size).toBe(1);
    if (counts.length === 1) return;
    const json = JSON.parse(readFileSync(at("right.json"), "utf8"));
    expectValid("vectors", json);
    expect(json.cases.length).toBe(counts[0]);
  });

  test("of TestFloat have its flags, and are read back with the format from the command line", async () => {
    const path = at("testfloat.txt");
    const asked = ["--operation", "div", "--format", "fp16", "--rounding", "toward-zero"];
    await output("vectors", ...asked, "--as", "testfloat", "--out", path);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines).toContain("3c00 0000 7c00 08");
    expect(lines).toContain("0000 0000 7e00 10");
    expect(lines).toContain("7bff 0001 7bff 05");
    expect(lines).toContain("0001 7bff 0000 03");
    expect((await verified(path, ...asked)).wrong).toBe(0);
    const { status, mistakes } = await verified(path, ...asked.slice(0, 4));
    expect([status, mistakes[0].name]).toEqual([3, "truncated"]);
  });

  test("the same seed gives the same, another one other vectors", async () => {
    const vectors = (seed: string) =>
      output("vectors", "--operation", "mul", "--format", "bf16", "--seed", seed);
    const cases = (text: string) => text.slice(text.indexOf("\n"));
    expect(await vectors("1")).toBe(await vectors("1"));
    expect(cases(await vectors("1"))).not.toBe(cases(await vectors("2")));
  });

  test("are every number of a narrow source at the level exhaustive", async () => {
    const text = await output("vectors", "--format", "e4m3fn", "--from", "bf16", "--level", "exhaustive");
    const [, ...lines] = text.trimEnd().split("\n");
    expect(lines.map((line) => Number.parseInt(line, 16))).toEqual(
      Array.from({ length: 2 ** 16 }, (_, i) => i),
    );
    expect(lines[0x3f81]).toBe("3f81 38");
  });

  test.each(["e2m1fn", "e4m3fn", "e4m3fnuz", "fp16"])(
    "from %s have no number that it lacks",
    async (from) => {
      const path = at("from.txt");
      await output("vectors", "--format", "e5m2", "--from", from, "--out", path);
      expect(await verified(path)).toMatchObject({ status: 0, wrong: 0 });
    },
  );

  test("results of another recipe are called by its name", async () => {
    const path = at("adamw.txt");
    await output("vectors", "--operation", "adamw", "--recipe", "torch-2.13-cuda-fused", "--out", path);
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace("torch-2.13-cuda-fused", "torch-2.13-cpu-for-loop"),
    );
    const { status, mistakes } = await verified(path);
    expect([status, mistakes[0].name]).toEqual([3, "torch-2.13-cuda-fused"]);
  });

  test.each<[string, string, RegExp]>([
    ["a line that was cut off", "3f808000 3f80\n3f81", /mine.txt: expected 2 codes in line 2, found 1\n$/],
    [
      "what is no code",
      "3f808000 ugly\n",
      /expected a code of 16 bits in hexadecimal as result in line 1, found "ugly"/,
    ],
    ["a code of too many bits", "3f808000 13f80\n", /found "13f80"/],
    ["nothing", "", /expected vectors, found an empty file/],
    ["comments alone", "# none\n", /expected vectors, found none/],
    ["JSON of something else", "{}\n", /expected vectors as JSON/],
    [
      "an unknown format",
      '# {"schema":"precision-lens-vectors/1","format":"fp17"}\n3f808000 3f80\n',
      /expected vectors of what is known here, found unknown format "fp17"/,
    ],
  ])("--verify refuses %s", async (_, text, message) => {
    const path = at("mine.txt");
    writeFileSync(path, text);
    const { status, stdout, stderr } = await run(["vectors", "--verify", path]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });

  test("--verify says how many cases of a file that was cut are missing", async () => {
    const lines = (await output("vectors", "--format", "e4m3fn")).trimEnd().split("\n");
    const path = at("cut.txt");
    writeFileSync(path, `${lines.slice(0, 100).join("\n")}\n`);
    const cut = await verified(path);
    expect(cut).toMatchObject({ status: 0, cases: 99, missing: lines.length - 1 - 99 });
    const { stdout } = await run(["vectors", "--verify", path]);
    expect(stdout).toMatch(/^The file has 99 of the 3,\d\d\d cases of level 1: 3,\d\d\d are missing\.\n/);
    // A file without a head says nothing of what it should be.
    writeFileSync(path, lines.slice(1, 100).join("\n"));
    expect(await verified(path, "--format", "e4m3fn")).toMatchObject({ cases: 99, missing: null });
    writeFileSync(path, lines.join("\n"));
    expect(await verified(path)).toMatchObject({ missing: 0 });
  });

  test.each<[string[], RegExp]>([
    [["--format", "mxfp4"], /mxfp4 is a block format: expected the operation quantize/],
    [["--operation", "quantize"], /quantize goes to a block format such as mxfp4, found bf16/],
    [["--operation", "quantise"], /did you mean quantize\?/],
    [["--operation", "adamw", "--recipe", "torch"], /unknown recipe "torch"/],
    [["--operation", "adamw", "--as", "testfloat"], /the text of TestFloat is for operations on numbers/],
    [
      ["--level", "exhaustive", "--from", "fp64"],
      /round from fp64 has too many inputs for the level exhaustive/,
    ],
    [["--level", "exhaustive", "--operation", "adamw"], /adamw has too many inputs/],
    [["--json", "-"], /--json goes with --verify/],
    [["--from", "fp17"], /unknown format "fp17"/],
  ])("refuses %j", async (args, message) => {
    await expectUsageError(["vectors", ...args], message);
  });

  test("an output that cannot be written leaves nothing", async () => {
    const path = join(folder, "nowhere", "x");
    expect((await run(["vectors", "--out", path])).status).toBe(2);
    expect(existsSync(path)).toBe(false);
  });
});

const docs = readFileSync(new URL("../../docs/testing.md", import.meta.url), "utf8");
const block = (language: string) => docs.split(`\`\`\`${language}\n`)[1].split("```")[0];
const hasCompiler = spawnSync("cc", ["--version"]).status === 0;

describeNeeding(
  { name: "a C compiler", debian: ["gcc"], isMet: () => hasCompiler },
  "vectors read in C",
  () => {
    const compile = (source: string, binary: string) => {
      const { status, stderr } = spawnSync("cc", ["-O2", "-o", binary, source, "-lm"], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    };

    beforeAll(() => compile(fileURLToPath(new URL("../vectors/confirm.c", import.meta.url)), at("confirm")));

    test.each([
      ["bf16", "8", "-126", String(0x7f7f), "1", "16"],
      ["fp16", "11", "-14", String(0x7bff), "1", "16"],
      ["e4m3fn", "4", "-6", String(0x7e), "0", "8"],
    ])("level 2 of %s is confirmed by a program of its own", async (format, ...parameters) => {
      const path = at("vectors.txt");
      await output("vectors", "--format", format, "--level", "2", "--out", path);
      const { stdout, stderr, status } = spawnSync(at("confirm"), parameters, {
        input: readFileSync(path),
        encoding: "utf8",
      });
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
      expect(stdout).toMatch(/^\d{5,} 0\n$/);
    });

    test("the program of docs/testing.md runs, and its mistake is named as the text says", async () => {
      writeFileSync(at("mine.c"), block("c"));
      compile(at("mine.c"), at("mine"));
      const input = await output("vectors", "--format", "bf16");
      writeFileSync(at("mine.txt"), spawnSync(at("mine"), { input, maxBuffer: 2 ** 28 }).stdout);
      const { status, mistakes } = await verified(at("mine.txt"));
      expect(status).toBe(3);
      expect(docs).toContain(`${mistakes[0].says} [${mistakes[0].name}]`);
    });
  },
);

describeNeeding(requirements.numpy, "vectors read in Python", () => {
  test("by the program of docs/testing.md", async () => {
    const input = await output("vectors", "--format", "fp16");
    writeFileSync(at("mine.py"), block("py"));
    const { stdout } = spawnSync(python, ["-W", "ignore", at("mine.py")], { input, maxBuffer: 2 ** 28 });
    writeFileSync(at("mine.txt"), stdout);
    expect(await verified(at("mine.txt"))).toMatchObject({ status: 0, wrong: 0 });
  });
});
