/**
 * A second derivation of every recipe: the step in JavaScript, from the sources that the recipe names, with bf16 by
 * integers and fma and powers by bigints. Uses no arithmetic of src/.
 */

import type { OptimizerName } from "../../src/update/recipe/recipe.js";
import { toBfloat16 as R } from "./bfloat16.js";

export const f = Math.fround;
const { sign, sqrt } = Math;

/** a b + c of fp32 numbers, rounded once to fp32, ties to even: in units of 2^-298, the square of fp32's. */
export function fma(a: number, b: number, c: number): number {
  const units = (x: number) => BigInt(x * 2 ** 126 * 2 ** 23);
  const sum = units(a) * units(b) + (units(c) << 149n);
  // Signs of zero follow from the fp64 sum: the product is exact there.
  if (sum === 0n) return a * b + c;
  const magnitude = sum < 0n ? -sum : sum;
  const drop = Math.max(149, magnitude.toString(2).length - 24);
  const half = 1n << BigInt(drop - 1);
  const rest = magnitude & ((half << 1n) - 1n);
  let kept = magnitude >> BigInt(drop);
  if (rest > half || (rest === half && kept % 2n === 1n)) kept += 1n;
  return f((sum < 0n ? -1 : 1) * Number(kept) * 2 ** (drop - 298));
}

/** base^n, rounded once to fp64, for a base in (0, 1): Number(bigint) rounds to nearest, ties to even. */
function pow(base: number, n: number): number {
  const exponent = Math.floor(Math.log2(base)) - 52;
  const exact = BigInt(base * 2 ** -exponent) ** BigInt(n);
  // Keep the first 128 bits of a long number, and a sticky bit for the rest.
  const drop = Math.max(0, exact.toString(2).length - 128);
  const kept = exact >> BigInt(drop);
  const rest = exact === kept << BigInt(drop) ? 0n : 1n;
  return Number(2n * kept + rest) * 2 ** (exponent * n + drop - 1);
}

export const powf = (base: number, n: number) => f(pow(f(base), n));

/** torch.lerp in fp32: two branches, exact at both ends. */
export function lerp(from: number, to: number, weight: number): number {
  const difference = f(to - from);
  return weight < 0.5 ? fma(weight, difference, from) : fma(f(weight - 1), difference, to);
}

export interface Settings {
  readonly lr: number;
  readonly b1: number;
  readonly b2: number;
  readonly eps: number;
  readonly wd: number;
}
export type State = Record<string, number>;
/** The states after step t; `bits` gives 32 random bits each time; `isLeftOver`: after the tensor's last whole block of 32. */
export type Step = (
  state: State,
  gradient: number,
  t: number,
  settings: Settings,
  bits: () => number,
  isLeftOver: boolean,
) => State;

/** The scalars of torch.optim.AdamW, in Python's doubles. */
export function torchScalars(t: number, { lr, b1, b2, wd }: Settings) {
  const [bc1, bc2] = [1 - pow(b1, t), 1 - pow(b2, t)];
  return {
    bc1,
    bc2,
    decay: 1 - lr * wd,
    c1: f(1 - b1),
    c2: f(1 - b2),
    step: f(-(lr / bc1)),
    root: sqrt(bc2),
  };
}

/** v.mul_(beta2).addcmul_(g, g, value=1-beta2) on the CPU: value * g first. */
export const secondMomentOnCpu = (v: number, g: number, beta2: number, c2: number) =>
  R(fma(f(c2 * g), g, R(f(v * beta2))));

/** foreach casts the two scalars that multiply a tensor to its dtype first. */
function cpu(cast: (scalar: number) => number): Step {
  return ({ p, m, v }, gradient, t, settings) => {
    const { decay, c1, c2, step, root } = torchScalars(t, settings);
    const g = R(gradient);
    const shrunk = settings.wd === 0 ? p : R(f(p * cast(f(decay))));
    const first = R(lerp(m, g, c1));
    const second = secondMomentOnCpu(v, g, cast(f(settings.b2)), c2);
    const denominator = R(f(R(f(R(f(sqrt(second))) / f(root))) + R(f(settings.eps))));
    return { p: R(f(shrunk + f(f(step * first) / denominator))), m: first, v: second };
  };
}

