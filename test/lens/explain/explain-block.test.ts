import { describe, expect, it, test } from "vitest";
import { type ExplainBlockOptions, explainBlock } from "../../../src/lens/explain/explain-block.js";
import { expectValid } from "../../support/schemas.js";

function explained(weight: number, update: number, options: ExplainBlockOptions) {
  const explanation = explainBlock(weight, update, options);
  expectValid("block-explanation", JSON.parse(JSON.stringify(explanation)));
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  return explanation;
}

/** What the rule that was asked for makes of it. */
const asked = (weight: number, update: number, options: ExplainBlockOptions) =>
  explained(weight, update, options).rules[0];

const mxfp8 = "mxfp8-e4m3";

describe("one number of a block", () => {
  it("957 beside 960 in mxfp8: by hand under two of the rules", () => {
    const { rules, ...rest } = explained(957, 0, { format: mxfp8, amax: 960 });
    expect(rest).toEqual({
      schema: "precision-lens-block-explanation/1",
      format: mxfp8,
      element: "e4m3fn",
      block: { rows: 1, columns: 32, scale: "e8m0fnu" },
      scheme: "master",
      through: null,
      weight: 957,
      update: 0,
      amax: 960,
      tensorAmax: null,
    });
    expect(rules.map(({ rule }) => rule)).toEqual(["floor", "ceil", "rceil", "even", "compressed-tensors"]);
    // 960 is 1.875 x 2^9 and the largest element 448 is 1.75 x 2^8: so 2, and twice that where nothing may be clipped.
    const clipped = {
      ...{ scale: 2, tensorScale: null, scaled: 478.5, clipped: true },
      ...{ code: 0x7e, element: 448, number: 896, gap: 32 * 2 },
    };
    expect(rules[0]).toEqual({ rule: "floor", before: clipped, after: clipped, becomes: "none" });
    const fits = {
      ...{ scale: 4, tensorScale: null, scaled: 239.25, clipped: false },
      ...{ code: 0x77, element: 240, number: 960, gap: 16 * 4 },
    };
    expect(rules[2]).toEqual({ rule: "rceil", before: fits, after: fits, becomes: "none" });
  });

  it("the largest element is not clipped, and its negative is like it", () => {
    const of = (weight: number) => asked(weight, 0, { format: mxfp8, amax: 960 }).before;
    expect(of(896)).toMatchObject({ scaled: 448, clipped: false, code: 0x7e, number: 896 });
    expect(of(-896)).toMatchObject({ scaled: -448, clipped: false, code: 0xfe, number: -896 });
    expect(of(-957)).toMatchObject({ scaled: -478.5, clipped: true, code: 0xfe, number: -896, gap: 64 });
  });

  it("the rule that is asked for comes first, and the format has its name", () => {
    const { format, rules } = explained(1, 0, { format: "mxfp4:rceil", amax: 1 });
    expect(format).toBe("mxfp4:rceil");
    expect(rules.map(({ rule }) => rule)).toEqual(["rceil", "floor", "ceil", "even", "compressed-tensors"]);
    const nvfp4 = explained(1, 0, { format: "nvfp4:transformer-engine", amax: 1 });
    expect(nvfp4).toMatchObject({
      element: "e2m1fn",
      block: { rows: 1, columns: 16, scale: "e4m3fn" },
      tensorAmax: 1,
    });
    expect(nvfp4.rules.map(({ rule }) => rule)).toEqual(["transformer-engine", "torchao"]);
  });

  it("all numbers are fp32 first", () => {
    expect(explained(0.1, 1e-9, { format: mxfp8, amax: 0.3 })).toMatchObject({
      weight: Math.fround(0.1),
      update: Math.fround(1e-9),
      amax: Math.fround(0.3),
    });
    const tensorAmax = explained(0.1, 0, { format: "nvfp4", amax: 0.3, tensorAmax: 0.7 }).tensorAmax;
    expect(tensorAmax).toBe(Math.fround(0.7));
    // As fp32, the two are the same number.
    expect(explained(1 + 2 ** -30, 0, { format: mxfp8, amax: 1 }).weight).toBe(1);
  });

  it("zero, NaN and infinity by name, and no gap where a scale is none", () => {
    expect(asked(-1e-9, 0, { format: "mxfp4", amax: 6 }).before).toMatchObject({
      code: 8,
      element: "-0",
      number: "-0",
      gap: 0.5,
    });
    // A block with an infinity has the scale NaN, and codes of 0.
    expect(asked(1, 0, { format: mxfp8, amax: Number.POSITIVE_INFINITY })).toMatchObject({
      before: { scale: "NaN", scaled: "NaN", clipped: false, code: 0, element: 0, number: "NaN", gap: null },
      becomes: "nonfinite",
    });
    // By this rule the scale is infinite; e4m3fn has a NaN for infinity over infinity.
    expect(
      asked(Number.POSITIVE_INFINITY, 0, { format: "fp8-128x128", amax: Number.POSITIVE_INFINITY }).before,
    ).toMatchObject({
      scale: "Infinity",
      scaled: "NaN",
      code: 0x7f,
      element: "NaN",
      number: "NaN",
      gap: null,
    });
  });
});

