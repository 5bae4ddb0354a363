import { blockFormat } from "../../../src/format/block/block-format.js";
import { blocksOf, dequantize, type Quantized, quantize } from "../../../src/format/block/quantize.js";

/** One weight tensor, and its updates step after step. */
export interface Run {
  readonly shape: readonly number[];
  readonly weights: Float32Array;
  readonly updates: readonly Float32Array[];
}

/** What became of one step, counted by rules that are written out. */
export function emptyCounts() {
  return {
    none: 0,
    lost: 0,
    kept: 0,
    moved: 0,
    collateral: 0,
    nonfinite: 0,
    zeros: 0,
    codes: 0,
    blocks: 0,
    blockScales: 0,
    tensors: 0,
    tensorScales: 0,
    bits: 0,
    clipped: 0,
    flushed: 0,
  };
}
export type Counts = ReturnType<typeof emptyCounts>;

/** bf16 by nearest-even, on bits; NaN and Inf as they are. */
export function toBfloat16(x: number): number {
  if (!Number.isFinite(x)) return x;
  const [bits] = new Uint32Array(Float32Array.of(x).buffer);
  const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(Uint32Array.of(rounded).buffer)[0];
}

/**
 * A run of whole tensors: quantizes before and after every step and compares. `isMaster`: the numbers are a view of an fp32
 * master; else what is stored is read, updated and quantized again.
 */
export function byHand({ shape, weights, updates }: Run, format: string, isMaster: boolean, through = false) {
  const record = blockFormat(format);
  const sent = (numbers: Float32Array) => (through ? numbers.map(toBfloat16) : numbers);
  let master = weights.slice();
  let stored = quantize(sent(master), shape, format);
  const start = stored;
  const steps = updates.map((update) => {
    const counts = emptyCounts();
    const before = dequantize(stored);
    const next = (isMaster ? master : before).map((x, i) => Math.fround(x + update[i]));
    const toQuantize = sent(next);
    const quantized = quantize(toQuantize, shape, format);
    const after = dequantize(quantized);
    const under = underOldScales(toQuantize, stored);
    for (let i = 0; i < update.length; i++) {
      const u = update[i];
      const number = after[i] !== before[i];
      const code = numberOf(under[i], record.element.name) !== numberOf(stored.codes[i], record.element.name);
      const finite = [before[i], u, after[i], isMaster ? next[i] : 0].every(Number.isFinite);
      if (finite && u === 0) counts.zeros += 1;
      if (!finite) counts.nonfinite += 1;
      else if (number && !code) counts.collateral += 1;
      else if (u === 0) counts.none += 1;
      else if (number) counts.moved += 1;
      else if (isMaster && next[i] !== master[i]) counts.kept += 1;
      else counts.lost += 1;
      if (quantized.codes[i] !== stored.codes[i]) {
        counts.codes += 1;
        counts.bits += record.element.bits;
      }
      if (toQuantize[i] !== 0 && Number.isFinite(toQuantize[i]) && after[i] === 0) counts.flushed += 1;
    }
    counts.blocks = quantized.scales.length;
    for (let b = 0; b < quantized.scales.length; b++) {
      if (!Object.is(quantized.scales[b], stored.scales[b])) {
        counts.blockScales += 1;
        counts.bits += quantized.scales instanceof Float32Array ? 32 : 8;
      }
    }
    if (quantized.tensorScale !== null) {
      counts.tensors = 1;
      if (!Object.is(quantized.tensorScale, stored.tensorScale)) {
        counts.tensorScales = 1;
        counts.bits += 32;
      }
    }
    counts.clipped = clippedOf(toQuantize, quantized);
    if (isMaster) master = next;
    stored = quantized;
    return counts;
  });
  return { steps, start, end: stored, numbers: dequantize(stored), startNumbers: dequantize(start) };
}