/** On CUDA: value * (g * g). */
export function momentsOnCuda({ m, v }: State, g: number, { b1, b2 }: Settings) {
  return { m: R(lerp(m, g, f(1 - b1))), v: R(fma(f(1 - b2), f(g * g), R(f(v * f(b2))))) };
}

/** On CUDA: addcdiv by one fma. */
function cuda(correct: (d: number, root: number) => number): Step {
  return ({ p, m, v }, gradient, t, settings) => {
    const { decay, step, root } = torchScalars(t, settings);
    const shrunk = settings.wd === 0 ? p : R(f(p * f(decay)));
    const moments = momentsOnCuda({ m, v }, R(gradient), settings);
    const denominator = R(f(R(correct(R(f(sqrt(moments.v))), root)) + f(settings.eps)));
    return { ...moments, p: R(fma(step, f(moments.m / denominator), shrunk)) };
  };
}

/** foreach with the step number on the device: -lr / bc1 and sqrt(bc2) in fp32, stored; both divide the denominator. */
const cudaCapturable: Step = ({ p, m, v }, gradient, t, settings) => {
  const { lr, b1, b2, eps } = settings;
  const [first, second] = [f(1 - powf(b1, t)), f(1 - powf(b2, t))];
  const moments = momentsOnCuda({ m, v }, R(gradient), settings);
  const shrunk = settings.wd === 0 ? p : R(f(p * f(1 - lr * settings.wd)));
  const corrected = R(f(R(f(sqrt(moments.v))) / R(f(sqrt(second)))));
  const denominator = R(f(R(f(corrected + f(eps))) / R(f(-f(lr) / first))));
  return { ...moments, p: R(f(shrunk + f(moments.m / denominator))) };
};

/** The step in fp32 from fp32 states. */
export function adamwInFp32(P: number, M: number, V: number, g: number, t: number, settings: Settings) {
  const { decay, c1, c2, step, root } = torchScalars(t, settings);
  const first = lerp(M, g, c1);
  const second = fma(f(c2 * g), g, f(V * f(settings.b2)));
  const d = f(f(sqrt(second)) / f(root));
  const shrunk = settings.wd === 0 ? P : f(P * f(decay));
  return { P: f(shrunk + f(f(step * first) / f(d + f(settings.eps)))), M: first, V: second, d, step };
}

function adamwMaster(store: (x: number) => number): Step {
  return ({ P, M, V }, g, t, settings) => {
    const next = adamwInFp32(P, M, V, g, t, settings);
    return { p: store(next.P), P: next.P, M: next.M, V: next.V };
  };
}

/** optimi's debias_beta. */
export const debiased = (beta: number, t: number) => (pow(beta, t) - beta) / (pow(beta, t) - 1);

/** bf16 by adding 16 random bits below the last one and truncating, as torchao does. */
export function stochastic(x: number, bits: number): number {
  const word = new Uint32Array(1);
  const number = new Float32Array(word.buffer);
  number[0] = x;
  word[0] = (word[0] + (bits >>> 16)) & 0xffff0000;
  return number[0];
}

export const add = (a: number, b: number) => R(f(a + b));
export const times = (a: number, b: number) => R(f(a * b));

