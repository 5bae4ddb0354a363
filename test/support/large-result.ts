import type { HistogramJson } from "../../src/lens/histogram.js";
import type {
  Case,
  CurvePoint,
  End,
  Probes,
  StepCounts,
  Totals,
  UpdateCounts,
} from "../../src/lens/run/case.js";
import type { Result } from "../../src/lens/run/result.js";
import { gaussian } from "./values.js";

/** Shapes of the tensors of a layer of a model of 70 billion weights. */
const layer: readonly (readonly [string, readonly number[]])[] = [
  ["input_layernorm", [8192]],
  ["self_attn.q_proj", [8192, 8192]],
  ["self_attn.k_proj", [1024, 8192]],
  ["self_attn.v_proj", [1024, 8192]],
  ["self_attn.o_proj", [8192, 8192]],
  ["post_attention_layernorm", [8192]],
  ["mlp.gate_proj", [28672, 8192]],
  ["mlp.up_proj", [28672, 8192]],
  ["mlp.down_proj", [8192, 28672]],
];

/**
 * A result of the size of a 70B model's run: 723 tensors in 80 layers, 3 cases, 300 steps. Its numbers are random but
 * consistent like those of a run.
 */
export function largeResult({ layers = 80, steps = 300 } = {}): Result {
  const random = gaussian(7);
  const tensors = [
    { name: "model.embed_tokens.weight", shape: [128256, 8192] },
    ...Array.from({ length: layers }, (_, i) =>
      layer.map(([name, shape]) => ({ name: `model.layers.${i}.${name}.weight`, shape: [...shape] })),
    ).flat(),
    { name: "model.norm.weight", shape: [8192] },
    { name: "lm_head.weight", shape: [128256, 8192] },
  ].map((tensor) => ({ ...tensor, elements: tensor.shape.reduce((product, n) => product * n, 1) }));
  const elements = tensors.reduce((sum, tensor) => sum + tensor.elements, 0);
  const cases = [
    { scheme: "in-place", moved: 0.012, kept: 0, descent: 0.02, curl: 0.004 },
    { scheme: "master", moved: 0.021, kept: 0.95, descent: 0.34, curl: 0.11 },
    { scheme: "kahan", moved: 0.021, kept: 0.94, descent: 0.33, curl: 0.11 },
  ].map((kind): Case => {
    const moved = () => kind.moved * Math.exp(0.25 * random());
    const end = (size: number, t: number) => {
      const changed = Math.min(0.9, kind.curl * Math.sqrt(t) * (1 + 0.05 * random()));
      return endOf(size, changed, kind.descent * Math.min(1, t / 100));
    };
    return {
      format: "bf16",
      rounding: "nearest-even",
      scheme: kind.scheme,
      opmath: "fp32",
      recipe: null,
      ...none,
      totals: {
        ...updatesOf(elements * steps, moved(), kind.kept),
        elements,
        steps,
        castChanged: 0,
      } satisfies Totals,
      end: end(elements, steps),
      probes,
      histogram: histogramOf(elements * steps, kind.kept > 0),
      steps: Array.from({ length: steps }, (_, step) => ({
        ...updatesOf(elements, moved(), kind.kept),
        step,
        parted: null,
      })) satisfies StepCounts[],
      curve: Array.from({ length: steps }, (_, step) => ({
        ...end(elements, step + 1),
        step,
        elements,
      })) satisfies CurvePoint[],
      tensors: tensors.map(({ name, shape, elements: size }) => ({
        name,
        shape,
        ...none,
        totals: { ...updatesOf(size * steps, moved(), kind.kept), elements: size, steps, castChanged: 0 },
        end: end(size, steps),
        probes,
        histogram: histogramOf(size * steps, kind.kept > 0),
      })),
    };
  });
  return {
    schema: "precision-lens/2",
    tool: { name: "precision-lens", version: "0.0.0" },
    input: {
      kind: "recorded",
      weights: "base/",
      updates: "updates/",
      gradients: null,
      tensors: tensors.length,
      elements,
      stepNumbers: Array.from({ length: steps }, (_, step) => step),
      metadata: { run: "drawn" },
    },
    settings: { optimizer: null, overflow: "ieee", seed: 0, strict: false },
    engine: { name: "wasm", device: "CPU", selfCheck: { passed: 39, failed: 0, firstFailure: null } },
    cases,
    skipped: [],
  };
}

const none = { causes: null, moments: [] };

function updatesOf(all: number, moved: number, kept: number): UpdateCounts {
  const counts = {
    none: Math.round(all * 0.004),
    moved: Math.round(all * moved),
    kept: Math.round(all * kept),
  };
  const lost = all - counts.none - counts.moved - counts.kept;
  const [updateSquared, effectiveSquared, product] = [1e-12 * all, 4e-13 * all, 3e-13 * all];
  return {
    ...counts,
    lost,
    collateral: 0,
    nonfinite: 0,
    zeros: counts.none,
    realSparsity: counts.none / all,
    apparentSparsity: 1 - counts.moved / all,
    hiddenShare: (lost + counts.kept) / (all - counts.none),
    updateNorm: Math.sqrt(updateSquared),
    effectiveNorm: Math.sqrt(effectiveSquared),
    effectiveDescent: product / updateSquared,
    sums: { updateSquared: [updateSquared], effectiveSquared: [effectiveSquared], product: [product] },
  };
}

function endOf(elements: number, changed: number, visible: number): End {
  const unchanged = elements - Math.round(elements * changed);
  const neverUpdated = Math.round(unchanged * 0.003);
  return {
    unchanged,
    neverUpdated,
    cancelled: 0,
    hidden: unchanged - neverUpdated,
    returned: Math.round(unchanged * 0.01),
    nonfinite: 0,
    parted: null,
    visible,
    retained: visible,
    noise: 1 - visible,
    noiseToWeight: (1 - visible) / 100,
    sums: {
      displacementSquared: [1],
      product: [visible],
      retainedProduct: [visible],
      noiseSquared: [(1 - visible) ** 2],
      weightSquared: [10_000],
    },
  };
}

function histogramOf(all: number, carrier: boolean): HistogramJson {
  const bins = Array.from({ length: 24 }, (_, i) =>
    Math.round(0.16 * all * Math.exp(-(((i - 11) / 3.5) ** 2))),
  );
  const split = (isInside: (i: number) => boolean) => bins.map((n, i) => (isInside(i) ? n : 0));
  const hidden = split((i) => i < 17);
  const nothing = bins.map(() => 0);
  return {
    firstBin: -18,
    lost: carrier ? nothing : hidden,
    kept: carrier ? hidden : nothing,
    moved: split((i) => i >= 17),
  };
}

const probes: Probes = {
  "path-not-taken": { unchanged: 0, share: 0.9, unchangedButDiffers: 0 },
  "small-subnetworks": { unchanged: 0, share: 0.93, unchangedButDiffers: 20_000_000 },
  "ulp-rule": { lost: 0, share: 0.97, lostButMoved: 0, visibleButUnmoved: 0, disagreement: 0.031 },
};
