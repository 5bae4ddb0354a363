import { describe, expect, it } from "vitest";
import { EndTally, MomentTally, Tally, UpdateTally } from "../../src/lens/tally.js";

/** A tally with another number in every count, so that no two can be taken for each other. */
function tallyFrom(first: number): Tally {
  let next = first;
  const count = () => next++;
  const tally = new Tally();
  tally.elements = count();
  tally.castChanged = count();
  for (const part of [tally.updates, tally.end, tally.probes, tally.recipe.causes]) {
    const counts = part as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(counts)) if (value === 0) counts[name] = count();
  }
  tally.updates.parted = count();
  tally.end.parted = count();
  for (const { updateSquared, effectiveSquared, product } of [tally.updates]) {
    for (const sum of [updateSquared, effectiveSquared, product]) sum.add(count());
  }
  for (const sum of [tally.end.displacementSquared, tally.end.product]) sum.add(count());
  tally.histogram.add("kept", -3, count());
  tally.recipe.mergeMoments(["m", "v"].map((name) => momentFrom(name, count)));
  return tally;
}

function momentFrom(name: string, count: () => number): MomentTally {
  const counts = { none: count(), lost: count(), kept: count(), moved: count(), nonfinite: count() };
  return Object.assign(new MomentTally(name), counts);
}

/** Every number of a tally, by its path. */
function numbersOf({ elements, castChanged, updates, end, probes, histogram, recipe }: Tally) {
  return {
    elements,
    castChanged,
    updates: {
      ...updates,
      sums: [updates.updateSquared, updates.effectiveSquared, updates.product].map(value),
    },
    end: { ...end, sums: [end.displacementSquared, end.product].map(value) },
    probes: { ...probes },
    histogram: histogram.toJSON(),
    causes: { ...recipe.causes },
    moments: recipe.moments.map((moment) => ({ ...moment })),
  };
}
const value = (sum: { value(): number }) => sum.value();

/** Both numbers of each place of two trees added; all else must be the same. */
function added(a: unknown, b: unknown): unknown {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (Array.isArray(a) && Array.isArray(b)) return a.map((item, i) => added(item, b[i]));
  if (a === null || typeof a !== "object") return a;
  const other = b as Record<string, unknown>;
  return Object.fromEntries(Object.entries(a).map(([name, item]) => [name, added(item, other[name])]));
}

describe("Tally.merge", () => {
  it("adds every count and every sum", () => {
    const [merged, other] = [tallyFrom(1), tallyFrom(1000)];
    merged.merge(other);
    // The exact sums themselves are compared by their values.
    const without = ({ histogram, ...counts }: ReturnType<typeof numbersOf>) =>
      JSON.parse(JSON.stringify(counts));
    const expected = added(without(numbersOf(tallyFrom(1))), without(numbersOf(tallyFrom(1000))));
    expect(without(numbersOf(merged))).toEqual(expected);
    const [kept] = numbersOf(tallyFrom(1)).histogram.kept;
    const [more] = numbersOf(tallyFrom(1000)).histogram.kept;
    expect(merged.histogram.toJSON()).toEqual({ firstBin: -3, lost: [0], kept: [kept + more], moved: [0] });
  });

  it("into an empty one is the other, with nothing compared and nothing summed", () => {
    const merged = new Tally();
    merged.merge(tallyFrom(7));
    expect(numbersOf(merged)).toEqual(numbersOf(tallyFrom(7)));
    const nothing = numbersOf(new Tally());
    expect(nothing.updates.parted).toBeNull();
    expect(nothing.end.parted).toBeNull();
    expect(nothing.moments).toEqual([]);
    expect(nothing.causes).toEqual({
      gradient: 0,
      weightDecay: 0,
      momentUnderflow: 0,
      epsilon: 0,
      storage: 0,
    });
  });

  it("keeps moments apart by name, and does not hand out the other's", () => {
    const [merged, other] = [new Tally(), new Tally()];
    const counts = () => 2;
    merged.recipe.mergeMoments([momentFrom("m", counts)]);
    other.recipe.mergeMoments([momentFrom("v", counts), momentFrom("m", counts)]);
    merged.merge(other);
    merged.merge(other);
    expect(merged.recipe.moments.map(({ name, lost }) => [name, lost])).toEqual([
      ["m", 6],
      ["v", 4],
    ]);
    expect(other.recipe.moments.map(({ lost }) => lost)).toEqual([2, 2]);
  });

  it.each([
    [null, null, null],
    [null, 0, 0],
    [3, null, 3],
    [3, 4, 7],
  ])("what parted: %s and %s make %s", (a, b, expected) => {
    const [merged, other] = [new UpdateTally(), new UpdateTally()];
    merged.parted = a;
    other.parted = b;
    merged.merge(other);
    expect(merged.parted).toBe(expected);
  });
});

it("unchanged weights are hidden where fp32 changed them, and cancelled where it came back though they were updated", () => {
  const end = new EndTally();
  // Of 10, fp32 has 4 as at their start, 3 of them never updated.
  end.addUnchanged(10, 4, 3);
  end.addUnchanged(5, 5, 1);
  const { unchanged, neverUpdated, cancelled, hidden } = end;
  expect({ unchanged, neverUpdated, cancelled, hidden }).toEqual({
    unchanged: 15,
    neverUpdated: 4,
    cancelled: 1 + 4,
    hidden: 6,
  });
});
