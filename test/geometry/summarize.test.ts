import { expect, test } from "vitest";
import { allUnknown, alone, measure } from "../../src/geometry/measures.js";
import { summarizeGeometry } from "../../src/geometry/summarize.js";
import { measureNames, type TensorGeometry } from "../../src/lens/geometry-result.js";

const matrix = (
  name: string,
  shape: readonly [number, number],
  size: number,
  rank?: number,
): TensorGeometry => ({
  ...{ name, shape, kind: "q", stack: "model.layers", layer: Number(name), spectrum: null, profiles: null },
  measures: {
    ...allUnknown(measureNames, "nothing changed"),
    size: alone(size, "no rates"),
    changed: alone(size / 2, "no rates"),
    ...(rank !== undefined && { stableRank: measure(rank, "signs", 8) }),
  },
});

test("means of size and change are over all matrices, unchanged ones too; of the rest over those that have it", () => {
  const tensors = [matrix("0", [10, 10], 0.4, 2), matrix("1", [10, 10], 0), matrix("2", [30, 10], 0)];
  const { totals } = summarizeGeometry(tensors, { layers: 3, of: 3 });
  expect(totals.measures.size).toMatchObject({ measured: 0.4 / 3, tensors: 3 });
  expect(totals.measures.changed).toMatchObject({ measured: 0.2 / 3, tensors: 3 });
  expect(totals.weighted.changed.measured).toBeCloseTo((0.2 * 100) / 500, 12);
  expect(totals.measures.stableRank).toMatchObject({ measured: 2, expected: 8, ratio: 0.25, tensors: 1 });
  expect(totals.measures.drift).toMatchObject({ measured: null, reason: "nothing changed", tensors: 0 });
});

test("an expectation that is no number leaves the measured value alone", () => {
  expect(measure(0.5, "storage", Number.NaN)).toEqual({
    ...{ measured: 0.5, expected: null, null: null, ratio: null },
    reason: "its expectation is not a finite number",
  });
});
