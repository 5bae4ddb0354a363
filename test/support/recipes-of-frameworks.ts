/** Second derivations of Adam, of torch 1.13's AdamW, and of AdamW outside torch, like those in recipes-by-hand.ts. */

import type { OptimizerName } from "../../src/update/recipe/recipe.js";
import { toBfloat16 as R } from "./bfloat16.js";
import {
  adamwInFp32,
  add,
  derivations as byHand,
  f,
  fma,
  lerp,
  momentsOnCuda,
  powf,
  type Settings,
  type State,
  type Step,
  stochastic,
  times,
  torchScalars,
} from "./recipes-by-hand.js";

const { sqrt } = Math;
const cast = (x: number) => R(f(x));

/** Adam is AdamW without decay, of a gradient to which the decay was added. */
function adam(step: Step, decayed: (p: number, g: number, wd: number, isLeftOver: boolean) => number): Step {
  return (state, g, t, settings, bits, isLeftOver) => {
    const gradient = settings.wd === 0 ? g : decayed(state.P ?? state.p, g, settings.wd, isLeftOver);
    return step(state, gradient, t, { ...settings, wd: 0 }, bits, isLeftOver);
  };
}

const product = (isLeftOver: boolean) => (isLeftOver ? times : (a: number, b: number) => f(a * b));
const l2OnCpu = (p: number, g: number, wd: number, isLeftOver: boolean) =>
  R(f(R(g) + product(isLeftOver)(cast(wd), p)));
const l2OnCuda = (p: number, g: number, wd: number) => R(fma(f(wd), p, R(g)));
const l2InFp32 = (P: number, g: number, wd: number) => f(g + f(f(wd) * P));

/** The fused kernels keep the sum in fp32: no rounding of the gradient after it. */
const fused =
  (step: (state: State, g: number, t: number, settings: Settings) => State): Step =>
  (state, gradient, t, settings) => {
    const g = settings.wd === 0 ? R(gradient) : fma(f(settings.wd), state.p, R(gradient));
    return step(state, g, t, settings);
  };

const fusedOnCpu = fused(({ p, m, v }, g, t, settings) => {
  const { c1, c2, step, root } = torchScalars(t, settings);
  const first = lerp(m, g, c1);
  const second = fma(f(c2 * g), g, f(v * f(settings.b2)));
  const denominator = f(f(f(sqrt(second)) / f(root)) + f(settings.eps));
  return { p: R(f(p + f(f(step * first) / denominator))), m: R(first), v: R(second) };
});

const fusedOnCuda = fused(({ p, m, v }, g, t, { lr, b1, b2, eps }) => {
  const square = f(g * g);
  const first = fma(f(b1), m, fma(-f(b1), g, g));
  const second = fma(f(b2), v, fma(-f(b2), square, square));
  const denominator = f(f(f(sqrt(second)) / f(sqrt(f(1 - powf(b2, t))))) + f(eps));
  const step = f(f(lr) / f(1 - powf(b1, t)));
  return { p: R(f(p - f(f(step * first) / denominator))), m: R(first), v: R(second) };
});

/** Moments as torch 1.13 computes them on the CPU, where scalars of products are cast. */
function oldMoments({ m, v }: State, g: number, { b1, b2 }: Settings, isLeftOver: boolean) {
  return {
    m: R(f(times(m, cast(b1)) + product(isLeftOver)(cast(1 - b1), g))),
    v: R(fma(f(f(1 - b2) * g), g, times(v, cast(b2)))),
  };
}

const denominator = (v: number, root: number, eps: number) => add(R(f(R(f(sqrt(v))) / root)), cast(eps));
const shrunk = (p: number, { lr, wd }: Settings) => (wd === 0 ? p : times(p, cast(1 - lr * wd)));