describe("the scale of a tensor", () => {
  // nvfp4: the tensor's largest over 6 x 448 = 2688, in which block scales are told.
  it("follows from the tensor's largest, which is that of the block unless given", () => {
    expect(asked(3, 0, { format: "nvfp4", amax: 6, tensorAmax: 2688 }).before).toEqual({
      ...{ scale: 1, tensorScale: 1, scaled: 3, clipped: false },
      ...{ code: 5, element: 3, number: 3, gap: 1 },
    });
    // Half of the number for the tensor, so twice the number for the block.
    expect(asked(3, 0, { format: "nvfp4", amax: 6, tensorAmax: 1344 }).before).toMatchObject({
      scale: 2,
      tensorScale: 0.5,
      scaled: 3,
      gap: 1,
    });
    expect(explained(3, 0, { format: "nvfp4", amax: 5376 })).toMatchObject({
      tensorAmax: 5376,
      rules: [{ before: { scale: 448, tensorScale: 2 } }, {}],
    });
  });

  it("moves with the number that is the largest of all", () => {
    const { before, after, becomes } = asked(2688, 2688, { format: "nvfp4", amax: 2688 });
    expect(before).toMatchObject({ scale: 448, tensorScale: 1, element: 6, number: 2688, gap: 2 * 448 });
    expect(after).toMatchObject({ scale: 448, tensorScale: 2, element: 6, number: 5376, gap: 2 * 896 });
    // Under the old scale the code would have been the largest too.
    expect(becomes).toBe("collateral");
    const shrinks = asked(2688, -1344, { format: "nvfp4", amax: 2688 });
    expect(shrinks.after).toMatchObject({ scale: 448, tensorScale: 0.5, element: 6, number: 1344 });
    expect(shrinks.becomes).toBe("moved");
  });

  it("stays where another number of the tensor is as large or larger", () => {
    const larger = asked(2688, -1344, { format: "nvfp4", amax: 2688, tensorAmax: 5376 });
    expect(larger.before).toMatchObject({ scale: 224, tensorScale: 2, number: 2688 });
    expect(larger.after).toMatchObject({ scale: 112, tensorScale: 2, number: 1344 });
    const beside = asked(1344, -672, { format: "nvfp4", amax: 2688 });
    expect([beside.before, beside.after]).toMatchObject([
      { scale: 448, tensorScale: 1, element: 3, number: 1344 },
      { scale: 448, tensorScale: 1, element: 1.5, number: 672 },
    ]);
  });

  it("is that of the other number until the weight outgrows it", () => {
    const grown = asked(1344, 4032, { format: "nvfp4", amax: 2688 });
    expect(grown.after).toMatchObject({ tensorScale: 2, number: 5376 });
    const negative = asked(-1344, -4032, { format: "nvfp4", amax: 2688 });
    expect(negative.after).toMatchObject({ tensorScale: 2, number: -5376 });
  });
});

