import { withTorch113OnCpu } from "./compared.js";
import { fp32Moments, type Recipe, storedMoments } from "./recipe.js";

/** AdamW as implemented outside torch. */

const anyPrecision = {
  optimizer: "adamw",
  source: "pytorch/torchdistx src/python/torchdistx/optimizers/anyprecision_optimizer.py",
  releases: "main (read)",
} as const;

/** The step number is an fp32 tensor on the CPU, so the corrections are fp32. */
const anyPrecisionCorrections = ["bc1 = sub32(1, powf(b1, t))", "s = div32(f32(-lr), bc1)"];
const anyPrecisionRoot = "sqrt32(sub32(1, powf(b2, t)))";

const onCuda = [
  ...anyPrecisionCorrections,
  "decay = f32(1 - lr * wd)",
  "beta1 = f32(b1)",
  "c1 = f32(1 - b1)",
  "beta2 = f32(b2)",
  "c2 = f32(1 - b2)",
  // CUDA multiplies by the reciprocal of a CPU scalar.
  `reciprocal = div32(1, ${anyPrecisionRoot})`,
  "e = f32(eps)",
];
const decayed = ["g = R(g)", "wd != 0: p = R(p * decay)"];
const onCudaDenominator = [
  "v = R(v * beta2)",
  "v = R(fma(c2, g * g, v))",
  "d = R(sqrt(v))",
  "d = R(d * reciprocal)",
  "d = R(d + e)",
];
const compensated = ["before = p", "p = R(p + k)", "k = R(k + R(before - p))"];

const onOldCpu = (product: (term: string) => string) => [
  ...decayed,
  "m = R(m * beta1)",
  `m = R(m + ${product("c1 * g")})`,
  "v = R(v * beta2)",
  "v = R(fma(c2 * g, g, v))",
  "d = R(sqrt(v))",
  "d = R(d / root)",
  "d = R(d + e)",
  "k = R(k + (s * m) / d)",
  ...compensated,
];

/** nvcc fuses the first product of a sum with it; betas and corrections are floats, the powers doubles. */
const transformerEngine = {
  optimizer: "adamw",
  source: "NVIDIA/TransformerEngine transformer_engine/common/multi_tensor/adam.cu",
  releases: "2.20.0.dev0 (read)",
  verified: null,
  scheme: "master",
  carriers: [{ name: "P", from: "weight" }],
  scalars: [
    "beta1 = f32(b1)",
    "beta2 = f32(b2)",
    "c1 = sub32(1, beta1)",
    "c2 = sub32(1, beta2)",
    "bc1 = f32(1 - beta1^t)",
    "bc2 = f32(1 - beta2^t)",
    "e = f32(eps)",
    "s = f32(-lr)",
    "decay = f32(wd)",
  ],
} as const;

const transformerEngineStep = (m: string, v: string) => [
  `M = fma(beta1, ${m}, c1 * g)`,
  `V = fma(beta2, ${v}, (c2 * g) * g)`,
  "d = sqrt(V / bc2) + e",
  "u = fma(decay, P, (M / bc1) / d)",
  "P = fma(s, u, P)",
];

/** The corrections are folded into the betas, so the stored moments are the corrected ones. */
const heavyballScalars = [
  "bt1 = sub32(1, div32(sub32(1, f32(b1)), sub32(1, powf(b1, t))))",
  "bt2 = sub32(1, div32(sub32(1, f32(b2)), sub32(1, powf(b2, t))))",
  "w = sub32(1, bt1)",
  "rest = sub32(w, 1)",
  "w2 = sub32(1, bt2)",
  "rest2 = sub32(w2, 1)",
  "e = f32(eps)",
  "s = f32(-lr)",
];
const heavyballMoments = (m: string, v: string) => [
  `w < 0.5: M = fma(w, g - ${m}, ${m})`,
  `w >= 0.5: M = fma(rest, g - ${m}, g)`,
  `w2 < 0.5: V = fma(w2, g * g - ${v}, ${v})`,
  `w2 >= 0.5: V = fma(rest2, g * g - ${v}, g * g)`,
  "root = sqrt(V)",
  "d = root",
  "d < e: d = e",
];