const oldCpu: Step = ({ p, ...states }, gradient, t, settings, _, isLeftOver) => {
  const { step, root } = torchScalars(t, settings);
  const { m, v } = oldMoments(states, R(gradient), settings, isLeftOver);
  const next = R(f(shrunk(p, settings) + f(f(step * m) / denominator(v, cast(root), settings.eps))));
  return { p: next, m, v };
};

/** AnyPrecision's scalars: the step number is an fp32 tensor. */
const fp32Corrections = (t: number, { lr, b1, b2 }: Settings) => ({
  step: f(-f(lr) / f(1 - powf(b1, t))),
  root: f(sqrt(f(1 - powf(b2, t)))),
});

/** Adds to the compensation and then to the weight; the rounding error is the next compensation. */
function compensated(p: number, k: number) {
  const next = add(p, k);
  return { p: next, k: add(k, add(p, -next)) };
}

const onCuda = (v: number, root: number, eps: number) => R(f(R(f(R(f(sqrt(v))) * f(1 / root))) + f(eps)));
const shrunkOnCuda = (p: number, { lr, wd }: Settings) => (wd === 0 ? p : R(f(p * f(1 - lr * wd))));

const anyPrecision: Step = ({ p, k, m, v }, gradient, t, settings) => {
  const { step, root } = fp32Corrections(t, settings);
  const g = R(gradient);
  const { v: second } = momentsOnCuda({ m, v }, g, settings);
  const first = R(fma(f(1 - settings.b1), g, R(f(m * f(settings.b1)))));
  const pending = R(fma(step, f(first / onCuda(second, root, settings.eps)), k));
  return { ...compensated(shrunkOnCuda(p, settings), pending), m: first, v: second };
};

const anyPrecisionDefaults: Step = ({ p, M, v }, gradient, t, settings) => {
  const { step, root } = fp32Corrections(t, settings);
  const g = R(gradient);
  const { v: second } = momentsOnCuda({ m: 0, v }, g, settings);
  const first = fma(f(1 - settings.b1), g, f(M * f(settings.b1)));
  const ratio = f(first / onCuda(second, root, settings.eps));
  return { p: R(fma(step, ratio, shrunkOnCuda(p, settings))), M: first, v: second };
};

const anyPrecisionOnOldCpu: Step = ({ p, k, ...states }, gradient, t, settings, _, isLeftOver) => {
  const { step, root } = fp32Corrections(t, settings);
  const { m, v } = oldMoments(states, R(gradient), settings, isLeftOver);
  const pending = R(f(k + f(f(step * m) / denominator(v, cast(root), settings.eps))));
  return { ...compensated(shrunk(p, settings), pending), m, v };
};

/** TransformerEngine's adam_update; std::pow takes the float beta to a double. */
function transformerEngine(P: number, m: number, v: number, g: number, t: number, settings: Settings) {
  const { lr, b1, b2, eps, wd } = settings;
  const [beta1, beta2] = [f(b1), f(b2)];
  const M = fma(beta1, m, f(f(1 - beta1) * g));
  const V = fma(beta2, v, f(f(f(1 - beta2) * g) * g));
  const first = f(M / f(torchScalars(t, { ...settings, b1: beta1, lr: 1, wd: 0 }).bc1));
  const corrected = f(V / f(torchScalars(t, { ...settings, b2: beta2, lr: 1, wd: 0 }).bc2));
  const denominator = f(f(sqrt(corrected)) + f(eps));
  return { M, V, P: fma(-f(lr), fma(f(wd), P, f(first / denominator)), P) };
}

/** The upper half of the bits plus one, where the lower half is one or more: ties away from zero. */
function halfAway(x: number): number {
  const word = new Uint32Array(Float32Array.of(x).buffer)[0];
  return new Float32Array(Uint32Array.of(((word + 0x8000) & 0xffff0000) >>> 0).buffer)[0];
}