/** Codes under scales that are given, of the block and of the tensor. */
function underOldScales(numbers: Float32Array, old: Quantized): Uint8Array {
  const { element, scale: scaleFormat, rule } = old.format;
  const codes = new Uint8Array(numbers.length);
  for (const [b, indices] of [...blocksOf(old.shape, old.format)].entries()) {
    const scale =
      old.scales instanceof Float32Array ? old.scales[b] : scaleNumber(old.scales[b], scaleFormat.name);
    for (const i of indices) {
      const stored = old.tensorScale ?? 1;
      const scaled = rule.scaled(numbers[i], scale, { stored, reciprocal: Math.fround(1 / stored) });
      codes[i] = Number.isNaN(scale) ? 0 : nearestCode(scaled, element.name);
    }
  }
  return codes;
}

function clippedOf(numbers: Float32Array, { shape, format, scales, tensorScale }: Quantized): number {
  const largest = { e4m3fn: 448, e5m2: 57344, e2m3fn: 7.5, e3m2fn: 28, e2m1fn: 6 }[format.element.name]!;
  let clipped = 0;
  for (const [b, indices] of [...blocksOf(shape, format)].entries()) {
    const scale = scales instanceof Float32Array ? scales[b] : scaleNumber(scales[b], format.scale.name);
    const stored = tensorScale ?? 1;
    for (const i of indices) {
      const scaled = format.rule.scaled(numbers[i], scale, { stored, reciprocal: Math.fround(1 / stored) });
      if (Math.abs(scaled) > largest) clipped += 1;
    }
  }
  return clipped;
}

function scaleNumber(code: number, format: string): number {
  if (format === "e8m0fnu") return code === 255 ? NaN : 2 ** (code - 127);
  return numberOf(code, format);
}

/** Exponent and stored significand bits, bias, whether the last code is NaN (e4m3fn) or an IEEE top (e5m2). */
const shapes: Readonly<Record<string, readonly [bits: number, significand: number, bias: number]>> = {
  e4m3fn: [8, 3, 7],
  e5m2: [8, 2, 15],
  e2m3fn: [6, 3, 1],
  e3m2fn: [6, 2, 3],
  e2m1fn: [4, 1, 1],
};

/** The number of a code, from the definition of the format. */
export function numberOf(code: number, format: string): number {
  const [bits, significand, bias] = shapes[format];
  const magnitude = code % 2 ** (bits - 1);
  const sign = code >= 2 ** (bits - 1) ? -1 : 1;
  if (format === "e4m3fn" && magnitude === 127) return NaN;
  if (format === "e5m2" && magnitude >= 124) return magnitude === 124 ? sign * Infinity : NaN;
  const field = Math.floor(magnitude / 2 ** significand);
  const fraction = (magnitude % 2 ** significand) / 2 ** significand;
  return sign * (field === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (field - bias));
}

/** The nearest code, ties to even, saturating: by looking at all of them. NaN where there is one, else 0. */
export function nearestCode(x: number, format: string): number {
  const half = 2 ** (shapes[format][0] - 1);
  if (Number.isNaN(x)) return format === "e4m3fn" ? 127 : format === "e5m2" ? 126 : 0;
  const sign = x < 0 || Object.is(x, -0) ? half : 0;
  const magnitude = Math.min(Math.abs(x), 2 ** 30);
  const numbers = magnitudesOf(format);
  let best = 0;
  for (let code = 1; code < numbers.length; code++) {
    const [near, far] = [Math.abs(magnitude - numbers[code]), Math.abs(magnitude - numbers[best])];
    if (near < far || (near === far && code % 2 === 0)) best = code;
  }
  return sign + best;
}

const tables = new Map<string, readonly number[]>();

/** The finite numbers from zero up, by their codes. */
function magnitudesOf(format: string): readonly number[] {
  const known = tables.get(format);
  if (known) return known;
  const codes = Array.from({ length: 2 ** (shapes[format][0] - 1) }, (_, code) => numberOf(code, format));
  const table = codes.filter(Number.isFinite);
  tables.set(format, table);
  return table;
}
