import type { Format } from "../../src/format/format.js";
import { ulp } from "../../src/format/neighbours.js";
import { round } from "../../src/format/round.js";
import { float32FromBits, random32 } from "./bits.js";

/** Differences of two numbers stay fp32 numbers below this. */
const largest = 2 ** 125;

/**
 * Weights and updates likely to expose differences between engines: numbers of the format and others, subnormals,
 * overflows, random bits (including NaN and Inf), and updates of a few quarter gaps, next to half a gap, next to minus
 * the weight, far below a gap, zeros of both signs.
 */
export function adversarialRun(format: Format, seed: number, elements: number, steps: number) {
  const random = random32(seed);
  // Skip the first numbers, which are similar for similar seeds.
  for (let i = 0; i < 16; i++) random();
  const below = (n: number) => random() % n;
  const fraction = () => random() / 2 ** 31 - 1;
  const anyBits = () => {
    if (below(8) === 0) return [NaN, Infinity, -Infinity][below(3)];
    const x = float32FromBits(random());
    return Math.abs(x) > largest && x < Infinity ? x * 2 ** -10 : x;
  };
  const weights = new Float32Array(elements);
  const updates = Array.from({ length: steps }, () => new Float32Array(elements));
  for (let i = 0; i < elements; i++) {
    const kind = below(16);
    const size = kind < 10 ? 2 ** (below(60) - 40) : 1;
    if (kind < 8) weights[i] = round(size * fraction(), format);
    else if (kind < 10) weights[i] = size * fraction();
    else if (kind < 12) weights[i] = 2 * format.minNormal * fraction();
    else if (kind < 14) weights[i] = Math.min(format.maxFinite, largest) * fraction();
    else if (kind === 14) weights[i] = below(2) ? 0 : -0;
    else weights[i] = anyBits();
    const stored = round(weights[i], format);
    const gap = Number.isFinite(stored) ? ulp(stored, format) : 1;
    for (const update of updates) {
      const choice = below(12);
      if (choice < 3) update[i] = (gap * (below(9) - 4)) / 4;
      else if (choice < 6) update[i] = gap * 2 ** (below(30) - 26) * fraction();
      else if (choice < 8) update[i] = gap * 0.5 * (1 + (below(3) - 1) * 2 ** -below(24));
      else if (choice === 8) update[i] = -weights[i] + (gap * (below(5) - 2)) / 2;
      else if (choice === 9) update[i] = below(2) ? 0 : -0;
      else if (choice === 10) update[i] = gap * fraction();
      else update[i] = anyBits();
      // A weight that is no longer finite tests nothing more, so most of these updates are replaced.
      if (!Number.isFinite(update[i]) && below(4) > 0) update[i] = gap;
    }
  }
  return { weights, updates };
}
