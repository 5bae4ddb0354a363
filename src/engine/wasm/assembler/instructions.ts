/**
 * The WebAssembly instructions that kernels use, by their names in the specification and with their opcodes
 * (WebAssembly 2.0, section 5.4). Those of vectors follow {@link simdPrefix}.
 */
export const simdPrefix = 0xfd;

/** A vector to a vector. */
export const unary = {
  v128: { not: 0x4d },
  i16x8: { extend_low_i8x16_u: 0x89 },
  i32x4: {
    extadd_pairwise_i16x8_s: 0x7e,
    extadd_pairwise_i16x8_u: 0x7f,
    extend_low_i16x8_u: 0xa9,
    extend_high_i16x8_u: 0xaa,
    trunc_sat_f32x4_u: 0xf9,
  },
  f32x4: {
    abs: 0xe0,
    neg: 0xe1,
    sqrt: 0xe3,
    floor: 0x68,
    nearest: 0x6a,
    convert_i32x4_s: 0xfa,
    demote_f64x2_zero: 0x5e,
  },
  f64x2: { abs: 0xec, promote_low_f32x4: 0x5f },
} as const;

/** Two vectors to a vector. */
export const binary = {
  v128: { and: 0x4e, andnot: 0x4f, or: 0x50, xor: 0x51 },
  i8x16: { swizzle: 0x0e, add: 0x6e, narrow_i16x8_s: 0x65, narrow_i16x8_u: 0x66 },
  i16x8: {
    eq: 0x2d,
    ne: 0x2e,
    gt_u: 0x32,
    narrow_i32x4_s: 0x85,
    narrow_i32x4_u: 0x86,
    add: 0x8e,
    sub: 0x91,
    min_u: 0x97,
    max_s: 0x98,
    max_u: 0x99,
  },
  i32x4: {
    eq: 0x37,
    lt_s: 0x39,
    lt_u: 0x3a,
    gt_s: 0x3b,
    gt_u: 0x3c,
    add: 0xae,
    sub: 0xb1,
    min_s: 0xb6,
    max_s: 0xb8,
  },
  f32x4: {
    eq: 0x41,
    ne: 0x42,
    lt: 0x43,
    gt: 0x44,
    ge: 0x46,
    add: 0xe4,
    sub: 0xe5,
    mul: 0xe6,
    div: 0xe7,
    pmin: 0xea,
    pmax: 0xeb,
  },
  i64x2: { eq: 0xd6, add: 0xce },
  f64x2: {
    eq: 0x47,
    ne: 0x48,
    lt: 0x49,
    gt: 0x4a,
    le: 0x4b,
    add: 0xf0,
    sub: 0xf1,
    mul: 0xf2,
    div: 0xf3,
    pmax: 0xf7,
  },
} as const;

/** A vector and a number of bits to a vector. */
export const shifts = {
  i16x8: { shl: 0x8b, shr_s: 0x8c, shr_u: 0x8d },
  i32x4: { shl: 0xab, shr_s: 0xac, shr_u: 0xad },
  i64x2: { shr_s: 0xcc },
} as const;

/** A vector to an i32. */
export const reductions = {
  v128: { any_true: 0x53 },
  i8x16: { bitmask: 0x64 },
  i16x8: { bitmask: 0x84 },
  i64x2: { bitmask: 0xc4 },
} as const;

/** Two integers of a type to one of it. */
export const scalars = {
  i32: {
    add: 0x6a,
    sub: 0x6b,
    mul: 0x6c,
    and: 0x71,
    or: 0x72,
    xor: 0x73,
    shl: 0x74,
    shr_u: 0x76,
    eq: 0x46,
    lt_u: 0x49,
  },
  i64: { add: 0x7c, sub: 0x7d, xor: 0x85, and: 0x83, or: 0x84, shl: 0x86, shr_u: 0x88, shr_s: 0x87 },
} as const;

export const loads = {
  i32: { type: "i32", code: [0x28] },
  i32_8u: { type: "i32", code: [0x2d] },
  i32_16u: { type: "i32", code: [0x2f] },
  i64: { type: "i64", code: [0x29] },
  v128: { type: "v128", code: [simdPrefix, 0x00] },
  /** 64 bits; the upper half becomes zero. */
  v128_64: { type: "v128", code: [simdPrefix, 0x5d] },
  /** 32 bits; the rest becomes zero. */
  v128_32_zero: { type: "v128", code: [simdPrefix, 0x5c] },
  /** 32 bits into every lane. */
  v128_32_splat: { type: "v128", code: [simdPrefix, 0x09] },
  /** 64 bits into both halves. */
  v128_64_splat: { type: "v128", code: [simdPrefix, 0x0a] },
} as const;

/** Load bits into one lane of a vector and leave the others unchanged. */
export const laneLoads = { v128_32: 0x56, v128_64: 0x57 } as const;

export const stores = {
  i32: [0x36],
  i32_8: [0x3a],
  i32_16: [0x3b],
  i64: [0x37],
  v128: [simdPrefix, 0x0b],
} as const;

/** LEB128: seven bits per byte, the lowest first (section 5.2.2). */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** LEB128 in two's complement. Valid for safe integers. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = ((rest % 128) + 128) % 128;
    rest = (rest - low) / 128;
    if ((rest === 0 && low < 64) || (rest === -1 && low >= 64)) return [...bytes, low];
    bytes.push(low | 128);
  }
}
