import { type LensOptions, lens } from "../../src/engine/lens.js";
import type { Case } from "../../src/lens/run/case.js";
import type { Result } from "../../src/lens/run/result.js";

/** A case counted from fp32 weights, and the updates of one step. */
export function caseOf(
  weights: readonly number[],
  updates: readonly number[],
  options: LensOptions = {},
): Promise<Case> {
  const data = Float32Array.from(weights);
  return lens({ format: "fp32", data }, Float32Array.from(updates), { format: "bf16", ...options });
}

/** A result of these cases. */
export function resultOf(cases: readonly Case[], changes: Partial<Result> = {}): Result {
  const [{ tensors, steps, totals }] = cases;
  return {
    schema: "precision-lens/2",
    tool: { name: "precision-lens", version: "0.0.0" },
    input: {
      kind: "arrays",
      weights: null,
      updates: null,
      gradients: null,
      tensors: tensors.length,
      elements: totals.elements,
      stepNumbers: steps.map(({ step }) => step),
      metadata: {},
    },
    settings: { optimizer: null, overflow: "ieee", seed: 0, strict: false },
    engine: { name: "reference", device: "CPU", selfCheck: { passed: 1, failed: 0, firstFailure: null } },
    cases,
    skipped: [],
    ...changes,
  };
}

/** The case with another name for its one tensor. */
export function renamed(caseResult: Case, name: string): Case {
  return { ...caseResult, tensors: caseResult.tensors.map((tensor) => ({ ...tensor, name })) };
}
