import { quote } from "../input-error.js";

/** Name suffixes of codes, and of the scales, zero points etc. that are needed to decode them. */
const endings: readonly { readonly codes: string; readonly sidecars: readonly string[] }[] = [
  // DeepSeek-V3, compressed-tensors, ModelOpt, DeepSeek-V4, bitsandbytes.
  {
    codes: ".weight",
    sidecars: [
      ".weight_scale_inv",
      ".weight_scale",
      ".weight_scale_2",
      ".weight_global_scale",
      ".weight_zero_point",
      ".input_scale",
      ".input_global_scale",
      ".output_scale",
      ".k_scale",
      ".v_scale",
      ".scale",
      ".weight.absmax",
      ".weight.quant_map",
      ".weight.nested_absmax",
      ".weight.nested_quant_map",
      ".weight.quant_state.bitsandbytes__nf4",
      ".weight.quant_state.bitsandbytes__fp4",
      ".SCB",
    ],
  },
  {
    codes: ".weight_packed",
    sidecars: [
      ".weight_scale",
      ".weight_global_scale",
      ".weight_zero_point",
      ".weight_shape",
      ".input_scale",
      ".input_global_scale",
    ],
  },
  // gpt-oss.
  { codes: "_blocks", sidecars: ["_scales"] },
  // GPTQ, AWQ.
  { codes: ".qweight", sidecars: [".scales", ".qzeros", ".g_idx"] },
];

/** Dtypes whose elements may be codes; of these, only fp8 may be weights without scales. */
const codeDtypes = new Set(["F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F4", "U8", "I8", "I32"]);

export interface ScaledCodes {
  /** By tensor name: why its codes alone are not its numbers, and the weights per element. */
  readonly codes: ReadonlyMap<string, { readonly reason: string; readonly weightsPerElement: number }>;
  /** Tensors that belong to codes, by name; they are not weights. */
  readonly sidecars: ReadonlyMap<string, string>;
}

/** Finds codes that have scales, by names and dtypes. */
export function scaledCodes(
  tensors: ReadonlyMap<string, { readonly name: string; readonly dtype: string }>,
): ScaledCodes {
  const codes = new Map<string, { reason: string; weightsPerElement: number }>();
  const sidecars = new Map<string, string>();
  for (const { name, dtype } of tensors.values()) {
    if (!codeDtypes.has(dtype)) continue;
    for (const row of endings) {
      if (!name.endsWith(row.codes)) continue;
      const stem = name.slice(0, name.length - row.codes.length);
      for (const sidecar of row.sidecars.map((ending) => stem + ending).filter((key) => tensors.has(key))) {
        const reason = `its numbers are codes times the scales in ${quote(sidecar)}, which are not read`;
        // A byte holds two 4-bit codes.
        if (!codes.has(name)) codes.set(name, { reason, weightsPerElement: dtype === "U8" ? 2 : 1 });
        sidecars.set(sidecar, `belongs to the codes in ${quote(name)}`);
      }
    }
  }
  return { codes, sidecars };
}
