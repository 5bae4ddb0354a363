import { encode as encodeNumber } from "../../../format/encode.js";
import type { Format } from "../../../format/format.js";
import type { Overflow, Rounding } from "../../../format/round.js";
import { encode, encodeNearest, isEncodedAtOnce } from "../../lane/encode.js";
import { round } from "../../lane/round.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { moduleBytes, pageBytes } from "../assembler/module.js";
import { writeDecode } from "../kernel/begin.js";
import { type Kernel, type WasmMemory, webAssembly } from "../platform.js";

/** All parameters of a rounding. */
export interface ArrayRounding {
  readonly format: Format;
  readonly rounding: Rounding;
  readonly overflow: Overflow;
}

/** Numbers processed at once: they and their codes fit in the L1 cache. */
export const atOnce = 4096;

/** Addresses of numbers, codes and random bits, in bytes. */
const places = { numbers: 0, random: 4 * atOnce, codes: 8 * atOnce } as const;

/** Kernels for one format, rounding and overflow, with their own memory. */
export interface ArrayKernels {
  readonly numbers: Float32Array;
  readonly numberBits: Int32Array;
  readonly random: Uint32Array;
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  /** Rounds numbers to the format, in their place. */
  round(count: number): void;
  /** Rounds numbers and encodes them. */
  encode(count: number): void;
  /** Decodes codes; for formats of 8 and 16 bits. */
  decode(count: number): void;
}

const vectorBytes = 16;

function writeRound(k: FunctionWriter, to: ArrayRounding): void {
  k.loop(k.i32.constant(0), k.parameter(0, "i32"), 4, (i) => {
    const at = k.i32.shl(i, 2);
    k.store("v128", rounded(k, to, at, 0), at, places.numbers);
  });
}

function rounded(k: FunctionWriter, to: ArrayRounding, at: I32, offset: number): V128 {
  const random = () => k.load("v128", at, places.random + offset);
  return round(k, k.load("v128", at, places.numbers + offset), to, random);
}

/** Sixteen numbers at once: one vector of bytes, two of 16 bits, four of 32. */
function writeEncode(k: FunctionWriter, to: ArrayRounding): void {
  const { format } = to;
  const nanCode = format.hasNaN ? encodeNumber(NaN, format) : 0;
  const { i8x16, i16x8 } = k;
  k.loop(k.i32.constant(0), k.parameter(0, "i32"), 16, (i) => {
    const at = k.i32.shl(i, 2);
    const encoded = (offset: number) =>
      isEncodedAtOnce(to)
        ? encodeNearest(k, k.load("v128", at, places.numbers + offset), to, nanCode)
        : encode(k, rounded(k, to, at, offset), format, nanCode);
    const codes = [0, 1, 2, 3].map((n) => encoded(n * vectorBytes));
    const [low, high] = [0, 2].map((n) => () => i16x8.narrow_i32x4_u(codes[n], codes[n + 1]));
    if (format.bits <= 8) return k.store("v128", i8x16.narrow_i16x8_u(low(), high()), i, places.codes);
    if (format.bits <= 16) {
      const address = k.i32.shl(i, 1);
      k.store("v128", low(), address, places.codes);
      return k.store("v128", high(), address, places.codes + vectorBytes);
    }
    for (const [n, code] of codes.entries()) k.store("v128", code, at, places.codes + n * vectorBytes);
  });
}

/** The array type for codes of a format. */
export function codeArray({
  bits,
}: Format): Uint8ArrayConstructor | Uint16ArrayConstructor | Uint32ArrayConstructor {
  if (bits <= 8) return Uint8Array;
  return bits <= 16 ? Uint16Array : Uint32Array;
}

const made = new Map<string, { readonly format: Format; readonly kernels: ArrayKernels | null }>();

/** Null if WebAssembly has no SIMD or is forbidden. */
export function arrayKernels(to: ArrayRounding): ArrayKernels | null {
  const key = `${to.format.name} ${to.rounding} ${to.overflow}`;
  const known = made.get(key);
  // Users can define formats too, so a name alone does not identify one.
  if (known?.format === to.format) return known.kernels;
  const kernels = make(to);
  made.set(key, { format: to.format, kernels });
  return kernels;
}

function make(to: ArrayRounding): ArrayKernels | null {
  const { bits } = to.format;
  const decodes = bits === 8 || bits === 16;
  const pages = Math.ceil((12 * atOnce) / pageBytes);
  try {
    const bytes = moduleBytes({ pages, shared: false }, [
      { name: "round", parameters: ["i32"], write: (k) => writeRound(k, to) },
      { name: "encode", parameters: ["i32"], write: (k) => writeEncode(k, to) },
      ...(decodes
        ? [
            {
              name: "decode",
              parameters: ["i32", "i32", "i32"] as const,
              write: (k: FunctionWriter) => writeDecode(k, to.format),
            },
          ]
        : []),
    ]);
    const memory: WasmMemory = new webAssembly!.Memory({ initial: pages, maximum: pages });
    const { exports } = new webAssembly!.Instance(new webAssembly!.Module(bytes), { host: { memory } });
    const buffer = memory.buffer as ArrayBuffer;
    const decode: Kernel | undefined = exports.decode;
    return {
      numbers: new Float32Array(buffer, places.numbers, atOnce),
      numberBits: new Int32Array(buffer, places.numbers, atOnce),
      random: new Uint32Array(buffer, places.random, atOnce),
      codes: new (codeArray(to.format))(buffer, places.codes, atOnce),
      round: exports.round,
      encode: exports.encode,
      decode: (count) => decode(places.codes, places.numbers, count),
    };
  } catch {
    return null;
  }
}
