import { describe, expect, it } from "vitest";
import { quantize, round } from "../../src/index.js";
import { checkEncoding, checkOperation, checkQuantizer, checkRounding } from "../../src/testing/index.js";

const three = 3 as unknown as () => never;

describe("checks refuse in one sentence", () => {
  it.each([
    ["checkRounding", () => checkRounding(three, "bf16")],
    ["checkEncoding", () => checkEncoding(three, "bf16")],
    ["checkOperation", () => checkOperation(three, "add", "bf16")],
    ["checkQuantizer", () => checkQuantizer(three, "mxfp4")],
  ])("what is no function: %s", (_, check) => {
    expect(check).toThrow(new TypeError("expected a function to check, found 3"));
  });

  it("a level that there is not", () => {
    const level = 3 as unknown as 2;
    const refusal = new RangeError("level: expected 1 or 2, found 3");
    expect(() => checkRounding((x) => round(x, "e2m1fn"), "e2m1fn", { level })).toThrow(refusal);
    expect(() => checkQuantizer((data, shape) => quantize(data, shape, "mxfp4"), "mxfp4", { level })).toThrow(
      refusal,
    );
  });
});
