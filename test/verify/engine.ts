import type { Engine, LensJob } from "../../src/engine/engine.js";
import { reference } from "../../src/engine/reference/reference.js";
import { wasm } from "../../src/engine/wasm/wasm.js";
import { formats } from "../../src/format/registry.js";
import { overflows, roundings } from "../../src/format/round.js";
import type { SchemeName } from "../../src/update/scheme.js";
import { updateSettings } from "../../src/update/settings.js";
import { adversarialRun } from "../support/adversarial.js";
import { outcomeOf } from "../support/outcome.js";
import { tensorOf } from "../support/values.js";
import type { Count } from "./count.js";

const STEPS = 3;
const everyFormat = [...formats.values()];

/** One format a piece, every rounding and overflow: all counts, sums and stored bits of an engine and of the reference. */
export function engine(scheme: SchemeName, tested: Pick<Engine, "run"> = wasm) {
  return async (piece: number, count: Count): Promise<void> => {
    const format = everyFormat[piece % everyFormat.length]!;
    // From a part of a block to more than one.
    const elements = 1000 + 800 * (piece % 7);
    const { weights, updates } = adversarialRun(
      format,
      Math.imul(piece + 1, 0x9e37_79b1) | 1,
      elements,
      STEPS,
    );
    const cases = roundings.flatMap((rounding) =>
      overflows.map((overflow) => updateSettings({ format, scheme, rounding, overflow, seed: piece })),
    );
    const job: LensJob = { tensors: [tensorOf("w", weights, ...updates)], stepNumbers: [0, 1, 5], cases };
    const [ours, theirs] = [await outcomeOf(tested, job), await outcomeOf(reference, job)];
    for (const [c, { rounding, overflow }] of cases.entries()) {
      count.cases += elements * STEPS;
      if (JSON.stringify(ours[c]) === JSON.stringify(theirs[c])) continue;
      count.miss(() => `piece ${piece}: ${format.name} ${scheme} ${rounding} ${overflow}`);
    }
  };
}
