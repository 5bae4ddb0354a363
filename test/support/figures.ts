import { deltaCosts, sentNumbers } from "../../src/lens/difference/delta.js";
import { DifferenceTally } from "../../src/lens/difference/difference.js";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import { summarizeDifference } from "../../src/lens/difference/summarize-difference.js";
import type { Case } from "../../src/lens/run/case.js";
import type { Result } from "../../src/lens/run/result.js";
import { largeResult } from "./large-result.js";
import { caseOf, renamed, resultOf } from "./results.js";

/** Characters that end an element, an attribute, a script or a style, and what they would begin. */
export const hostileName = `</script><img src=x onerror="hacked=1">'"&</title></svg><script>hacked=2</script>]]>{{7*7}}`;

/** A comparison of 4 layers, its counts from a formula; hidden weights are known or not. */
export function differenceResult({ hidden = false, name = "model" } = {}): DifferenceResult {
  const kinds = ["self_attn.q_proj", "self_attn.o_proj", "mlp.down_proj", "input_layernorm"];
  const pairs = [0, 1, 2, 3].flatMap((layer) =>
    kinds.map((kind, k) => {
      const elements = k === 3 ? 64 : 4096;
      const changed = Math.floor((elements * (1 + ((layer * 5 + k * 3) % 7))) / 20);
      const unchanged = elements - changed;
      const tally = Object.assign(new DifferenceTally(), {
        elements,
        unchanged,
        bytesChanged: changed,
        hidden: hidden ? unchanged - layer : 0,
        signFlips: layer,
        pathNotTaken: unchanged,
        smallSubnetworks: unchanged + Math.floor(changed / 9),
      });
      const near = Math.floor(changed / 2);
      tally.distances.set([near, changed - near - 1, 0, 1]);
      const formats = { before: "bf16", after: hidden ? "fp32" : "bf16", compared: "bf16" };
      const tells = { hidden, updates: false };
      return { name: `${name}.layers.${layer}.${kind}.weight`, shape: [elements], formats, tells, tally };
    }),
  );
  const summary = summarizeDifference(pairs);
  const bytes = { full: 1000, gapValue: 300, maskValue: 250 };
  const sample = { chunks: 1, elements: 500, changed: 50, plain: bytes, gzip: bytes, zstd: null };
  return {
    schema: "precision-lens-diff/2",
    tool: { name: "precision-lens", version: "0.0.0" },
    input: { before: { path: "base", kind: "checkpoint" }, after: { path: "tuned", kind: "checkpoint" } },
    settings: { view: null, strict: false, seed: 0 },
    unknown: { hidden: hidden ? null : "both store bf16", realSparsity: "two checkpoints do not tell" },
    ...summary,
    delta: deltaCosts(summary.tensors.map(sentNumbers), sample, "no zstd here"),
    skipped: [],
  };
}

/** A run of three cases, small enough for visual inspection. */
export function smallResult(): Result {
  return largeResult({ layers: 3, steps: 12 });
}

const weights = [1, -1, 0.5, 2];

export async function oneStepResult(): Promise<Result> {
  return resultOf([await caseOf(weights, [1, 1e-4, 0, 2 ** -20])]);
}

/** A result whose every text is {@link hostileName}. */
export async function hostileResult(): Promise<Result> {
  const hostile = await caseOf(weights, [1, 1, 0, 2 ** -20]);
  return resultOf([{ ...renamed(hostile, hostileName), format: hostileName } as Case], {
    tool: { name: hostileName, version: hostileName },
    skipped: [{ name: hostileName, reason: hostileName }],
    input: {
      ...resultOf([hostile]).input,
      weights: hostileName,
      updates: hostileName,
      metadata: { [hostileName]: hostileName },
    },
  });
}

/** Extreme but valid results. */
export async function oddResults(): Promise<Record<string, Result>> {
  const many = await Promise.all(
    ["bf16", "fp16", "e4m3fn", "e5m2", "e2m1fn", "tf32"].flatMap((format) =>
      (["in-place", "master", "kahan", "two-term"] as const).map((scheme) =>
        caseOf(weights, [1e-3, 1e-3, 0, 2e-4], { format, scheme }),
      ),
    ),
  );
  return {
    "one step": await oneStepResult(),
    "nothing but zeros": resultOf([await caseOf(weights, [0, 0, -0, 0])]),
    "nothing finite": resultOf([await caseOf([Number.NaN], [1])]),
    "all moved": resultOf([await caseOf(weights, [1, 1, 1, 1])]),
    "all lost": resultOf([await caseOf(weights, [1e-9, 1e-9, 1e-9, 1e-9])]),
    "twenty-four cases": resultOf(many),
    hostile: await hostileResult(),
  };
}
