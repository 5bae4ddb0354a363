import { fp32Moments, type Recipe } from "./recipe.js";
import { elementsOf, type Whole } from "./whole.js";

/**
 * AdamW8bit of bitsandbytes: each moment is an 8-bit code into a table of 256 numbers from -1 to 1 (for v, 0
 * to 1), times the largest magnitude of its block of 256. Here a moment is its decoded fp32 number.
 */

const { fround } = Math;
const block = 256;
/** Smaller tensors keep 32-bit states. */
const fewest = 4096;

/**
 * The table of a moment: bitsandbytes/functional.py, create_dynamic_map. The means of equal parts of .1 to 1
 * times powers of ten, 0, and 1. torch.linspace differs in the last bit between releases and processors, and
 * so do a sixth of the table entries (44 and 46 of 256 for torch 1.13.1 with AVX2); these follow its formula.
 */
export function dynamicMap(signed: boolean): Float32Array {
  const numbers = [0, 1];
  const from = fround(0.1);
  for (let i = 0; i < 7; i++) {
    const parts = 2 ** (signed ? i : i + 1);
    const step = fround(fround(1 - from) / parts);
    const boundary = (j: number) =>
      j < (parts + 1) >> 1 ? fround(from + fround(step * j)) : fround(1 - fround(step * (parts - j)));
    for (let j = 0; j < parts; j++) {
      const mean = fround(fround(boundary(j) + boundary(j + 1)) / 2);
      const number = fround(fround(10 ** (i - 6)) * mean);
      numbers.push(number, ...(signed ? [-number] : []));
    }
  }
  return Float32Array.from(numbers).sort();
}

const ofM = dynamicMap(true);
const ofV = dynamicMap(false);

/** The code of the nearest table entry, by the kernel's search: quantize_2D. */
export function nearestCode(x: number, table: Float32Array, lowest: number): number {
  let [pivot, upperPivot, lowerPivot] = [127, 255, 0];
  let [lower, upper] = [lowest, 1];
  for (let step = 64; step > 0; step >>= 1) {
    const value = table[pivot];
    if (x > value) {
      [lowerPivot, lower] = [pivot, value];
      pivot += step;
    } else {
      [upperPivot, upper] = [pivot, value];
      pivot -= step;
    }
  }
  const value = table[pivot];
  if (x > value) return x > fround(fround(upper + value) * 0.5) ? upperPivot : pivot;
  return x < fround(fround(lower + value) * 0.5) ? lowerPivot : pivot;
}

/** A block's numbers after storage. */
export function storeBlock(numbers: Float32Array, table: Float32Array): void {
  const signed = table[0] < 0;
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) largest = Math.max(largest, Math.abs(numbers[i]));
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i];
    let code = nearestCode(fround(x / largest), table, signed ? -1 : 0);
    // A first moment keeps its sign.
    if (signed && isNegative(table[code]) !== isNegative(x)) code += x > 0 ? 1 : -1;
    numbers[i] = fround(table[Math.min(255, Math.max(0, code))] * largest);
  }
}

function isNegative(x: number): boolean {
  return x < 0 || Object.is(x, -0);
}

const storedInBlocks: Whole = {
  needs: block,
  what: "blocks of 256",
  reads: ["M", "V"],
  writes: [],
  run({ M, V }, { shape }) {
    if (elementsOf(shape) < fewest) return;
    for (const [numbers, table] of [[M, ofM] as const, [V, ofV] as const]) {
      for (let i = 0; i < numbers.length; i += block) storeBlock(numbers.subarray(i, i + block), table);
    }
  },
};

export const bnbAdamw: Recipe = {
  optimizer: "adamw",
  name: "bnb-adamw8bit",
  of: "bitsandbytes.optim.AdamW8bit, CUDA: states of 8 bits in blocks of 256, of tensors of 4096 elements and more",
  source: "bitsandbytes-foundation/bitsandbytes csrc/kernels.cu, kOptimizerStatic8bit2StateBlockwise",
  releases: "main of 2026-08 (read)",
  // The kernel's __fdividef and __powf are approximate; here they are rounded once.
  verified: null,
  scheme: "in-place",
  moments: fp32Moments,
  carriers: [],
  scalars: [
    "beta1 = f32(b1)",
    "beta2 = f32(b2)",
    "c1 = sub32(1, beta1)",
    "c2 = sub32(1, beta2)",
    "bc1 = sub32(1, powf(b1, t))",
    "root = sqrt32(sub32(1, powf(b2, t)))",
    "s = div32(mul32(f32(-lr), root), bc1)",
    "e = f32(eps)",
    "decay = sub32(1, mul32(f32(lr), f32(wd)))",
  ],
  weight: [
    "g = R(g)",
    "finite = g - g",
    "before = p",
    "V = fma(V, beta2, (c2 * g) * g)",
    "M = fma(M, beta1, c1 * g)",
    "p = R(fma(s, M / fma(root, e, sqrt(V)), p))",
    "wd != 0: p = R(p * decay)",
    // A non-finite gradient changes no weight and clears its moments.
    "finite != 0: p = before",
    "finite != 0: M = 0",
    "finite != 0: V = 0",
  ],
  whole: storedInBlocks,
};
