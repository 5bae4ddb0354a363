/**
 * The schemes on bf16 with integers: nearest-even by adding to the fp32 bits, as on CPUs and in PyTorch. Independent of
 * src/, which it checks; under fp32 opmath only.
 */

const float32 = new Float32Array(1);
const bits = new Uint32Array(float32.buffer);

/** fp32 to the nearest bf16 number, ties to even. Valid for finite x. */
export function toBfloat16(x: number): number {
  float32[0] = x;
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return float32[0];
}

const add = (a: number, b: number) => toBfloat16(Math.fround(a + b));

/** Weight and carrier after one update. */
export type Step = (weight: number, carrier: number, update: number) => [weight: number, carrier: number];

export const bfloat16Schemes: Readonly<Record<"in-place" | "master" | "kahan" | "two-term", Step>> = {
  "in-place": (w, _, u) => [add(w, u), 0],
  master: (_, m, u) => [toBfloat16(Math.fround(m + u)), Math.fround(m + u)],
  kahan: (w, k, u) => {
    const total = add(k, u);
    const moved = add(w, total);
    return [moved, add(total, add(w, -moved))];
  },
  "two-term": (w, r, u) => {
    const x = add(w, u);
    const rest = add(r, add(u, -add(x, -w)));
    const result = add(x, rest);
    return [result, add(rest, -add(result, -x))];
  },
};
