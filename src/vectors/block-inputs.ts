import type { BlockFormat } from "../format/block/block-format.js";
import { exponentOf, powerOfTwo } from "../format/float64.js";
import type { Draw } from "./draw.js";
import { float32Bits, float32FromBits } from "./float64-bits.js";
import type { Level } from "./rounding-inputs.js";

/** A small tensor of whole blocks. */
export interface BlockInput {
  readonly data: Float32Array;
  readonly shape: readonly [number, number];
}

const largest = 2 ** 128 - 2 ** 104;

/**
 * Tensors of one block, or of four where blocks share a scale of the tensor: their largest magnitudes are at
 * thresholds of the scale rules, their other numbers at or next to element numbers and midpoints.
 */
export function* blockInputs(format: BlockFormat, level: Level, draw: Draw): Generator<BlockInput> {
  for (const special of [0, -0, NaN, Infinity, 2 ** -149, largest]) yield filled(format, draw, 1, special);
  const significands = decidingSignificands(format);
  // A block of 128 x 128 takes as long as 500 of 32.
  const isLarge = format.rows * format.columns > 1024;
  for (const exponent of isLarge ? [-127, -1, 127] : exponents(level)) {
    for (const significand of significands) {
      const amax = Math.fround(significand * powerOfTwo(exponent));
      if (amax > 0 && amax <= largest) yield filled(format, draw, amax);
    }
  }
  const more = isLarge ? 20 : { "1": 200, "2": 4_000, exhaustive: 4_000 }[level];
  for (let i = 0; i < more; i++) {
    yield filled(
      format,
      draw,
      Math.abs(Math.fround((1 + draw.bits() / 2 ** 32) * 2 ** draw.between(-30, 20))),
    );
  }
}

/** Significands at which any of the rules doubles the scale or begins to clip, each with its fp32 neighbours. */
function decidingSignificands({ element }: BlockFormat): number[] {
  const mu = element.maxFinite / powerOfTwo(exponentOf(element.maxFinite));
  const centers = [1, mu, 1.5, 1.75, 2 - 2 ** -element.precision, 2 - 2 ** -23];
  return [...new Set(centers.flatMap((m) => [m - 2 ** -23, m, m + 2 ** -23]))].filter((m) => m >= 1 && m < 2);
}

function exponents(level: Level): number[] {
  if (level === "1") return [-149, -140, -130, -127, -126, -120, -20, -6, -1, 0, 1, 3, 9, 60, 120, 126, 127];
  return Array.from({ length: 139 }, (_, i) => 2 * i - 149);
}

/** Blocks whose largest magnitude is given, with one number in the first of them if need be. */
function filled(format: BlockFormat, draw: Draw, amax: number, special?: number): BlockInput {
  const { rows, columns, rule, element } = format;
  const blocks = rule.tensorScale === null ? 1 : 4;
  const shape = [rows, columns * blocks] as const;
  const data = new Float32Array(rows * columns * blocks);
  const tensorScale = rule.tensorScale?.(amax, format) ?? { stored: 1, reciprocal: 1 };
  for (let block = 0; block < blocks; block++) {
    const most = block === 0 ? amax : laterMost(format, draw, amax, tensorScale.stored);
    const scale = rule.blockScale(most, format, tensorScale) * tensorScale.stored;
    const at = (i: number) => Math.floor(i / columns) * columns * blocks + block * columns + (i % columns);
    const place = draw.below(rows * columns);
    for (let i = 0; i < rows * columns; i++) {
      const x = neighbour(draw.boundary(element) * scale, draw.between(-1, 1));
      data[at(i)] = i === place ? draw.sign() * most : Math.abs(x) <= most ? x : 0;
    }
    if (special !== undefined && block === 0) {
      if (special === 0) for (let i = 0; i < rows * columns; i++) data[at(i)] = special;
      else data[at(place)] = special;
    }
  }
  return { data, shape };
}

/** The largest magnitude of a block whose scale lies at a number or midpoint of the scales' format. */
function laterMost({ scale, element }: BlockFormat, draw: Draw, amax: number, stored: number): number {
  const boundary = Math.abs(draw.boundary(scale)) * stored * element.maxFinite;
  return Math.min(amax, Math.abs(neighbour(boundary, draw.between(-1, 1))));
}

/** The fp32 number next to a number, away from zero for 1. */
function neighbour(x: number, step: number): number {
  const near = Math.fround(x);
  if (near === 0 || !Number.isFinite(near)) return 0;
  return float32FromBits(float32Bits(near) + step);
}
