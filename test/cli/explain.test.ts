import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Explanation, explain } from "../../src/lens/explain/explain.js";
import { temporaryFolder } from "../source/support.js";
import { expectUsageError, output, run } from "../support/cli.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();

async function explained(...args: string[]): Promise<Explanation> {
  const explanation = JSON.parse(await output("explain", ...args, "--json", "-"));
  expectValid("explanation", explanation);
  return explanation;
}

const firstSteps = ({ schemes }: Explanation) =>
  Object.fromEntries(schemes.map(({ scheme, firstVisibleStep }) => [scheme, firstVisibleStep]));

describe("explain", () => {
  test("0.02 1e-6: lost in place, first shown by an fp32 master at step 81", async () => {
    const text = await output("explain", "0.02", "1e-6");
    await expect(text).toMatchFileSnapshot("explain.txt");
    expect(text).toContain("Nothing happens: the update is lost.");
    expect(text).toMatch(/fp32 master +first shows at step 81 /);
  });

  test("gives the same as JSON, which is what the library gives", async () => {
    const explanation = await explained("0.02", "1e-6");
    expect(explanation).toEqual(explain(0.02, 1e-6, { format: "bf16" }));
    expect(explanation.weight).toMatchObject({ stored: 0.02001953125, code: 0x3ca4, gapAbove: 2 ** -13 });
    expect(firstSteps(explanation)).toMatchObject({ "in-place": null, master: 81 });
  });

  test("takes negative numbers as arguments, in any spelling", async () => {
    const [up, down] = [await explained("0.02", "1e-6"), await explained("-0.02", "-1E-6")];
    expect(down.weight.stored).toBe(-up.weight.stored);
    expect(firstSteps(down)).toEqual(firstSteps(up));
    const fp16 = await explained("1", "-1e-6", "--format", "fp16");
    // Below a power of two the gap is half of that above: 2^-11.
    expect(fp16).toMatchObject({ format: "fp16", update: { gap: 2 ** -11 } });
    expect((await explained("--format", "fp16", "-1", "-1e-6")).update.gap).toBe(2 ** -10);
  });

  test.each([
    [["-inf", "1"], { weight: { given: "-Infinity" }, update: { given: 1 } }],
    [["1", "-INFINITY", "--format", "fp16"], { update: { given: "-Infinity" }, format: "fp16" }],
    [["nan", "+inf"], { weight: { given: "NaN" }, update: { given: "Infinity" } }],
    [["\u22121", "-.5"], { weight: { given: -1 }, update: { given: -0.5 } }],
    [["-0", "1e-42"], { weight: { given: "-0", code: 0x8000 }, update: { given: 1e-42 } }],
    [["65520", "1", "--format", "fp16"], { weight: { stored: "Infinity" } }],
    [["1", "1e39"], { update: { fp32: "Infinity" } }],
  ])("takes %j", async (args, expected) => {
    expect(await explained(...args)).toMatchObject(expected);
  });

  test("takes scheme, rounding, opmath and overflow", async () => {
    const upward = await explained("1", "1e-6", "--rounding", "rup");
    expect(upward).toMatchObject({
      rounding: "toward-positive",
      step: { outcomes: [{ weight: 1.0078125 }] },
    });
    // 1 + 1e-9 is 1 in fp32, before the rounding upward.
    const fp32 = await explained("1", "1e-9", "--rounding", "toward-positive");
    expect(fp32.step.chances.lost).toBe(1);
    const exactly = await explained("1", "1e-9", "--rounding", "toward-positive", "--opmath", "exact");
    expect(exactly.step.outcomes).toMatchObject([{ weight: 1.0078125, becomes: "moved" }]);
    const saturated = await explained("65504", "32", "--format", "fp16", "--overflow", "saturate");
    expect(saturated.step.outcomes).toMatchObject([{ weight: 65504, becomes: "lost" }]);
    const drawn = await explained("0.02", "1e-6", "--rounding", "sr", "--scheme", "master");
    // The master starts below the stored weight, and the update does not take it above.
    const below = (0.02001953125 - Math.fround(Math.fround(0.02) + Math.fround(1e-6))) / 2 ** -13;
    expect(drawn).toMatchObject({
      scheme: "master",
      weight: { master: Math.fround(0.02) },
      step: { chances: { kept: 1 - below } },
    });
  });

  test("tells once which format e4m3 is", async () => {
    const { status, stdout, stderr } = await run([
      "explain",
      "448",
      "100",
      "--format",
      "e4m3",
      "--json",
      "-",
    ]);
    expect([status, (JSON.parse(stdout) as Explanation).format]).toEqual([0, "e4m3fn"]);
    expect(stderr).toBe(
      "precision-lens: e4m3 is taken as e4m3fn (OCP), with 448 the largest number; the IEEE-like one is e4m3-ieee, with 240\n",
    );
    expect((await explained("1", "1", "--format", "e4m3-ieee")).format).toBe("e4m3-ieee");
  });

  test("--json FILE saves it beside the text", async () => {
    const path = join(folder, "explanation.json");
    expect(await output("explain", "0.02", "1e-6", "--json", path)).toBe(
      await output("explain", "0.02", "1e-6"),
    );
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(await explained("0.02", "1e-6"));
  });

  test.each<[string, string[], RegExp]>([
    [
      "a weight that is no number",
      ["one", "1"],
      /'one' is invalid for argument 'weight'. expected a number, inf/,
    ],
    ["an update beyond fp64", ["1", "1e999"], /'1e999' is invalid for argument 'update'/],
    ["an empty weight", ["", "1"], /expected a number, inf or nan/],
    ["an unknown format", ["1", "1", "--format", "fp17"], /unknown format "fp17": did you mean fp16\?/],
    ["an unknown scheme", ["1", "1", "--scheme", "kahn"], /unknown scheme "kahn": did you mean kahan\?/],
    ["fp8", ["1", "1", "--format", "fp8"], /"fp8" does not say which format is meant: expected e4m3fn, e5m2/],
    [
      "a format given twice",
      ["1", "1", "--format", "bf16", "--format", "fp16"],
      /'--format <name>' was given twice/,
    ],
    ["an unknown option", ["1", "1", "--colour"], /unknown option '--colour'/],
    ["no update", ["1"], /missing required argument 'update'/],
  ])("refuses %s", async (_, args, message) => {
    await expectUsageError(["explain", ...args], message);
  });
});
