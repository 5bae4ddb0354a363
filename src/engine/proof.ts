import type { SelfCheck } from "../lens/run/result.js";
import { schemeSettings } from "../update/block-settings.js";
import { type CaseSettings, recipeSettings } from "../update/optimizer.js";
import { type UpdateSettings, updateSettings } from "../update/settings.js";
import type { Engine } from "./engine.js";
import { reference } from "./reference/reference.js";
import { selfCheck } from "./self-check.js";
import { agrees, agreesOn, madeJob } from "./twin-check.js";

/**
 * The cases of a self-check if the caller names none: each scheme and each rounding once, in formats of every kind.
 *
 * @param opmath the opmath of two of them, for engines that support `exact`.
 */
export function provenCases(opmath: UpdateSettings["opmath"]): readonly UpdateSettings[] {
  return [
    updateSettings({ format: "bf16" }),
    updateSettings({ format: "bf16", scheme: "master" }),
    updateSettings({ format: "bf16", rounding: "stochastic" }),
    updateSettings({ format: "bf16", scheme: "kahan" }),
    updateSettings({ format: "fp16", scheme: "two-term" }),
    updateSettings({ format: "e4m3fn", rounding: "to-odd" }),
    updateSettings({ format: "e5m2", rounding: "nearest-away", opmath }),
    updateSettings({ format: "e2m1fn", rounding: "toward-zero" }),
    updateSettings({ format: "e4m3fnuz", rounding: "toward-positive" }),
    updateSettings({ format: "tf32", rounding: "toward-negative", opmath }),
    updateSettings({ format: "fp32" }),
  ];
}

/**
 * The recipes of a self-check if the caller names no cases: they have quotients, roots, fused sums, conditions on
 * settings and on weights, and a tail.
 */
export function provenRecipes(): readonly CaseSettings[] {
  const settings = { lr: 1e-4, weightDecay: 0.01 };
  return [
    recipeSettings("adamw", "torch-2.13-cuda-fused", { format: "fp16", ...settings }),
    recipeSettings("adamw", "collage-plus", { format: "bf16", ...settings }),
    recipeSettings("sgd", "torch-2.13-cpu-foreach", { format: "bf16", ...settings }),
  ];
}

/** The block formats of a self-check if the caller names no cases: MX formats with a master. */
export function provenShared(): readonly CaseSettings[] {
  return [
    schemeSettings({ format: "mxfp8-e4m3", scheme: "master" }),
    schemeSettings({ format: "mxfp8-e5m2:even", scheme: "master", through: "bf16" }),
    schemeSettings({ format: "mxfp4:rceil", scheme: "master" }),
  ];
}

/** The same for blocks divided by chunks, for tensors with a scale, and for schemes that update the codes. */
export function provenBlocks(): readonly CaseSettings[] {
  return [
    schemeSettings({ format: "nvfp4", scheme: "master", through: "bf16" }),
    schemeSettings({ format: "nvfp4:transformer-engine", scheme: "master" }),
    schemeSettings({ format: "fp8-128x128", scheme: "master" }),
    schemeSettings({ format: "mxfp6-e3m2:ceil", scheme: "in-place", rounding: "stochastic" }),
    schemeSettings({ format: "mxfp6-e2m3", scheme: "eco", scales: "kept" }),
  ];
}

/** Memoizes results by name; a call that threw is repeated. */
class Outcomes<T> {
  readonly #known = new Map<string, Promise<T>>();

  of(name: string, make: () => Promise<T>): Promise<T> {
    const outcome = this.#known.get(name) ?? make();
    this.#known.set(name, outcome);
    outcome.catch(() => this.#known.delete(name));
    return outcome;
  }
}

/**
 * The self-check of an engine: the literal hard cases, and for each given case a comparison with the reference. Each
 * runs once, because neither device nor kernels change, and again only if it threw.
 *
 * @param alone whether the engine handles all numbers and draws random ones itself, so that this is checked too.
 */
export function proofOf(
  engine: Engine,
  { alone = false } = {},
): (cases: readonly CaseSettings[]) => Promise<SelfCheck> {
  const literal = new Outcomes<SelfCheck>();
  const twins = new Outcomes<boolean>();
  return async (cases) => {
    let { passed, failed, firstFailure } = await literal.of("", () => selfCheck(engine));
    if (alone) {
      if (await twins.of("", () => agreesOn(engine, reference, madeJob()))) passed += 1;
      else {
        failed += 1;
        firstFailure ??= "drawn weights and updates: other counts than the reference";
      }
    }
    for (const settings of cases) {
      const agreed = () => agrees(engine, reference, [settings], alone);
      if (await twins.of(JSON.stringify(settings), agreed)) passed += 1;
      else {
        failed += 1;
        // Formatted like the literal cases.
        const named = JSON.stringify({ ...settings, format: settings.format.name });
        firstFailure ??= `${named}: other counts than the reference`;
      }
    }
    return { passed, failed, firstFailure };
  };
}
