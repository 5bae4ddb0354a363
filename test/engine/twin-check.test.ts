import { describe, expect, it } from "vitest";
import type { LensJob } from "../../src/engine/engine.js";
import { reference } from "../../src/engine/reference/reference.js";
import { agrees } from "../../src/engine/twin-check.js";
import type { CaseTally } from "../../src/lens/run/summarize.js";
import { EndTally } from "../../src/lens/tally.js";
import { updateSettings } from "../../src/update/settings.js";

const cases = [updateSettings({ format: "bf16", scheme: "kahan" })];

/** The reference, but for what it says in the end. */
const saying = (change: (tally: CaseTally) => CaseTally) => ({
  run: async (job: LensJob, observer?: Parameters<typeof reference.run>[1]) =>
    (await reference.run(job, observer)).map(change),
});

describe("agrees", () => {
  it("where every count, sum and bit is the specification's", async () => {
    expect(
      await agrees(
        saying((tally) => tally),
        reference,
        cases,
      ),
    ).toBe(true);
  });

  it("not where the comparison at a milestone is that of the end", async () => {
    const late = saying((tally) => {
      const end = new EndTally();
      for (const tensor of tally.tensors) end.merge(tensor.tally.end);
      return { ...tally, curve: tally.curve.map((point) => ({ ...point, end })) };
    });
    expect(await agrees(late, reference, cases)).toBe(false);
  });

  it("not where it is left out", async () => {
    expect(
      await agrees(
        saying((tally) => ({ ...tally, curve: [] })),
        reference,
        cases,
      ),
    ).toBe(false);
  });
});
