import { expect, it } from "vitest";
import { compareEnds } from "../../src/lens/compare.js";
import { valuesOf } from "../support/values.js";

it("tells what the stored weights hide from what never changed", async () => {
  const n = 300_001;
  const start = Float64Array.from({ length: n }, (_, i) => i);
  const stored = start.map((x, i) => (i % 3 === 0 ? x + 1 : x));
  const master = start.map((x, i) => (i % 3 === 1 ? x : x + 0.5));
  const third = Math.floor(n / 3);
  expect(await compareEnds(valuesOf(start), valuesOf(stored), valuesOf(master))).toEqual({
    elements: n,
    unchanged: n - Math.ceil(n / 3),
    unchangedInMaster: third,
  });
});
