import { describe, expect, test } from "vitest";
import type { ChunkLens } from "../../src/engine/chunk-lens.js";
import { ReferenceLens } from "../../src/engine/reference/reference-lens.js";
import { WasmLens } from "../../src/engine/wasm/wasm-lens.js";
import { EndTally, Tally, UpdateTally } from "../../src/lens/tally.js";
import { updateSettings } from "../../src/update/settings.js";
import { gaussianRun } from "../support/values.js";

const cases = (["in-place", "kahan"] as const).map((scheme) => updateSettings({ format: "bf16", scheme }));
const { weights, updates } = gaussianRun(4, 5000, 6);
const chunk = { tensor: "w", start: 0, weights: Float64Array.from(weights) };

const lenses: [string, () => Promise<ChunkLens>][] = [
  ["reference", async () => new ReferenceLens(cases)],
  ["wasm", () => WasmLens.create(cases, 8192)],
];

/** What is counted if all is taken after these steps, and at the end. */
async function counted(lens: ChunkLens, takenAfter: readonly number[]): Promise<Tally[]> {
  const tallies = cases.map(() => new Tally());
  await lens.begin(chunk);
  for (const [step, row] of updates.entries()) {
    const ofStep = cases.map(() => new UpdateTally());
    await lens.step(Float32Array.from(row), step, ofStep);
    if (!takenAfter.includes(step)) continue;
    // What a look at the run so far counts goes into nothing else.
    await lens.compare(cases.map(() => ({ end: new EndTally() })));
    await lens.take(tallies);
  }
  await lens.compare(tallies);
  await lens.take(tallies);
  await lens.take(tallies);
  return tallies;
}

describe.each(lenses)("the lens of engine %s", (_, create) => {
  test("counts the same however often it is looked at, and each thing once", async () => {
    const lens = await create();
    const once = await counted(lens, []);
    expect(once[0].elements).toBe(5000);
    expect(once[0].castChanged).toBeGreaterThan(0);
    expect(once[0].probes.ulpRule).toBeGreaterThan(0);
    expect(await counted(lens, [0, 1, 4])).toEqual(once);
    expect(await counted(await create(), [5])).toEqual(once);
  });
});

test("both count the same", async () => {
  const [a, b] = await Promise.all(lenses.map(async ([, create]) => counted(await create(), [2])));
  expect(a.map((tally) => tally.histogram.toJSON())).toEqual(b.map((tally) => tally.histogram.toJSON()));
  expect(a.map(({ probes, castChanged }) => [probes, castChanged])).toEqual(
    b.map(({ probes, castChanged }) => [probes, castChanged]),
  );
});
