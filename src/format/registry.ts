import { defineFormat, type Format, ieeeFormat } from "./format.js";
import { unknownName } from "./unknown-name.js";

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

/** The built-in weight formats by name, widest first. */
export const formats: ReadonlyMap<string, Format> = new Map(builtIn.map((format) => [format.name, format]));

/** The scales of MX blocks (OCP Microscaling Formats 1.0, section 5.4.1): powers of two from 2^-127 to 2^127, and a NaN. */
export const e8m0fnu = defineFormat({
  name: "e8m0fnu",
  exponentBits: 8,
  precision: 1,
  bias: 127,
  topCodes: 1,
  unsignedZero: false,
  subnormals: false,
  signed: false,
});

/**
 * The shapes that OCP defines without Inf, and mostly without NaN: the bare name means the OCP format, as is
 * customary; the IEEE-like format of that shape is `e4m3-ieee`.
 */
export const ocpShapes: ReadonlyMap<string, string> = new Map([
  ["e4m3", "e4m3fn"],
  ["e3m2", "e3m2fn"],
  ["e2m3", "e2m3fn"],
  ["e2m1", "e2m1fn"],
]);

/**
 * Aliases: PyTorch and ml_dtypes (`float8_e4m3fn`), safetensors (`F8_E4M3`), OCP and NVIDIA (`E4M3`), MLIR
 * (`f8E4M3FN`), vLLM (`fp8_e4m3`).
 */
const otherNames: Readonly<Record<string, string>> = {
  fp32: "float32 float F32 FP32 f32",
  tf32: "tfloat32 TF32 TFloat32",
  bf16: "bfloat16 BF16 BFloat16",
  fp16: "float16 half F16 FP16 f16",
  e5m2: "float8_e5m2 F8_E5M2 f8E5M2 fp8_e5m2 E5M2",
  e4m3fn: "E4M3 float8_e4m3fn F8_E4M3 f8E4M3FN fp8_e4m3 fp8_e4m3fn E4M3FN",
  e5m2fnuz: "float8_e5m2fnuz F8_E5M2FNUZ f8E5M2FNUZ fp8_e5m2fnuz",
  e4m3fnuz: "float8_e4m3fnuz F8_E4M3FNUZ f8E4M3FNUZ fp8_e4m3fnuz",
  e3m2fn: "E3M2 float6_e3m2fn F6_E3M2 f6E3M2FN fp6_e3m2",
  e2m3fn: "E2M3 float6_e2m3fn F6_E2M3 f6E2M3FN fp6_e2m3",
  e2m1fn: "E2M1 float4_e2m1fn float4_e2m1fn_x2 F4 f4E2M1FN fp4_e2m1",
  e8m0fnu: "E8M0 e8m0 float8_e8m0fnu F8_E8M0 f8E8M0FNU UE8M0 ue8m0",
};

const canonical: ReadonlyMap<string, string> = new Map([
  ...ocpShapes,
  ...Object.entries(otherNames).flatMap(([name, others]) =>
    others.split(" ").map((other): [string, string] => [other, name]),
  ),
]);

/** Ambiguous names, in lower case, and their candidate formats. */
const several: ReadonlyMap<string, string> = new Map([
  ...["fp8", "float8", "f8"].map((name): [string, string] => [name, "e4m3fn, e5m2, e4m3fnuz or e5m2fnuz"]),
  ...["fp6", "float6", "f6"].map((name): [string, string] => [name, "e2m3fn or e3m2fn"]),
  ...["fp4", "float4"].map((name): [string, string] => [name, "e2m1fn"]),
  // IEEE-like in ml_dtypes and MLIR, the OCP format elsewhere.
  ...["float8_e4m3", "f8e4m3"].map((name): [string, string] => [name, "e4m3fn (OCP) or e4m3-ieee"]),
]);

/** `torch.bfloat16`, `jnp.float8_e4m3fn` */
const modulePrefix = /^(?:torch|jnp|ml_dtypes|tf)\.(?=b?float|half)/;

/**
 * Looks up a format: a built-in one, by its name or a common alias (`bfloat16`, `BF16`, `torch.float16`,
 * `F8_E4M3`, `e4m3`), or any IEEE-like `eXmY` with X exponent bits (2 to 8) and Y stored significand bits (1
 * to 23). `e4m3 e3m2 e2m3 e2m1` are the OCP formats; the IEEE-like ones are `e4m3-ieee` and so on.
 *
 * @param name case-sensitive.
 * @returns one frozen record, under its canonical name.
 * @throws RangeError for an unknown name, suggesting the nearest known one; for `fp8 fp6 fp4`, with the
 * choices.
 * @example format("torch.float8_e4m3fn").name; // "e4m3fn"
 */
export function format(name: string): Format {
  const bare = name.replace(modulePrefix, "");
  const own = canonical.get(bare) ?? name;
  const known = formats.get(own) ?? (own === e8m0fnu.name ? e8m0fnu : undefined);
  if (known) return known;
  const fields = /^e([2-8])m([1-9]|1\d|2[0-3])(-ieee)?$/.exec(name);
  if (!fields) throw unknownFormat(name, bare);
  const shape = `e${fields[1]}m${fields[2]}`;
  const ieee = ocpShapes.has(shape) ? `${shape}-ieee` : shape;
  return formats.get(ieee) ?? ieeeFormat(ieee, Number(fields[1]), Number(fields[2]));
}

/**
 * Resolves a record or a name, at the library boundary.
 *
 * @throws RangeError for an unknown name; TypeError for anything else.
 */
export function formatOf(formatOrName: Format | string): Format {
  if (typeof formatOrName === "string") return format(formatOrName);
  // A property that only records have; `in` takes longer than a whole rounding.
  if ((formatOrName as Format | null | undefined)?.maxFiniteCode !== undefined) return formatOrName;
  throw new TypeError(`expected a format or its name, found ${String(formatOrName)}`);
}

function unknownFormat(name: string, bare: string): RangeError {
  const choices = several.get(bare.toLowerCase());
  if (choices !== undefined) {
    return new RangeError(`"${name}" does not say which format is meant: expected ${choices}`);
  }
  if (/^(?:mx|nv)fp\d/i.test(name)) {
    return new RangeError(`"${name}" is a block format: expected the format of its elements, such as e2m1fn`);
  }
  const ieeeLike = [...ocpShapes.keys()].map((shape) => `${shape}-ieee`);
  return unknownName("format", name, [...formats.keys(), ...canonical.keys(), ...ieeeLike], {
    expected: `${[...formats.keys()].join(", ")}, or eXmY with X from 2 to 8 and Y from 1 to 23`,
  });
}
