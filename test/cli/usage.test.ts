import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { recorded } from "../support/recorded.js";

const folder = temporaryFolder();
const window = recorded("rlvr/early");

describe("usage", () => {
  test.each<[string, string[], RegExp]>([
    ["an unknown command", ["frobnicate"], /unknown command 'frobnicate'/],
    ["help of an unknown command", ["help", "frobnicate"], /unknown command 'frobnicate'/],
    ["an unknown option", ["run", window, "--colour"], /unknown option '--colour'/],
    [
      "an unknown format",
      ["run", window, "--format", "bf16,e9m1"],
      /unknown format "e9m1": did you mean e2m1\? Expected fp32, /,
    ],
    [
      "a number of bits for a format",
      ["run", window, "--format", "fp4"],
      /"fp4" does not say which format is meant: expected e2m1fn; or with scales mxfp4, nvfp4, nvfp4-16x16/,
    ],
    [
      "a number of bits, by a framework's name",
      ["run", window, "--format", "torch.float8"],
      /expected e4m3fn, e5m2, e4m3fnuz or e5m2fnuz; or with scales mxfp8-e4m3, mxfp8-e5m2, fp8-128x128/,
    ],
    ["an empty format", ["run", window, "--format", ""], /unknown format ""/],
    [
      "an unknown scheme",
      ["run", window, "--scheme", "master,sr"],
      /unknown scheme "sr": expected in-place, master, kahan/,
    ],
    [
      "an unknown rounding",
      ["run", window, "--rounding", "up"],
      /unknown rounding "up": did you mean toward-positive\? Expected nearest-even, /,
    ],
    ["an unknown engine", ["run", window, "--engine", "abacus"], /unknown engine "abacus": expected auto, /],
    ["an unknown opmath", ["run", window, "--opmath", "fp64"], /unknown opmath "fp64": expected fp32, exact/],
    ["a negative seed", ["run", window, "--seed", "-1"], /'-1' is invalid. expected a whole number/],
    ["a seed over 2^53", ["run", window, "--seed", "9007199254740993"], /expected a whole number/],
    ["an option without its value", ["run", window, "--json"], /'--json <file>' argument missing/],
    ["no operands", ["run"], /expected either FOLDER, or --weights and --updates/],
    ["both kinds of operands", ["run", window, "--weights", "w"], /expected either FOLDER, or --weights/],
    ["half of the operands", ["run", "--weights", "w"], /--weights and --updates go together/],
    [
      "gradients for updates",
      ["run", "--weights", "w", "--updates", "x/gradients.safetensors"],
      /--updates x\/gradients.safetensors: by its name it has gradients, not updates: count it by --gradients/,
    ],
    ["too many operands", ["run", window, window], /too many arguments/],
    [
      "two outputs on stdout",
      ["run", window, "--json", "-", "--csv", "-"],
      /only one of --json and --csv can go to stdout/,
    ],
    ["a result to report missing", ["report"], /missing required argument 'result.json'/],
  ])("%s is refused", async (_, args, message) => {
    await expectUsageError(args, message);
  });

  test.each<[string, string[], RegExp]>([
    [
      "a seed",
      ["run", window, "--seed", "1", "--seed", "1"],
      /option '--seed <n>' was given twice, '1' and '1'/,
    ],
    [
      "a file",
      ["diff", "a", "b", "--json", "x", "--json", "y"],
      /option '--json <file>' was given twice, 'x' and 'y'/,
    ],
    [
      "a model",
      ["simulate", "--model", "qwen3-4b", "--model", "qwen3-8b"],
      /option '--model <name>' was given twice/,
    ],
  ])("%s given twice is refused", async (_, args, message) => {
    await expectUsageError(args, message);
  });

  test("what e4m3 means is told once, before the work, and not to who wants quiet", async () => {
    const args = ["run", "nowhere", "--format", "e4m3,bf16", "--format", "e4m3"];
    const told = await run(args);
    const quiet = await run([...args, "--quiet"]);
    expect(told.stderr.match(/e4m3 is taken as e4m3fn \(OCP\)/g)).toHaveLength(1);
    expect(told.stderr.endsWith(quiet.stderr)).toBe(true);
    expect(quiet.stderr).toMatch(/^precision-lens: nowhere/);
    expect([told.status, quiet.status]).toEqual([2, 2]);
  });

  test("without a command the help goes to stderr", async () => {
    const { status, stdout, stderr } = await run([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("Usage: precision-lens [options] [command]");
  });

  test("help and version go to stdout", async () => {
    for (const args of [
      ["--help"],
      ["help", "run"],
      ["run", "--help"],
      ["sweep", "--help"],
      ["predict", "--help"],
      ["vectors", "--help"],
    ]) {
      const help = await output(...args);
      expect(help).toContain("Usage: precision-lens");
      expect(Math.max(...help.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
    }
    expect(await output("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("the help of all commands says of each what its own help says", async () => {
    const list = (await output("--help")).split("Commands:\n")[1];
    const listed = [...list.matchAll(/^ {2}(?!help )(\S+) \[options\]((?: [[<]\S+)*)/gm)];
    expect(listed.length).toBe(list.match(/^ {2}\S/gm)!.length - 1);
    expect(listed.length).toBeGreaterThan(16);
    for (const [, name, parameters] of listed) {
      const [usage] = (await output(name, "--help")).split("\n");
      expect(usage).toBe(`Usage: precision-lens ${name} [options]${parameters}`);
    }
  });
});

describe("outputs that cannot be written are refused before any work", () => {
  const nowhere = join(folder, "missing");

  // The input is wrong too: that the output is what is told shows that it was looked at first.
  test.each([["--json"], ["--csv"], ["--markdown"]])("%s", async (option) => {
    const out = join(nowhere, "out");
    const exists = `its folder ${nowhere} to exist`;
    await expectRefusal(["run", "no input", option, out], out, exists, "no such folder");
    await expectRefusal(
      ["run", "no input", option, folder],
      folder,
      "the name of a file to write",
      "a folder",
    );
    expect(existsSync(nowhere)).toBe(false);
  });

  test("explain too", async () => {
    const out = join(nowhere, "out");
    const exists = `its folder ${nowhere} to exist`;
    await expectRefusal(["explain", "1", "1", "--json", out], out, exists, "no such folder");
  });
});
