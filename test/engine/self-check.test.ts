import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { engines } from "../../src/engine/registry.js";
import { selfCheck } from "../../src/engine/self-check.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";
import { everyEngine } from "../support/engines.js";
import { fullTier } from "../support/tier.js";

/** An engine that computes something else than it was asked for. */
function wrong(change: Parameters<typeof updateSettings>[0] | object): Engine {
  const reference = engines.get("reference")!;
  return {
    ...reference,
    run: (job, observer) =>
      reference.run(
        {
          ...job,
          cases: job.cases.map((settings) => updateSettings({ ...(settings as UpdateOptions), ...change })),
        },
        observer,
      ),
  };
}

describe("self-check", () => {
  it.each(everyEngine)("passes on engine $name", async (engine) => {
    expect(await engine.selfCheck([])).toEqual({ passed: 34, failed: 0, firstFailure: null });
    // Every kind of case, for seconds: a command proves those of its own job.
    if (fullTier) expect(await engine.selfCheck()).toMatchObject({ failed: 0, firstFailure: null });
  });

  it.each([
    ["ties that go away from zero", { rounding: "nearest-away" }],
    ["truncation", { rounding: "toward-zero" }],
    ["saturation for overflow", { overflow: "saturate" }],
    ["one rounding where fp32 opmath means two", { opmath: "exact" }],
    ["two roundings where exact means one", { opmath: "fp32" }],
    ["a carrier that is forgotten", { scheme: "in-place" }],
    ["another format", { format: "bf16" }],
  ])("catches %s", async (_, change) => {
    const { failed, firstFailure } = await selfCheck(wrong(change));
    expect(failed).toBeGreaterThan(0);
    expect(firstFailure).toMatch(/^\{"format":/);
  });
});
