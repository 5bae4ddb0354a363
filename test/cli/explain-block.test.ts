import { describe, expect, test } from "vitest";
import { type BlockExplanation, explainBlock } from "../../src/lens/explain/explain-block.js";
import { expectUsageError, output } from "../support/cli.js";
import { expectValid } from "../support/schemas.js";

async function explained(...args: string[]): Promise<BlockExplanation> {
  const explanation = JSON.parse(await output("explain", ...args, "--json", "-"));
  expectValid("block-explanation", explanation);
  return explanation;
}

const numbers = ({ rules }: BlockExplanation) =>
  Object.fromEntries(rules.map(({ rule, before }) => [rule, before.number]));

describe("explain, of a number in a block", () => {
  test("957 beside 960: 896 by floor, which clips it, 960 by ceil", async () => {
    const args = ["957", "0", "--amax", "960", "--format", "mxfp8-e4m3"];
    const explanation = await explained(...args);
    expect(explanation).toEqual(explainBlock(957, 0, { format: "mxfp8-e4m3", amax: 960 }));
    expect(numbers(explanation)).toMatchObject({ floor: 896, ceil: 960, rceil: 960, even: 896 });
    expect(explanation.rules[0].before).toMatchObject({ scale: 2, scaled: 478.5, clipped: true, code: 0x7e });
    const text = await output("explain", ...args);
    expect(text).toMatch(/floor +2 +478\.5 +0x7e +896 +clipped/);
    expect(text.split("\n").every((line) => line.length <= 80)).toBe(true);
  });

  test("the rule that is asked for comes first", async () => {
    const { rules } = await explained("957", "0", "--amax", "960", "--format", "mxfp8-e4m3:ceil");
    expect(rules.map(({ rule }) => rule)).toEqual(["ceil", "floor", "rceil", "even", "compressed-tensors"]);
  });

  test("an update that takes the scale along: the code stays, the number is another", async () => {
    const { rules } = await explained("1.99", "0.02", "--amax", "1.99", "--format", "mxfp4");
    expect(rules[0]).toMatchObject({
      before: { scale: 0.25, number: 1.5 },
      after: { scale: 0.5, number: 2 },
      becomes: "collateral",
    });
    expect(rules[3]).toMatchObject({ rule: "even", before: { scale: 0.5 }, becomes: "kept" });
  });

  test("a master goes through bf16 if it is told to; in place the stored number is updated", async () => {
    // 1.0625 + 2^-9 is above the midpoint 1.0625 of e4m3fn; as bf16 it is the midpoint.
    const words = ["1.0625", "0.001953125", "--amax", "256", "--format", "mxfp8-e4m3"];
    expect((await explained(...words)).rules[0]).toMatchObject({
      after: { number: 1.125 },
      becomes: "moved",
    });
    expect((await explained(...words, "--through", "bf16")).rules[0]).toMatchObject({ becomes: "kept" });
    expect((await explained(...words, "--scheme", "in-place")).rules[0]).toMatchObject({ becomes: "lost" });
  });

  test("nvfp4 has the largest number of the tensor too", async () => {
    const { tensorAmax, rules } = await explained(
      ...["0.5", "0", "--amax", "3", "--tensor-amax", "2688", "--format", "nvfp4"],
    );
    // 2688 / (6 x 448) = 1; 3 / 6 = 0.5.
    expect(tensorAmax).toBe(2688);
    expect(rules[0].before).toMatchObject({ scale: 0.5, tensorScale: 1, scaled: 1, number: 0.5 });
  });

  test.each([
    [["1", "0", "--format", "mxfp4"], "needs --amax"],
    [["3", "0", "--format", "mxfp4", "--amax", "2"], "expected at least the weight's magnitude 3, found 2"],
    [["1", "0", "--amax", "2"], "--amax, --tensor-amax and --through are for formats with shared scales"],
    [
      ["1", "0", "--format", "mxfp4", "--amax", "2", "--scheme", "kahan"],
      "expected scheme master, in-place or eco",
    ],
    [["1", "0", "--format", "mxfp4:flor", "--amax", "2"], "floor"],
    [["1", "0", "--format", "mxfp4", "--amax", "2", "--rounding", "sr"], "under nearest-even"],
    [["nan", "0", "--format", "mxfp4", "--amax", "2"], "expected at least"],
  ])("%j is refused", async (args, message) => {
    await expectUsageError(["explain", ...args], message);
  });
});
