import { blockFormat } from "../../format/block/block-format.js";
import { encode } from "../../format/encode.js";
import { format } from "../../format/registry.js";
import type { ComparedFormat } from "../ulp-distance.js";
import type { DifferenceTally } from "./difference.js";
import type {
  CompressedDelta,
  Delta,
  DeltaSample,
  DifferenceOfTensor,
  SharedDifference,
} from "./difference-result.js";

/** A run of consecutive elements of a tensor. */
export interface Chunk {
  /** Index of the tensor in the list that was asked about. */
  readonly tensor: number;
  readonly start: number;
  readonly count: number;
}

/** Elements of a chunk of the sample: 128 KiB of bf16, four times the window of gzip. */
export const sampleChunk = 2 ** 16;

/**
 * Chunks spread over all elements of tensors with these lengths: one in each of equal strata, at a position
 * drawn from the seed, so tensors are sampled in proportion to size. Small inputs are taken whole.
 */
export function sampleChunks(lengths: readonly number[], chunks: number, seed: number): Chunk[] {
  const all = lengths.map((length, tensor) => ({ tensor, length, chunks: Math.ceil(length / sampleChunk) }));
  const total = all.reduce((sum, { chunks }) => sum + chunks, 0);
  const elements = all.reduce((sum, { length }) => sum + length, 0);
  const strata = elements <= chunks * sampleChunk ? total : Math.min(chunks, total);
  const draw = generator(seed);
  const picked = Array.from({ length: strata }, (_, stratum) => {
    const [first, next] = [0, 1].map((edge) => Math.floor(((stratum + edge) * total) / strata));
    return first + Math.floor(draw() * (next - first));
  });
  const taken: Chunk[] = [];
  let before = 0;
  let at = 0;
  for (const { tensor, length, chunks: ofTensor } of all) {
    for (; at < picked.length && picked[at] < before + ofTensor; at++) {
      const start = (picked[at] - before) * sampleChunk;
      taken.push({ tensor, start, count: Math.min(sampleChunk, length - start) });
    }
    before += ofTensor;
  }
  return taken;
}

/** A linear congruential generator (Numerical Recipes' constants) of numbers in [0, 1): enough to pick places. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Codes as they are stored. */
type Codes = Uint8Array | Uint16Array | Uint32Array;

/** The bytes that would be sent for a chunk. */
export interface DeltaStreams {
  readonly changed: number;
  /** The chunk as it is after. */
  readonly full: Uint8Array;
  /** The gaps between the indices of what changed, in base 128 (LEB128), then the values. */
  readonly gapValue: Uint8Array;
  /** One bit for each element, lowest first, then the values. */
  readonly maskValue: Uint8Array;
}

/** The indices of the elements whose bytes changed, in order: +0 is not -0. NaN has one code here. */
export function numbersChanged(before: Float64Array, after: Float64Array): Uint32Array {
  const found = new Uint32Array(before.length);
  let count = 0;
  for (let i = 0; i < before.length; i++) if (!Object.is(before[i], after[i])) found[count++] = i;
  return found.subarray(0, count);
}

/** The same by codes. A separate loop: it runs so seldom that it is compiled only while running. */
export function codesChanged(before: Codes, after: Codes): Uint32Array {
  const found = new Uint32Array(before.length);
  let count = 0;
  for (let i = 0; i < before.length; i++) if (before[i] !== after[i]) found[count++] = i;
  return found.subarray(0, count);
}

/** The streams of a chunk of so many elements, of which `full` are the bytes that store it after. */
export function deltaStreams(elements: number, changed: Uint32Array, full: Uint8Array): DeltaStreams {
  const width = full.length / elements;
  const gaps: number[] = [];
  const mask = new Uint8Array(Math.ceil(elements / 8));
  const values = new Uint8Array(changed.length * width);
  let last = -1;
  for (let n = 0; n < changed.length; n++) {
    const i = changed[n];
    for (let gap = i - last - 1; ; gap = Math.floor(gap / 128)) {
      gaps.push(gap < 128 ? gap : (gap % 128) | 128);
      if (gap < 128) break;
    }
    last = i;
    mask[i >> 3] |= 1 << (i & 7);
    for (let byte = 0; byte < width; byte++) values[n * width + byte] = full[i * width + byte];
  }
  return {
    changed: changed.length,
    full,
    gapValue: joined(Uint8Array.from(gaps), values),
    maskValue: joined(mask, values),
  };
}

/** How numbers of a format are stored, in whole bytes each. */
export function storedBytes(numbers: Float64Array, compared: ComparedFormat): Uint8Array {
  const codes = encodeAll(numbers, compared);
  return new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
}