const heavyball: Step = ({ p, m, v }, gradient, t, { lr, b1, b2, eps, wd }, bits) => {
  const debiased = (beta: number) => f(1 - f(f(1 - f(beta)) / f(1 - powf(beta, t))));
  const g = R(gradient);
  const M = lerp(m, g, f(1 - debiased(b1)));
  const V = lerp(v, f(g * g), f(1 - debiased(b2)));
  const u = f(M / Math.max(f(sqrt(V)), f(eps)));
  const weight = f(f(p * f(1 - f(f(wd) * f(lr)))) + f(u * f(-lr)));
  const first = stochastic(M, bits());
  const second = stochastic(V, bits());
  return { p: stochastic(weight, bits()), m: first, v: second };
};

const { adamw } = byHand;

/** Derivations of every recipe that works weight by weight. */
export const derivations: Readonly<Record<OptimizerName, Readonly<Record<string, Step>>>> = {
  ...byHand,
  adamw: {
    ...adamw,
    "torch-1.13-cpu": oldCpu,
    anyprecision: anyPrecision,
    "anyprecision-defaults": anyPrecisionDefaults,
    "anyprecision-torch-1.13-cpu": anyPrecisionOnOldCpu,
    "transformer-engine-bf16-states": ({ P, m, v }, g, t, settings) => {
      const { M, V, P: next } = transformerEngine(P, m, v, g, t, settings);
      return { p: R(next), P: next, m: R(M), v: R(V) };
    },
    "transformer-engine-remainder": ({ P, M, V }, g, t, settings) => {
      const next = transformerEngine(P, M, V, g, t, settings);
      return { p: halfAway(next.P), ...next };
    },
    "heavyball-stochastic": heavyball,
  },
  adam: {
    "torch-2.13-cpu-for-loop": adam(adamw["torch-2.13-cpu-for-loop"], l2OnCpu),
    "torch-2.13-cpu-foreach": adam(adamw["torch-2.13-cpu-foreach"], l2OnCpu),
    "torch-2.13-cpu-fused": fusedOnCpu,
    "torch-2.13-cuda-for-loop": adam(adamw["torch-2.13-cuda-for-loop"], l2OnCuda),
    "torch-2.13-cuda-foreach": adam(adamw["torch-2.13-cuda-foreach"], l2OnCuda),
    "torch-2.13-cuda-fused": fusedOnCuda,
    "torch-2.13-cuda-capturable": adam(adamw["torch-2.13-cuda-capturable"], l2OnCuda),
    fp32: adam(adamw.fp32, l2InFp32),
    master: adam(adamw.master, l2InFp32),
    "torch-1.13-cpu": adam(oldCpu, l2OnCpu),
  },
  muon: {},
  adafactor: {},
};

/** The intended step of HeavyBall's AdamW, and of Adam. */
export const meantElsewhere: Readonly<Record<string, Step>> = {
  heavyball: ({ P, M, V }, g, t, { lr, b1, b2, eps, wd }) => {
    const debiased = (beta: number) => f(1 - f(f(1 - f(beta)) / f(1 - powf(beta, t))));
    const [first, second] = [lerp(M, g, f(1 - debiased(b1))), lerp(V, f(g * g), f(1 - debiased(b2)))];
    const shrink = f(f(-(lr * wd)) * P);
    const root = f(sqrt(second));
    const part = (d: number) => f(f(f(-lr) * first) / d);
    const adaptive = part(Math.max(root, f(eps)));
    return {
      M: first,
      V: second,
      shrink,
      adaptive,
      u: f(adaptive + shrink),
      unguarded: f(part(root) + shrink),
    };
  },
  adam: ({ P, M, V }, g, t, settings) => {
    const gradient = settings.wd === 0 ? g : l2InFp32(P, g, settings.wd);
    const next = adamwInFp32(P, M, V, gradient, t, { ...settings, wd: 0 });
    const adaptive = f(f(next.step * next.M) / f(next.d + f(settings.eps)));
    return {
      M: next.M,
      V: next.V,
      shrink: 0,
      adaptive,
      u: adaptive,
      unguarded: f(f(next.step * next.M) / next.d),
    };
  },
};
