import { test } from "vitest";
import { firstOperands } from "../../src/learn/learn.js";
import { divergenceOf, expectNear, ofNumpy } from "./divergence.js";

// A file for each run, which takes two minutes: files run beside each other.
test("KL of sft over all prompts is what a decoder in NumPy finds", async () => {
  expectNear(await divergenceOf("sft", firstOperands.all), ofNumpy.sft.all);
});
