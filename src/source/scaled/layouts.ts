/**
 * Layouts of scaled codes in checkpoints: which tensors belong together, by name suffix and dtype, and which
 * elements may share a scale.
 */
export interface Layout {
  /** The software that writes it. */
  readonly writer: string;
  /** Name suffixes of the codes, of the equivalent unquantized numbers, and of the scales. */
  readonly codes: string;
  readonly numbers: string;
  readonly scales: string;
  /** The elements by dtype of the codes. */
  readonly elements: Readonly<Record<string, Element>>;
  /** The format of a scale by dtype of the scales. */
  readonly scaleFormats: Readonly<Record<string, string>>;
  /** Rows and columns of the blocks that may share a scale, besides a tensor, a matrix or a row. */
  readonly blocks: readonly (readonly [rows: number, columns: number])[];
  /** A tensor scale that goes with scales of these dtypes, as a factor or a divisor. */
  readonly tensorScale?: {
    readonly ending: string;
    readonly with: readonly string[];
    readonly divides: boolean;
  };
  /** The last two lengths of the codes' shape are groups and the bytes of a group. */
  readonly inGroups?: boolean;
}

export interface Element {
  readonly format: string;
  /** Bits of a code in the file. */
  readonly bits: 4 | 8;
  /** Codes per element of the tensor in the file: 2 if a byte holds two. */
  readonly perElement: 1 | 2;
}

const fp8 = {
  F8_E4M3: { format: "e4m3fn", bits: 8, perElement: 1 },
  F8_E5M2: { format: "e5m2", bits: 8, perElement: 1 },
  F8_E4M3FNUZ: { format: "e4m3fnuz", bits: 8, perElement: 1 },
  F8_E5M2FNUZ: { format: "e5m2fnuz", bits: 8, perElement: 1 },
} as const;

const pairsOfFp4 = { format: "e2m1fn", bits: 4, perElement: 2 } as const;
const fp4 = { format: "e2m1fn", bits: 4, perElement: 1 } as const;

const floats = { F32: "fp32", BF16: "bf16", F16: "fp16" } as const;
const powersOfTwo = { F8_E8M0: "e8m0fnu", U8: "e8m0fnu" } as const;
const nvfp4 = { F8_E4M3: "e4m3fn" } as const;

const [square, mx, nv] = [[128, 128] as const, [1, 32] as const, [1, 16] as const];

export const layouts: readonly Layout[] = [
  {
    writer: "DeepSeek-V3",
    codes: ".weight",
    numbers: ".weight",
    scales: ".weight_scale_inv",
    elements: fp8,
    scaleFormats: { ...floats, F8_E8M0: "e8m0fnu" },
    blocks: [square],
  },
  {
    // Experts in one tensor, whose name does not end in `weight`.
    writer: "transformers, fused experts",
    codes: "",
    numbers: "",
    scales: "_scale_inv",
    elements: fp8,
    scaleFormats: { ...floats, F8_E8M0: "e8m0fnu" },
    blocks: [square],
  },
  {
    writer: "DeepSeek-V4",
    codes: ".weight",
    numbers: ".weight",
    scales: ".scale",
    elements: fp8,
    scaleFormats: { F32: "fp32", F8_E8M0: "e8m0fnu" },
    blocks: [square],
  },
  {
    writer: "DeepSeek-V4, experts",
    codes: ".weight",
    numbers: ".weight",
    scales: ".scale",
    elements: { I8: pairsOfFp4, F4: fp4 },
    scaleFormats: { F8_E8M0: "e8m0fnu" },
    blocks: [mx],
  },
  {
    writer: "gpt-oss",
    codes: "_blocks",
    numbers: "",
    scales: "_scales",
    elements: { U8: pairsOfFp4 },
    scaleFormats: powersOfTwo,
    blocks: [mx],
    inGroups: true,
  },
  {
    writer: "compressed-tensors",
    codes: ".weight_packed",
    numbers: ".weight",
    scales: ".weight_scale",
    elements: { U8: pairsOfFp4 },
    scaleFormats: { ...nvfp4, ...powersOfTwo },
    blocks: [nv, mx],
    tensorScale: { ending: ".weight_global_scale", with: ["F8_E4M3"], divides: true },
  },
  {
    writer: "ModelOpt",
    codes: ".weight",
    numbers: ".weight",
    scales: ".weight_scale",
    elements: { U8: pairsOfFp4 },
    scaleFormats: { ...nvfp4, ...powersOfTwo },
    blocks: [nv, mx],
    tensorScale: { ending: ".weight_scale_2", with: ["F8_E4M3"], divides: false },
  },
  {
    writer: "fp8 with scales of tensors, rows or blocks",
    codes: ".weight",
    numbers: ".weight",
    scales: ".weight_scale",
    elements: fp8,
    scaleFormats: { ...floats, ...powersOfTwo },
    blocks: [square, mx],
  },
];

/** Named combinations of block size and scale kind; others are described by their parts. */
export const namedFormats: readonly {
  readonly name: string;
  readonly element: string;
  readonly block: string;
  readonly scales?: readonly string[];
}[] = [
  { name: "mxfp8-e4m3", element: "e4m3fn", block: "1x32", scales: ["e8m0fnu"] },
  { name: "mxfp8-e5m2", element: "e5m2", block: "1x32", scales: ["e8m0fnu"] },
  { name: "mxfp4", element: "e2m1fn", block: "1x32", scales: ["e8m0fnu"] },
  { name: "nvfp4", element: "e2m1fn", block: "1x16", scales: ["e4m3fn"] },
  { name: "fp8-128x128", element: "e4m3fn", block: "128x128" },
];
