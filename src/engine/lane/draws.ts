import type { Format } from "../../format/format.js";
import { restBits } from "../../update/distribution.js";
import type { Lane } from "./lane.js";
import { round } from "./round.js";

/** Random numbers, as in update/distribution.ts and weight-draws.ts. Each engine looks up the knots itself. */

/** The index of the distribution's cell selected by random bits. */
export function cellOf<V>(k: Lane<V>, bits: V): V {
  return k.i32x4.shr_u(bits, restBits);
}

/** Interpolates between the two knots of a cell by random bits. */
export function between<V>({ f32x4, i32x4, v128 }: Lane<V>, bits: V, low: V, high: V): V {
  const rest = v128.and(bits, i32x4.constant(2 ** restBits - 1));
  const part = f32x4.mul(f32x4.convert_i32x4_s(rest), f32x4.constant(2 ** -restBits));
  return f32x4.add(low, f32x4.mul(f32x4.sub(high, low), part));
}

/** The weight made of a drawn number z, as stored before the run. */
export function weightOf<V>(k: Lane<V>, z: V, mean: V, sigma: V, format: Format): V {
  const to = { format, rounding: "nearest-even", overflow: "ieee" } as const;
  return round(k, k.f32x4.add(k.f32x4.mul(sigma, z), mean), to, () => k.i32x4.constant(0));
}