describe("an update", () => {
  // Under a scale of 1 e4m3fn has 1, 1.125 and 1.25.
  const options = { format: mxfp8, amax: 256 };

  it.each([
    ["of zero is none", 1.0625, 0, "none"],
    ["past the middle moves", 1.0625, 2 ** -9, "moved"],
    ["short of it is kept by the master", 1, 2 ** -9, "kept"],
    ["smaller than fp32 can add is lost", 1, 2 ** -30, "lost"],
    ["to infinity is nonfinite", 1, Number.POSITIVE_INFINITY, "nonfinite"],
  ])("%s", (_, weight, update, becomes) => {
    expect(asked(weight, update, options).becomes).toBe(becomes);
  });

  it("of the weight leaves the other number alone", () => {
    expect(asked(1, 0.125, options)).toMatchObject({
      before: { scale: 1, number: 1, code: 0x38 },
      after: { scale: 1, number: 1.125, code: 0x39, scaled: 1.125 },
      becomes: "moved",
    });
    // Beyond it, the weight makes the scale.
    expect(asked(1, 511, options).after).toMatchObject({ scale: 2, number: 512, scaled: 256 });
  });

  it("of the largest takes the scale along: its code stays, its number is another", () => {
    // 1.99 and 2.01 over the largest element of mxfp4 are 1/4 and 1/2 by the exponent; clipped to 6 and 4 of them.
    expect(asked(1.99, 0.02, { format: "mxfp4", amax: 1.99 })).toMatchObject({
      before: { scale: 0.25, number: 1.5, code: 7 },
      after: { scale: 0.5, number: 2, code: 6 },
      becomes: "collateral",
    });
    expect(asked(-1.99, -0.02, { format: "mxfp4", amax: 1.99 })).toMatchObject({
      before: { scale: 0.25, number: -1.5, code: 15 },
      after: { scale: 0.5, number: -2, code: 14 },
      becomes: "collateral",
    });
  });

  it("goes to the stored number in-place, and to what momentum returns by eco", () => {
    const inPlace = explained(1.0625, 2 ** -9, { ...options, scheme: "in-place" });
    expect(inPlace).toMatchObject({ scheme: "in-place", through: null });
    // Stored is the even one of 1 and 1.125, and what was dropped is gone.
    expect(inPlace.rules[0]).toMatchObject({
      before: { scaled: 1.0625, number: 1 },
      after: { scaled: 1 + 2 ** -9, number: 1 },
      becomes: "lost",
    });
    const eco = explained(1, 2 ** -9, { ...options, scheme: "eco" });
    expect(eco.scheme).toBe("eco");
    expect(eco.rules[0].becomes).toBe("kept");
  });

  it("is rounded on its way where a master goes through another format", () => {
    const through = explained(1.0625, 2 ** -9, { ...options, through: "bf16" });
    expect(through).toMatchObject({ scheme: "master", through: "bf16" });
    // 1.0625 + 2^-9 is 1.0625 in bf16, the middle, which goes to the even 1.
    expect(through.rules[0]).toMatchObject({ after: { scaled: 1.0625, number: 1 }, becomes: "kept" });
    // So is the tensor's largest: 2689 is 2688 in bf16.
    const nvfp4 = { format: "nvfp4", amax: 6, tensorAmax: 2689 };
    expect(asked(3, 0, { ...nvfp4, through: "bf16" }).before.tensorScale).toBe(1);
    expect(asked(3, 0, nvfp4).before.tensorScale).toBe(Math.fround(2689 / 2688));
  });
});

describe("refusals", () => {
  test.each([
    ["amax: expected at least the weight's magnitude 3, found 2", -3, { format: "mxfp4", amax: 2 }],
    ["amax: expected at least the weight's magnitude NaN, found 2", Number.NaN, { format: "mxfp4", amax: 2 }],
    ["amax: expected at least the weight's magnitude 1, found NaN", 1, { format: "mxfp4", amax: Number.NaN }],
    [
      "tensorAmax: expected at least that of the block, 2, found 1",
      1,
      { format: "nvfp4", amax: 2, tensorAmax: 1 },
    ],
    [
      "tensorAmax: expected at least that of the block, 2, found NaN",
      1,
      { format: "nvfp4", amax: 2, tensorAmax: Number.NaN },
    ],
  ])("%s", (message, weight, options) => {
    expect(() => explainBlock(weight, 0, options)).toThrow(new RangeError(message));
  });

  it("of formats without shared scales, and of schemes that these do not have", () => {
    expect(() => explainBlock(1, 0, { format: "bf16", amax: 1 })).toThrow("block format");
    expect(() => explainBlock(1, 0, { format: "mxfp4", amax: 1, scheme: "kahan" })).toThrow(
      "mxfp4 has shared scales: expected scheme master, in-place or eco, found kahan",
    );
  });

  it("not of magnitudes that are just as large", () => {
    expect(explainBlock(-3, 0, { format: "nvfp4", amax: 3, tensorAmax: 3 }).tensorAmax).toBe(3);
  });
});
