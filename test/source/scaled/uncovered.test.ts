import { describe, expect, it } from "vitest";
import { scaledCodes } from "../../../src/source/scaled/uncovered.js";

function found(dtypes: Readonly<Record<string, string>>) {
  const tensors = new Map(Object.entries(dtypes).map(([name, dtype]) => [name, { name, dtype }]));
  const { codes, sidecars } = scaledCodes(tensors);
  return { codes: [...codes.keys()].sort(), sidecars: [...sidecars.keys()].sort() };
}

describe("codes with scales beside them", () => {
  it.each<[string, Record<string, string>, string[], string[]]>([
    [
      "DeepSeek-V3",
      { "q.weight": "F8_E4M3", "q.weight_scale_inv": "F32", "norm.weight": "BF16" },
      ["q.weight"],
      ["q.weight_scale_inv"],
    ],
    [
      "gpt-oss",
      { gate_blocks: "U8", gate_scales: "U8", gate_bias: "BF16" },
      ["gate_blocks"],
      ["gate_scales"],
    ],
    [
      "compressed-tensors",
      { "w.weight_packed": "U8", "w.weight_scale": "F8_E4M3", "w.weight_global_scale": "F32" },
      ["w.weight_packed"],
      ["w.weight_global_scale", "w.weight_scale"],
    ],
    [
      "ModelOpt",
      { "w.weight": "U8", "w.weight_scale": "F8_E4M3", "w.weight_scale_2": "F32", "w.input_scale": "F32" },
      ["w.weight"],
      ["w.input_scale", "w.weight_scale", "w.weight_scale_2"],
    ],
    ["DeepSeek-V4", { "w.weight": "I8", "w.scale": "F8_E8M0" }, ["w.weight"], ["w.scale"]],
    [
      "bitsandbytes",
      { "w.weight": "U8", "w.weight.absmax": "F32", "w.weight.quant_map": "F32" },
      ["w.weight"],
      ["w.weight.absmax", "w.weight.quant_map"],
    ],
    [
      "GPTQ",
      { "w.qweight": "I32", "w.qzeros": "I32", "w.scales": "F16", "w.g_idx": "I32" },
      ["w.qweight"],
      ["w.g_idx", "w.qzeros", "w.scales"],
    ],
  ])("%s", (_, dtypes, codes, sidecars) => {
    expect(found(dtypes)).toEqual({ codes, sidecars });
  });

  it("a weight of its own format has none, whatever lies beside it", () => {
    // A norm's gain named scale, as in torchtune, and a learned scale beside a bf16 weight.
    expect(found({ "sa_norm.scale": "BF16", "logit.scale": "F32", "logit.weight": "BF16" })).toEqual({
      codes: [],
      sidecars: [],
    });
    expect(found({ "w.weight": "F8_E4M3" })).toEqual({ codes: [], sidecars: [] });
  });

  it("two codes of 4 bits lie in a byte, but a byte without scales is what it is", () => {
    const perElement = (dtypes: Readonly<Record<string, string>>, name: string) =>
      scaledCodes(
        new Map(Object.entries(dtypes).map(([key, dtype]) => [key, { name: key, dtype }])),
      ).codes.get(name)?.weightsPerElement;
    expect(perElement({ gate_blocks: "U8", gate_scales: "U8" }, "gate_blocks")).toBe(2);
    expect(perElement({ "w.weight_packed": "U8", "w.weight_scale": "F8_E4M3" }, "w.weight_packed")).toBe(2);
    expect(perElement({ "w.weight": "F8_E4M3", "w.weight_scale_inv": "F32" }, "w.weight")).toBe(1);
    expect(perElement({ "w.weight": "U8" }, "w.weight")).toBeUndefined();
  });
});
