import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { seeded } from "../support.js";

/** Codes and scales of a layout and the numbers that they are, worked out one by one; apart from `src/source/scaled/`. */
export interface Made {
  readonly tensors: readonly TensorToWrite[];
  /** By the name and shape that others give the numbers. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly numbers: Float32Array;
}

const e2m1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** OCP FP8, section 5; NaN codes are not made here. */
export function fp8(code: number, mantissa: number, bias: number): number {
  const sign = code < 128 ? 1 : -1;
  const [field, m] = [(code & 127) >> mantissa, code & (2 ** mantissa - 1)];
  if (field === 0) return sign * m * 2 ** (1 - bias - mantissa);
  return sign * (1 + m / 2 ** mantissa) * 2 ** (field - bias);
}

export function fp4(code: number): number {
  return (code < 8 ? 1 : -1) * e2m1[code & 7];
}

export const e4m3 = (code: number) => fp8(code, 3, 7);
export const e5m2 = (code: number) => fp8(code, 2, 15);

export type ScaleDtype = "F32" | "BF16" | "F8_E8M0" | "U8" | "F8_E4M3";

export interface Recipe {
  /** Names of codes and scales after a common stem, and what the numbers are called. */
  readonly codes: string;
  readonly numbers: string;
  readonly scales: string;
  readonly dtype: "F8_E4M3" | "F8_E5M2" | "U8" | "I8" | "F4";
  readonly scaleDtype: ScaleDtype;
  /** Of the numbers. */
  readonly shape: readonly number[];
  readonly scaleShape: readonly number[];
  /** The index of the scale of an element at a place in its matrix. */
  readonly scaleOf: (matrix: number, row: number, column: number) => number;
  readonly tensorScale?: {
    readonly name: string;
    readonly divides: boolean;
    readonly shape: readonly number[];
  };
  /** As gpt-oss stores it: groups of so many bytes. */
  readonly group?: number;
  readonly seed?: number;
}

const product = (shape: readonly number[]) => shape.reduce((all, length) => all * length, 1);

export function make(recipe: Recipe): Made {
  const { shape, scaleShape, dtype, scaleDtype, tensorScale, group } = recipe;
  const below = seeded(recipe.seed ?? 7);
  const elements = product(shape);
  const isFp4 = dtype === "U8" || dtype === "I8" || dtype === "F4";
  const codes = Uint8Array.from({ length: elements }, () => {
    const code = below(isFp4 ? 16 : 256);
    return !isFp4 && (code & 0x7f) >= 0x7b ? 0x31 : code;
  });
  const numberOf = isFp4 ? fp4 : dtype === "F8_E4M3" ? e4m3 : e5m2;
  const { data, numbers: scales } = makeScales(scaleDtype, product(scaleShape), below);
  const tensors =
    tensorScale && Float32Array.from({ length: product(tensorScale.shape) }, () => 0.37 + below(100));
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const numbers = Float32Array.from(codes, (code, i) => {
    const row = Math.floor(i / width);
    const matrix = Math.floor(row / height);
    const scale = scales[recipe.scaleOf(matrix, row % height, i % width)];
    const other = tensors?.[tensors.length > 1 ? matrix : 0];
    const both =
      other === undefined ? scale : Math.fround(tensorScale!.divides ? scale / other : scale * other);
    return numberOf(code) * both;
  });
  const stored = isFp4 ? packed(codes) : codes;
  const perElement = dtype === "U8" || dtype === "I8" ? 2 : 1;
  const last = shape.at(-1)! / perElement;
  const codeShape =
    group === undefined ? [...shape.slice(0, -1), last] : [...shape.slice(0, -1), last / group, group];
  return {
    name: `layers.0.up${recipe.numbers}`,
    shape,
    numbers,
    tensors: [
      { name: `layers.0.up${recipe.codes}`, dtype, shape: codeShape, data: stored },
      { name: `layers.0.up${recipe.scales}`, dtype: scaleDtype, shape: scaleShape, data },
      ...(tensorScale
        ? [{ name: `layers.0.up${tensorScale.name}`, dtype: "F32", shape: tensorScale.shape, data: tensors! }]
        : []),
    ],
  };
}

/** Two codes a byte, the first in the lower half. */
export function packed(codes: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: codes.length / 2 }, (_, i) => codes[2 * i] | (codes[2 * i + 1] << 4));
}

function makeScales(dtype: ScaleDtype, count: number, below: (n: number) => number) {
  if (dtype === "F32") {
    const data = Float32Array.from({ length: count }, () => (1 + below(1000) / 999) * 1e-3);
    return { data, numbers: data };
  }
  if (dtype === "BF16") {
    const data = Uint16Array.from({ length: count }, () => 0x3a00 + below(0x80));
    return {
      data,
      numbers: Float32Array.from(data, (code) => (1 + (code & 127) / 128) * 2 ** ((code >> 7) - 127)),
    };
  }
  if (dtype === "F8_E4M3") {
    const data = Uint8Array.from({ length: count }, () => 1 + below(0x7d));
    return { data, numbers: Float32Array.from(data, e4m3) };
  }
  const data = Uint8Array.from({ length: count }, () => 110 + below(12));
  return { data, numbers: Float32Array.from(data, (exponent) => 2 ** (exponent - 127)) };
}

