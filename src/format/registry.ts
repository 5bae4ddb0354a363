import { defineFormat, type Format, ieeeFormat } from "./format.js";

/** OCP MX formats with neither Inf nor NaN (OCP Microscaling Formats 1.0, section 5.3). */
function finiteOnly(name: string, exponentBits: number, significandBits: number): Format {
  return defineFormat({
    name,
    exponentBits,
    precision: significandBits + 1,
    bias: 2 ** (exponentBits - 1) - 1,
    topCodes: 0,
    unsignedZero: false,
    subnormals: true,
  });
}

/** Formats with one zero and one NaN, whose code is that of -0 (arXiv 2206.02915). */
function fnuz(name: string, exponentBits: number, significandBits: number): Format {
  return defineFormat({
    name,
    exponentBits,
    precision: significandBits + 1,
    bias: 2 ** (exponentBits - 1),
    topCodes: 0,
    unsignedZero: true,
    subnormals: true,
  });
}

const builtIn: readonly Format[] = [
  ieeeFormat("fp32", 8, 23),
  ieeeFormat("tf32", 8, 10),
  ieeeFormat("bf16", 8, 7),
  ieeeFormat("fp16", 5, 10),
  ieeeFormat("e5m2", 5, 2),
  // OCP 8-bit Floating Point (OFP8) 1.0: no Inf, and only the all-ones code is NaN.
  defineFormat({
    name: "e4m3fn",
    exponentBits: 4,
    precision: 4,
    bias: 7,
    topCodes: 1,
    unsignedZero: false,
    subnormals: true,
  }),
  fnuz("e5m2fnuz", 5, 2),
  fnuz("e4m3fnuz", 4, 3),
  finiteOnly("e3m2fn", 3, 2),
  finiteOnly("e2m3fn", 2, 3),
  finiteOnly("e2m1fn", 2, 1),
];

/** The built-in formats by name, widest first. */
export const formats: ReadonlyMap<string, Format> = new Map(builtIn.map((format) => [format.name, format]));

/**
 * The format of a name: a built-in one, or any IEEE-like `eXmY` with X exponent bits (2 to 8) and Y stored
 * significand bits (1 to 23).
 *
 * @throws RangeError for any other name.
 */
export function format(name: string): Format {
  const known = formats.get(name);
  if (known) return known;
  const fields = /^e([2-8])m([1-9]|1\d|2[0-3])$/.exec(name);
  if (!fields) {
    throw new RangeError(
      `unknown format "${name}": expected ${[...formats.keys()].join(", ")}, ` +
        "or eXmY with X from 2 to 8 and Y from 1 to 23",
    );
  }
  return ieeeFormat(name, Number(fields[1]), Number(fields[2]));
}
