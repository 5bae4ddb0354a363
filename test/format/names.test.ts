import { describe, expect, it } from "vitest";
import { mul } from "../../src/format/operations.js";
import { format, formats } from "../../src/format/registry.js";
import { round, rounding } from "../../src/format/round.js";
import { updateSettings } from "../../src/update/settings.js";

/** As PyTorch, safetensors, ml_dtypes, MLIR, OCP, NVIDIA and vLLM write them. */
const namesOfTheField: Readonly<Record<string, readonly string[]>> = {
  fp32: ["float32", "float", "F32", "FP32", "torch.float32", "torch.float"],
  tf32: ["tf32", "tfloat32", "TF32"],
  bf16: ["bfloat16", "BF16", "torch.bfloat16", "jnp.bfloat16", "ml_dtypes.bfloat16"],
  fp16: ["float16", "half", "F16", "FP16", "torch.float16", "torch.half"],
  e5m2: ["float8_e5m2", "F8_E5M2", "torch.float8_e5m2", "f8E5M2", "fp8_e5m2", "E5M2"],
  e4m3fn: ["float8_e4m3fn", "F8_E4M3", "torch.float8_e4m3fn", "f8E4M3FN", "fp8_e4m3", "E4M3", "e4m3"],
  e5m2fnuz: ["float8_e5m2fnuz", "torch.float8_e5m2fnuz", "F8_E5M2FNUZ", "f8E5M2FNUZ"],
  e4m3fnuz: ["float8_e4m3fnuz", "torch.float8_e4m3fnuz", "F8_E4M3FNUZ", "f8E4M3FNUZ"],
  e3m2fn: ["F6_E3M2", "float6_e3m2fn", "f6E3M2FN", "E3M2", "e3m2"],
  e2m3fn: ["F6_E2M3", "float6_e2m3fn", "f6E2M3FN", "E2M3", "e2m3"],
  e2m1fn: ["F4", "float4_e2m1fn", "torch.float4_e2m1fn_x2", "f4E2M1FN", "E2M1", "e2m1"],
};

describe("formats by the names of the field", () => {
  it.each(Object.entries(namesOfTheField))("%s: %j", (name, others) => {
    for (const other of others) {
      expect(format(other), other).toBe(formats.get(name));
      expect(updateSettings({ format: other }).format.name).toBe(name);
    }
  });

  it.each([
    ["e4m3-ieee", 240],
    ["e3m2-ieee", 14],
    ["e2m3-ieee", 3.75],
    ["e2m1-ieee", 3],
  ])("%s is the IEEE-like one, up to %f", (name, maxFinite) => {
    expect(format(name)).toMatchObject({ name, maxFinite, hasInfinity: true });
  });

  it("a shape that OCP does not define has one name", () => {
    expect(format("e5m2-ieee")).toBe(formats.get("e5m2"));
    expect(format("e3m4-ieee")).toEqual(format("e3m4"));
  });

  it.each([
    ["fp8", "e4m3fn, e5m2, e4m3fnuz or e5m2fnuz"],
    ["FP8", "e4m3fn, e5m2, e4m3fnuz or e5m2fnuz"],
    ["torch.float8", "e4m3fn, e5m2, e4m3fnuz or e5m2fnuz"],
    ["fp6", "e2m3fn or e3m2fn"],
    ["fp4", "e2m1fn"],
    ["float8_e4m3", "e4m3fn (OCP) or e4m3-ieee"],
    ["f8E4M3", "e4m3fn (OCP) or e4m3-ieee"],
  ])("%s is refused with the choices", (name, choices) => {
    expect(() => format(name)).toThrow(`"${name}" does not say which format is meant: expected ${choices}`);
  });

  it.each(["mxfp8-e4m3", "MXFP4", "nvfp4"])("%s is told to be a block format", (name) => {
    expect(() => format(name)).toThrow(`"${name}" is a block format: expected the format of its elements`);
  });

  it("a name with that of a block format inside it is unknown", () => {
    expect(() => format("my-nvfp4")).toThrow('unknown format "my-nvfp4": ');
  });

  it.each([
    ["bf61", "bf16"],
    ["fp17", "fp16"],
    ["bfloat61", "bfloat16"],
    ["F8_E4M4", "F8_E4M3"],
    ["e4m3_ieee", "e4m3-ieee"],
    ["e5m24", "e5m2"],
  ])("%s: did you mean %s?", (name, near) => {
    expect(() => format(name)).toThrow(
      `unknown format "${name}": did you mean ${near}? Expected fp32, tf32, bf16`,
    );
  });
});

const shortNames = [
  ["rne", "nearest-even"],
  ["rna", "nearest-away"],
  ["rz", "toward-zero"],
  ["rtz", "toward-zero"],
  ["ru", "toward-positive"],
  ["rup", "toward-positive"],
  ["rd", "toward-negative"],
  ["rdn", "toward-negative"],
  ["sr", "stochastic"],
  ["SR", "stochastic"],
  ["stochastic", "stochastic"],
  ["to-odd", "to-odd"],
] as const;

describe("roundings by short names", () => {
  it.each(shortNames)("%s is %s", (short, name) => {
    expect(rounding(short)).toBe(name);
    expect(updateSettings({ format: "bf16", rounding: short }).rounding).toBe(name);
    // 1 + 3/8 of the gap above, and below -1.
    const [bf16, randomBits] = [format("bf16"), 2 ** 31];
    for (const x of [1 + 3 * 2 ** -10, -1 - 3 * 2 ** -10, 1 + 2 ** -8]) {
      expect(round(x, bf16, { rounding: short, randomBits })).toBe(
        round(x, bf16, { rounding: name, randomBits }),
      );
      expect(mul(x, 1, bf16, { rounding: short, randomBits })).toBe(
        mul(x, 1, bf16, { rounding: name, randomBits }),
      );
    }
  });

  it("tell the roundings apart that they name", () => {
    const bf16 = format("bf16");
    const up = 1 + 2 ** -7;
    const rounded = (x: number) =>
      (["rne", "rna", "rz", "ru", "rd"] as const).map((short) => round(x, bf16, { rounding: short }));
    expect(rounded(1 + 2 ** -8)).toEqual([1, up, 1, up, 1]);
    expect(rounded(-1 - 2 ** -8)).toEqual([-1, -up, -1, -1, -up]);
  });

  it("all seven are named to who asks for another", () => {
    const all =
      "nearest-even, nearest-away, toward-zero, toward-positive, toward-negative, to-odd, stochastic";
    expect(() => rounding("nearest")).toThrow(
      new RangeError(
        `unknown rounding "nearest": did you mean nearest-even or nearest-away? Expected ${all}`,
      ),
    );
    expect(() => rounding("")).toThrow(new RangeError(`unknown rounding "": expected ${all}`));
  });

  it.each(["Sr", "nearest", "up", "rnd", ""])("%j is refused", (name) => {
    expect(() => rounding(name)).toThrow(`unknown rounding "${name}": `);
    expect(() => round(1, format("bf16"), { rounding: name as "rne" })).toThrow(RangeError);
    expect(() => updateSettings({ format: "bf16", rounding: name as "rne" })).toThrow(RangeError);
  });
});