/** A file of what was made, and the numbers as bf16 in another, rounded to nearest-even by hand. */
export function files(made: Made): { readonly coded: Uint8Array; readonly bf16: Uint8Array } {
  const words = new Uint32Array(made.numbers.slice().buffer);
  const codes = Uint16Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
  return {
    coded: encodeSafetensors(made.tensors),
    bf16: encodeSafetensors([{ name: made.name, dtype: "BF16", shape: made.shape, data: codes }]),
  };
}

const blocks = (rows: number, columns: number, shape: readonly number[]) => {
  const [down, across] = [Math.ceil(shape.at(-2)! / rows), Math.ceil(shape.at(-1)! / columns)];
  return {
    shape,
    scaleShape: [...shape.slice(0, -2), down, across],
    scaleOf: (matrix: number, row: number, column: number) =>
      (matrix * down + Math.floor(row / rows)) * across + Math.floor(column / columns),
  };
};

const weight = { codes: ".weight", numbers: ".weight", scales: ".weight_scale" } as const;

/** One of each layout that is read. */
export const recipes: Readonly<Record<string, Recipe>> = {
  "DeepSeek-V3": {
    ...weight,
    scales: ".weight_scale_inv",
    dtype: "F8_E4M3",
    scaleDtype: "F32",
    ...blocks(128, 128, [200, 320]),
  },
  "DeepSeek-V3, powers of two": {
    ...weight,
    scales: ".weight_scale_inv",
    dtype: "F8_E4M3",
    scaleDtype: "F8_E8M0",
    ...blocks(128, 128, [256, 257]),
  },
  "Qwen3, scales in bf16": {
    ...weight,
    scales: ".weight_scale_inv",
    dtype: "F8_E4M3",
    scaleDtype: "BF16",
    ...blocks(128, 128, [130, 384]),
  },
  "fused experts": {
    codes: "",
    numbers: "",
    scales: "_scale_inv",
    dtype: "F8_E4M3",
    scaleDtype: "F32",
    ...blocks(128, 128, [3, 130, 260]),
  },
  "DeepSeek-V4": {
    ...weight,
    scales: ".scale",
    dtype: "F8_E4M3",
    scaleDtype: "F8_E8M0",
    ...blocks(128, 128, [129, 128]),
  },
  "DeepSeek-V4, experts": {
    ...weight,
    scales: ".scale",
    dtype: "I8",
    scaleDtype: "F8_E8M0",
    ...blocks(1, 32, [48, 96]),
  },
  "fp4 as a dtype": {
    ...weight,
    scales: ".scale",
    dtype: "F4",
    scaleDtype: "F8_E8M0",
    ...blocks(1, 32, [20, 64]),
  },
  "gpt-oss": {
    codes: "_blocks",
    numbers: "",
    scales: "_scales",
    dtype: "U8",
    scaleDtype: "U8",
    group: 16,
    ...blocks(1, 32, [2, 64, 128]),
  },
  "compressed-tensors, nvfp4": {
    ...weight,
    codes: ".weight_packed",
    dtype: "U8",
    scaleDtype: "F8_E4M3",
    tensorScale: { name: ".weight_global_scale", divides: true, shape: [1] },
    ...blocks(1, 16, [50, 112]),
  },
  "compressed-tensors, mxfp4": {
    ...weight,
    codes: ".weight_packed",
    dtype: "U8",
    scaleDtype: "U8",
    ...blocks(1, 32, [50, 96]),
  },
  "ModelOpt, nvfp4": {
    ...weight,
    dtype: "U8",
    scaleDtype: "F8_E4M3",
    tensorScale: { name: ".weight_scale_2", divides: false, shape: [] },
    ...blocks(1, 16, [40, 256]),
  },
  "ModelOpt, experts": {
    ...weight,
    dtype: "U8",
    scaleDtype: "F8_E4M3",
    tensorScale: { name: ".weight_scale_2", divides: false, shape: [3] },
    ...blocks(1, 16, [3, 20, 64]),
  },
  mxfp8: { ...weight, dtype: "F8_E4M3", scaleDtype: "U8", ...blocks(1, 32, [33, 160]) },
  "mxfp8-e5m2": { ...weight, dtype: "F8_E5M2", scaleDtype: "F8_E8M0", ...blocks(1, 32, [33, 160]) },
  "fp8 by tensor": {
    ...weight,
    dtype: "F8_E4M3",
    scaleDtype: "F32",
    shape: [90, 70],
    scaleShape: [],
    scaleOf: () => 0,
  },
  "fp8 by row": {
    ...weight,
    dtype: "F8_E4M3",
    scaleDtype: "BF16",
    shape: [90, 70],
    scaleShape: [90, 1],
    scaleOf: (_, row) => row,
  },
  "fp8 by matrix": {
    ...weight,
    dtype: "F8_E5M2",
    scaleDtype: "F32",
    shape: [4, 30, 70],
    scaleShape: [4],
    scaleOf: (matrix) => matrix,
  },
};