/** Collage: the second moment as one number or two, then Grow. */
function collage(plus: boolean): Step {
  return ({ p, m, v, dv = 0, r }, gradient, t, { lr, b1, b2, eps, wd }) => {
    const cast = (x: number) => R(f(x));
    const g = cast(gradient);
    const first = add(times(cast(b1), m), times(cast(1 - b1), g));
    const square = times(cast(1 - b2), times(g, g));
    let [second, secondRest] = [0, 0];
    if (plus) {
      const rest2 = cast(b2 - cast(b2));
      const product = times(v, cast(b2));
      const error = R(fma(v, cast(b2), -product));
      const cross = add(error, add(times(v, rest2), times(dv, cast(b2))));
      const decayed = add(product, cross);
      const decayedRest = add(cross, -add(decayed, -product));
      const [large, small] = decayed < square ? [square, decayed] : [decayed, square];
      const grown = add(large, small);
      const rest = add(decayedRest, add(small, -add(grown, -large)));
      second = add(grown, rest);
      secondRest = add(rest, -add(second, -grown));
    } else second = add(times(cast(b2), v), square);
    const corrected = R(f(second / cast(1 - pow(b2, t))));
    const denominator = add(R(f(sqrt(corrected))), cast(eps));
    const adaptive = R(f(R(f(first / cast(1 - pow(b1, t)))) / denominator));
    const update = times(-cast(lr), add(adaptive, times(cast(wd), p)));
    const sum = add(p, update);
    const rest = add(r, add(update, -add(sum, -p)));
    const next = add(sum, rest);
    const nextRest = add(rest, -add(next, -sum));
    const states = { p: next, m: first, v: second, r: nextRest };
    return plus ? { ...states, dv: secondRest } : states;
  };
}

/** SGD on the CPU: scalars are cast to bf16; products of elements left over by vectors are rounded separately. */
function sgdOnCpu(castMomentum: (momentum: number) => number): Step {
  return ({ p, m }, gradient, t, { lr, b1, wd }, _, isLeftOver) => {
    const product = isLeftOver ? times : (a: number, b: number) => f(a * b);
    const given = R(gradient);
    const g = wd === 0 ? given : add(given, product(R(f(wd)), p));
    const velocity = t === 1 ? g : add(times(m, castMomentum(f(b1))), g);
    return { p: add(p, product(-R(f(lr)), velocity)), m: velocity };
  };
}

const sgdOnCuda: Step = ({ p, m }, gradient, t, { lr, b1, wd }) => {
  const g = wd === 0 ? R(gradient) : R(fma(f(wd), p, R(gradient)));
  const velocity = t === 1 ? g : add(times(m, f(b1)), g);
  return { p: R(fma(-f(lr), velocity, p)), m: velocity };
};

export function sgdInFp32(P: number, M: number, g: number, t: number, { lr, b1, wd }: Settings) {
  const gradient = wd === 0 ? g : f(g + f(f(wd) * P));
  const velocity = t === 1 ? gradient : f(f(M * f(b1)) + gradient);
  return { P: f(P + f(f(-lr) * velocity)), M: velocity };
}

export function lionInFp32(P: number, M: number, g: number, { lr, b1, b2, wd }: Settings) {
  const shrunk = wd === 0 ? P : f(P * f(1 - lr * wd));
  const difference = f(g - M);
  return {
    P: f(shrunk + f(f(-lr) * sign(fma(f(1 - b1), difference, M)))),
    M: fma(f(1 - b2), difference, M),
  };
}

function inFp32(
  step: (P: number, M: number, g: number, t: number, settings: Settings) => { P: number; M: number },
  store: (x: number) => number,
): Step {
  return ({ P, M }, g, t, settings) => {
    const next = step(P, M, g, t, settings);
    return { p: store(next.P), ...next };
  };
}
const lionStep = (P: number, M: number, g: number, _: number, settings: Settings) =>
  lionInFp32(P, M, g, settings);
const itself = (x: number) => x;

