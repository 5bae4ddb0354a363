/**
 * The definition of a format for the oracle, in literals from the formats' publications. Independent of `src/`, with
 * different parameters (exponents and the largest number instead of field widths and bias), so that an error in either
 * derivation is detected.
 */
export interface OracleFormat {
  readonly name: string;
  /** Significand bits, the hidden one included. */
  readonly precision: number;
  /** log2 of the smallest positive number. */
  readonly leastExponent: number;
  /** log2 of the smallest normal number. */
  readonly normalExponent: number;
  readonly largest: number;
  /** What follows the largest finite number; `nothing`: the format always saturates. */
  readonly beyond: "infinity" | "nan" | "nothing";
  readonly signedZero: boolean;
  readonly bits: number;
  /** The code that NaN is encoded as. */
  readonly nanCode: number | undefined;
}

function oracleFormat(
  name: string,
  bits: number,
  precision: number,
  [leastExponent, normalExponent]: [number, number],
  largest: number,
  beyond: OracleFormat["beyond"],
  nanCode?: number,
  signedZero = true,
): OracleFormat {
  return { name, bits, precision, leastExponent, normalExponent, largest, beyond, nanCode, signedZero };
}

export const fp32 = oracleFormat(
  "fp32",
  32,
  24,
  [-149, -126],
  3.4028234663852886e38,
  "infinity",
  0x7fc0_0000,
);
export const tf32 = oracleFormat("tf32", 19, 11, [-136, -126], 3.4011621342146535e38, "infinity", 0x3_fe00);
export const bf16 = oracleFormat("bf16", 16, 8, [-133, -126], 3.3895313892515355e38, "infinity", 0x7fc0);
export const fp16 = oracleFormat("fp16", 16, 11, [-24, -14], 65504, "infinity", 0x7e00);
export const e5m2 = oracleFormat("e5m2", 8, 3, [-16, -14], 57344, "infinity", 0x7e);
export const e4m3fn = oracleFormat("e4m3fn", 8, 4, [-9, -6], 448, "nan", 0x7f);
export const e5m2fnuz = oracleFormat("e5m2fnuz", 8, 3, [-17, -15], 57344, "nan", 0x80, false);
export const e4m3fnuz = oracleFormat("e4m3fnuz", 8, 4, [-10, -7], 240, "nan", 0x80, false);
export const e3m2fn = oracleFormat("e3m2fn", 6, 3, [-4, -2], 28, "nothing");
export const e2m3fn = oracleFormat("e2m3fn", 6, 4, [-3, 0], 7.5, "nothing");
export const e2m1fn = oracleFormat("e2m1fn", 4, 2, [-1, 0], 6, "nothing");

/** The built-in formats small enough for {@link valueTable}. */
export const smallFormats: readonly OracleFormat[] = [
  tf32,
  bf16,
  fp16,
  e5m2,
  e4m3fn,
  e5m2fnuz,
  e4m3fnuz,
  e3m2fn,
  e2m3fn,
  e2m1fn,
];

/** Every built-in format. */
export const oracleFormats: readonly OracleFormat[] = [fp32, ...smallFormats];

export interface ValueTable {
  /** Zero, every positive number, and last the number that would follow the largest; ascending. */
  readonly values: Float64Array;
  /** 1 where the last significand bit is set. */
  readonly odd: Uint8Array;
}

const tables = new WeakMap<OracleFormat, ValueTable>();

/** The table of a small format, by adding a gap that doubles where a binade ends; all sums are exact in fp64. */
export function valueTable(format: OracleFormat): ValueTable {
  const known = tables.get(format);
  if (known) return known;
  let gap = 2 ** (format.normalExponent + 1 - format.precision);
  const values = [0];
  const odd = [0];
  let value = 2 ** format.leastExponent;
  while (true) {
    if (value === gap * 2 ** format.precision) gap *= 2;
    values.push(value);
    odd.push((value / gap) % 2);
    if (value > format.largest) break;
    value += gap;
  }
  const table = { values: Float64Array.from(values), odd: Uint8Array.from(odd) };
  tables.set(format, table);
  return table;
}