export const otherFrameworks: readonly Recipe[] = [
  {
    ...anyPrecision,
    name: "anyprecision",
    of: "AnyPrecisionAdamW(use_kahan_summation=True, momentum_dtype=variance_dtype=torch.bfloat16), CUDA: pure bf16",
    verified: null,
    scheme: "kahan",
    moments: storedMoments,
    carriers: [{ name: "k", from: "zero" }],
    scalars: onCuda,
    weight: [
      ...decayed,
      "m = R(m * beta1)",
      "m = R(fma(c1, g, m))",
      ...onCudaDenominator,
      "k = R(fma(s, m / d, k))",
      ...compensated,
    ],
  },
  {
    ...anyPrecision,
    name: "anyprecision-defaults",
    of: "AnyPrecisionAdamW of bf16 weights with its defaults, CUDA: m in fp32, v in bf16, no compensation",
    verified: null,
    scheme: "in-place",
    moments: [
      { name: "M", of: "M" },
      { name: "v", of: "V" },
    ],
    carriers: [],
    scalars: onCuda,
    weight: [
      ...decayed,
      "M = M * beta1",
      "M = fma(c1, g, M)",
      ...onCudaDenominator,
      "p = R(fma(s, M / d, p))",
    ],
  },
  {
    ...anyPrecision,
    name: "anyprecision-torch-1.13-cpu",
    of: "the same as anyprecision on PyTorch 1.13.1, CPU, one thread",
    ...withTorch113OnCpu,
    scheme: "kahan",
    moments: storedMoments,
    carriers: [{ name: "k", from: "zero" }],
    scalars: [
      ...anyPrecisionCorrections,
      "decay = R(1 - lr * wd)",
      "beta1 = R(b1)",
      "c1 = R(1 - b1)",
      "beta2 = R(b2)",
      "c2 = f32(1 - b2)",
      `root = R(${anyPrecisionRoot})`,
      "e = R(eps)",
    ],
    weight: onOldCpu((term) => term),
    tail: { block: 32, weight: onOldCpu((term) => `R(${term})`) },
  },
  {
    ...transformerEngine,
    name: "transformer-engine-bf16-states",
    of: "TransformerEngine's FusedAdam(master_weights=True, exp_avg_dtype=exp_avg_sq_dtype=torch.bfloat16): fp32 weights, bf16 states",
    moments: storedMoments,
    weight: [...transformerEngineStep("m", "v"), "p = R(P)", "m = R(M)", "v = R(V)"],
  },
  {
    ...transformerEngine,
    name: "transformer-engine-remainder",
    of: "TransformerEngine's FusedAdam(store_param_remainders=True): the lower 16 bits of the master beside a bf16 weight that is rounded half away",
    moments: fp32Moments,
    weight: [...transformerEngineStep("M", "V"), "p = A(P)"],
  },
  {
    optimizer: "adamw",
    name: "heavyball-stochastic",
    of: "HeavyBall's AdamW on bf16, its eager sequence: weight and both moments rounded stochastically",
    source: "HomebrewML/HeavyBall heavyball/utils.py, _fused_compilable_adam_",
    releases: "main of 2026-06 (read)",
    verified: null,
    scheme: "in-place",
    moments: storedMoments,
    correctedMoments: true,
    carriers: [],
    scalars: [...heavyballScalars, "decay = sub32(1, mul32(f32(wd), f32(lr)))"],
    meant: {
      scalars: [...heavyballScalars, "shrinking = f32(-(lr * wd))"],
      weight: [
        ...heavyballMoments("M", "V"),
        "shrink = shrinking * P",
        "adaptive = (s * M) / d",
        "u = adaptive + shrink",
        "unguarded = (s * M) / root + shrink",
      ],
    },
    weight: [
      "g = R(g)",
      ...heavyballMoments("m", "v"),
      "m = S(M)",
      "v = S(V)",
      "p = S(p * decay + (M / d) * s)",
    ],
  },
];