function encodeAll(numbers: Float64Array, compared: ComparedFormat) {
  if (compared === "fp64") return numbers;
  const codes =
    compared.bits <= 8
      ? new Uint8Array(numbers.length)
      : compared.bits <= 16
        ? new Uint16Array(numbers.length)
        : new Uint32Array(numbers.length);
  for (let i = 0; i < codes.length; i++) {
    // A format without NaN has no code to send for it.
    codes[i] = Number.isNaN(numbers[i]) && !compared.hasNaN ? 0 : encode(numbers[i], compared);
  }
  return codes;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Bytes of an element in the compared format; odd widths are sent in whole bytes. */
export function bytesOf(formatName: string): number {
  const bits = formatName === "fp64" ? 64 : format(formatName).bits;
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

const costNames = ["elements", "changed", "fullBytes", "indexValueBytes", "maskValueBytes"] as const;

/** Of a tensor whose weights share scales: codes without bits between them, and the scales in the same way. */
function sharedCosts({
  elements,
  formats,
  shared,
}: DifferenceOfTensor & { readonly shared: SharedDifference }): Record<(typeof costNames)[number], number> {
  const { element, scale } = blockFormat(formats.compared);
  const { codes, blocks, blockScales, tensors, tensorScales } = shared;
  const index = elements > 2 ** 32 ? 64 : 32;
  const bytes = (bits: number) => Math.ceil(bits / 8);
  const ofTensor = 4 * tensorScales;
  return {
    elements,
    changed: codes,
    fullBytes: bytes(elements * element.bits) + bytes(blocks * scale.bits) + 4 * tensors,
    indexValueBytes:
      bytes(codes * (index + element.bits)) + bytes(blockScales * (index + scale.bits)) + ofTensor,
    maskValueBytes:
      bytes(elements) +
      bytes(codes * element.bits) +
      bytes(blocks) +
      bytes(blockScales * scale.bits) +
      ofTensor,
  };
}

/** What of a tensor would be sent. */
export interface SentElements {
  readonly elements: number;
  /** Elements whose bytes changed; of codes with scales the codes. */
  readonly changed: number;
  /** Of an element. */
  readonly bits: number;
  /** Sent beside codes: their indices, where they changed, have 4 bytes. */
  readonly scales?: {
    readonly scales: number;
    readonly changed: number;
    readonly bytes: number;
    readonly bytesChanged: number;
  };
}

/** The same, or with shared scales its costs. */
export type Sent = SentElements | ReturnType<typeof sharedCosts>;

/** What would be sent of numbers in the compared format. */
export function sentNumbers(tensor: DifferenceOfTensor): Sent {
  if (tensor.shared) return sharedCosts({ ...tensor, shared: tensor.shared });
  const { elements, bytesChanged, changed, nonfiniteChanged, formats } = tensor;
  // Results of schema 1 counted +0 and -0 as equal.
  const sent = bytesChanged ?? changed + nonfiniteChanged;
  return { elements, changed: sent, bits: 8 * bytesOf(formats.compared) };
}

/** What of a tensor would be sent. @param codeBits of a code, where both sides are codes of one kind with scales. */
export function sentOf(tensor: DifferenceOfTensor, tally: DifferenceTally, codeBits: number | null): Sent {
  const { codes, codesChanged, scales, scalesChanged, scaleBytes, scaleBytesChanged } = tally;
  if (codes === 0 || codeBits === null) return sentNumbers(tensor);
  return {
    elements: tensor.elements,
    changed: codesChanged,
    bits: codeBits,
    scales: { scales, changed: scalesChanged, bytes: scaleBytes, bytesChanged: scaleBytesChanged },
  };
}

/** The cost of sending the changes: exact uncompressed sizes, compressed ones estimated from the sample. */
export function deltaCosts(tensors: readonly Sent[], sample: DeltaSample, zstdUnknown: string | null): Delta {
  const costs = { elements: 0, changed: 0, fullBytes: 0, indexValueBytes: 0, maskValueBytes: 0 };
  for (const tensor of tensors) {
    if ("fullBytes" in tensor) {
      for (const name of costNames) costs[name] += tensor[name];
      continue;
    }
    const { elements, changed, bits, scales } = tensor;
    costs.elements += elements;
    costs.changed += changed;
    costs.fullBytes += Math.ceil((elements * bits) / 8) + (scales?.bytes ?? 0);
    costs.indexValueBytes += changed * ((elements > 2 ** 32 ? 8 : 4) + Math.ceil(bits / 8));
    costs.maskValueBytes += Math.ceil(elements / 8) + Math.ceil((changed * bits) / 8);
    if (scales === undefined) continue;
    costs.indexValueBytes += 4 * scales.changed + scales.bytesChanged;
    costs.maskValueBytes += Math.ceil(scales.scales / 8) + scales.bytesChanged;
  }
  const estimate = (bytes: DeltaSample["gzip"] | null): CompressedDelta | null => {
    if (bytes === null || sample.plain.full === 0) return null;
    const whole = (part: number) => Math.round((part / sample.plain.full) * costs.fullBytes);
    return {
      fullBytes: whole(bytes.full),
      gapValueBytes: whole(bytes.gapValue),
      maskValueBytes: whole(bytes.maskValue),
    };
  };
  return {
    ...costs,
    sample,
    compressed: { gzip: estimate(sample.gzip), zstd: estimate(sample.zstd), zstdUnknown },
  };
}