/** Derivations of AdamW as in current torch releases and published methods, and of SGD and Lion. */
export const derivations = {
  adamw: {
    "torch-2.13-cpu-for-loop": cpu(itself),
    "torch-2.13-cpu-foreach": cpu(R),
    "torch-2.13-cpu-fused": ({ p, m, v }, gradient, t, settings) => {
      const g = R(gradient);
      const { decay, c1, c2, step, root } = torchScalars(t, settings);
      const first = lerp(m, g, c1);
      const second = fma(f(c2 * g), g, f(v * f(settings.b2)));
      const denominator = f(f(f(sqrt(second)) / f(root)) + f(settings.eps));
      const weight = f(f(p * f(decay)) + f(f(step * first) / denominator));
      return { p: R(weight), m: R(first), v: R(second) };
    },
    "torch-2.13-cuda-for-loop": cuda((d, root) => f(d * f(1 / root))),
    "torch-2.13-cuda-foreach": cuda((d, root) => f(d / f(root))),
    "torch-2.13-cuda-fused": ({ p, m, v }, gradient, t, { lr, b1, b2, eps, wd }) => {
      const g = R(gradient);
      const square = f(g * g);
      const shrunk = fma(-f(f(lr) * f(wd)), p, p);
      const first = fma(f(b1), m, fma(-f(b1), g, g));
      const second = fma(f(b2), v, fma(-f(b2), square, square));
      const denominator = f(f(f(sqrt(second)) / f(sqrt(f(1 - powf(b2, t))))) + f(eps));
      const step = f(f(lr) / f(1 - powf(b1, t)));
      return { p: R(f(shrunk - f(f(step * first) / denominator))), m: R(first), v: R(second) };
    },
    "torch-2.13-cuda-capturable": cudaCapturable,
    fp32: adamwMaster(itself),
    master: adamwMaster(R),
    "torchao-stochastic": ({ p, m, v }, gradient, t, { lr, b1, b2, eps, wd }, bits) => {
      const g = R(gradient);
      const shrunk = f(p - f(f(f(lr) * f(wd)) * p));
      const first = lerp(m, g, f(1 - b1));
      const second = lerp(v, f(g * g), f(1 - b2));
      const denominator = f(f(f(sqrt(second)) / f(sqrt(f(1 - powf(b2, t))))) + f(eps));
      const corrected = f(first / f(1 - powf(b1, t)));
      const weight = f(shrunk - f(f(f(lr) * corrected) / denominator));
      return { p: stochastic(weight, bits()), m: R(first), v: R(second) };
    },
    kahan: ({ p, m, v, k }, gradient, t, { lr, b1, b2, eps, wd }) => {
      const g = R(gradient);
      const shrunk = wd === 0 ? p : R(f(p * f(1 - lr * wd)));
      const [beta1, beta2] = [debiased(b1, t), debiased(b2, t)];
      const first = R(lerp(m, g, f(1 - beta1)));
      const second = secondMomentOnCpu(v, g, f(beta2), f(1 - beta2));
      const denominator = add(R(f(sqrt(second))), R(f(eps)));
      const pending = R(f(k + f(f(f(-lr) * first) / denominator)));
      const next = add(shrunk, pending);
      return { p: next, m: first, v: second, k: add(pending, add(shrunk, -next)) };
    },
    "collage-light": collage(false),
    "collage-plus": collage(true),
  },
  sgd: {
    "torch-2.13-cpu-for-loop": sgdOnCpu(itself),
    "torch-2.13-cpu-foreach": sgdOnCpu(R),
    "torch-2.13-cuda-for-loop": sgdOnCuda,
    "torch-2.13-cuda-foreach": sgdOnCuda,
    "torch-2.13-cuda-fused": ({ p, m }, gradient, t, { lr, b1, wd }) => {
      const g = wd === 0 ? R(gradient) : fma(f(wd), p, R(gradient));
      const velocity = t === 1 ? g : f(f(m * f(b1)) + g);
      return { p: R(fma(-f(lr), velocity, p)), m: R(velocity) };
    },
    fp32: inFp32(sgdInFp32, itself),
    master: inFp32(sgdInFp32, R),
  },
  lion: {
    "lion-pytorch": ({ p, m }, gradient, _, { lr, b1, b2, wd }) => {
      const g = R(gradient);
      const shrunk = wd === 0 ? p : R(f(p * f(1 - lr * wd)));
      const direction = R(f(R(f(m * f(b1))) + f(f(1 - b1) * g)));
      return {
        p: R(f(shrunk + f(f(-lr) * sign(direction)))),
        m: R(f(R(f(m * f(b2))) + f(f(1 - b2) * g))),
      };
    },
    fp32: inFp32(lionStep, itself),
    master: inFp32(lionStep, R),
  },
} satisfies Partial<Record<OptimizerName, Readonly<Record<string, Step>>>>;
