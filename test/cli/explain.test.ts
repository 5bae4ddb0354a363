import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Explanation } from "../../src/lens/explain.js";
import { temporaryFolder } from "../source/support.js";
import { expectUsageError, output } from "../support/cli.js";
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
  test("0.02 1e-6: lost in place, first shown by an fp32 master at step 62", async () => {
    const text = await output("explain", "0.02", "1e-6");
    await expect(text).toMatchFileSnapshot("explain.txt");
    expect(text).toContain("Nothing happens: the update is lost.");
    expect(text).toMatch(/fp32 master +first shows at step 62;/);
  });

  test("gives the same as JSON", async () => {
    const explanation = await explained("0.02", "1e-6");
    expect(explanation.becomes).toBe("lost");
    expect(explanation.weight).toMatchObject({ stored: 0.02001953125, code: 0x3ca4, gapAbove: 2 ** -13 });
    expect(firstSteps(explanation)).toMatchObject({ "in-place": null, master: 62 });
  });

  test("takes negative numbers as arguments", async () => {
    const [up, down] = [await explained("0.02", "1e-6"), await explained("-0.02", "-1e-6")];
    expect(down.weight.stored).toBe(-up.weight.stored);
    expect(firstSteps(down)).toEqual(firstSteps(up));
    const fp16 = await explained("1", "-1e-6", "--format", "fp16");
    // Below a power of two the gap is half of that above: 2^-11.
    expect(fp16).toMatchObject({ format: "fp16", becomes: "lost", update: { halfGap: 2 ** -12 } });
    expect((await explained("--format", "fp16", "-1", "-1e-6")).update.halfGap).toBe(2 ** -11);
  });

  test("takes rounding, opmath and overflow", async () => {
    const upward = await explained("1", "1e-6", "--rounding", "toward-positive");
    expect(upward).toMatchObject({ becomes: "moved", sum: { rounded: 1.0078125 } });
    // 1 + 1e-9 is 1 in fp32, before the rounding upward.
    const fp32 = await explained("1", "1e-9", "--rounding", "toward-positive");
    expect(fp32).toMatchObject({ becomes: "lost", sum: { rounded: 1 } });
    const exactly = await explained("1", "1e-9", "--rounding", "toward-positive", "--opmath", "exact");
    expect(exactly).toMatchObject({ becomes: "moved", sum: { rounded: 1.0078125 } });
    const saturated = await explained("65504", "32", "--format", "fp16", "--overflow", "saturate");
    expect(saturated).toMatchObject({ becomes: "lost", sum: { rounded: 65504 } });
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
      "a weight that is NaN",
      ["nan", "1"],
      /'nan' is invalid for argument 'weight'. expected a finite number/,
    ],
    ["a weight that is infinite", ["-Infinity", "1"], /'-Infinity' is invalid|unknown option/],
    ["an update that is infinite", ["1", "1e999"], /'1e999' is invalid for argument 'update'/],
    ["an empty weight", ["", "1"], /expected a finite number/],
    ["a weight beyond the format", ["65520", "1", "--format", "fp16"], /weight 65520 is Infinity in fp16/],
    ["an update beyond fp32", ["1", "1e39"], /update 1e\+39 is Infinity in fp32/],
    ["an unknown format", ["1", "1", "--format", "fp17"], /unknown format "fp17"/],
    ["no update", ["1"], /missing required argument 'update'/],
  ])("refuses %s", async (_, args, message) => {
    await expectUsageError(["explain", ...args], message);
  });
});
