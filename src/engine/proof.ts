import type { SelfCheck } from "../lens/result.js";
import type { CaseSettings } from "../update/optimizer.js";
import type { Engine } from "./engine.js";
import { reference } from "./reference/reference.js";
import { selfCheck } from "./self-check.js";
import { agrees } from "./twin-check.js";

/**
 * The self-check of an engine that is a twin of the reference: the literal hard cases, and for each case asked for
 * that it does as the reference does. Done once each, because neither device nor kernels change.
 */
export function proofOf(engine: Engine): (cases: readonly CaseSettings[]) => Promise<SelfCheck> {
  let literal: Promise<SelfCheck> | null = null;
  const twins = new Map<string, Promise<boolean>>();
  return async (cases) => {
    literal ??= selfCheck(engine);
    let { passed, failed, firstFailure } = await literal;
    for (const settings of cases) {
      const key = JSON.stringify(settings);
      const twin = twins.get(key) ?? agrees(engine, reference, [settings]);
      twins.set(key, twin);
      if (await twin) passed += 1;
      else {
        failed += 1;
        const { format, scheme, rounding, opmath } = settings;
        firstFailure ??= `${format.name} ${scheme} ${rounding} ${opmath}: other counts than the reference`;
      }
    }
    return { passed, failed, firstFailure };
  };
}
