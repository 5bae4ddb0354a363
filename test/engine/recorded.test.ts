import { describe, expect, it } from "vitest";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import { updateSettings } from "../../src/update/settings.js";
import { everyEngine } from "../support/engines.js";
import { expectedCases } from "../support/expected.js";
import { recorded, recordedWindows } from "../support/recorded.js";
import { sized } from "../support/tier.js";

describe.each(everyEngine)("engine $name on recorded runs", (engine) => {
  // In the quick tier the slow engine takes one window, the fast one all.
  const slow = sized({ quick: engine.name === "reference", full: false });
  it.each(slow ? ["sft/late"] : recordedWindows)(
    "%s: the totals that numpy counted, integers equal, ratios to 1e-12",
    async (window) => {
      const recording = await openRecording(await recordedRun(recorded(window)));
      const expected = expectedCases(window);
      const { tensors, stepNumbers } = recording;
      const settings = expected.map(({ format, scheme }) => updateSettings({ format, scheme }));
      const tallies = await engine.run({ tensors, stepNumbers, cases: settings });
      await recording.close();
      expect(tallies).toHaveLength(7);

      for (const [
        i,
        { format, scheme, end, apparentSparsity, realSparsity, effectiveDescent, ...counts },
      ] of expected.entries()) {
        const found = summarizeCase(tallies[i]);
        expect(found).toMatchObject({ format, scheme, totals: counts, end });
        for (const [name, ratio] of Object.entries({ apparentSparsity, realSparsity, effectiveDescent })) {
          const relative = (found.totals[name as "effectiveDescent"] ?? Number.NaN) / (ratio as number) - 1;
          expect(Math.abs(relative)).toBeLessThan(1e-12);
        }
      }
    },
  );
});
