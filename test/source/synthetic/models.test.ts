import { describe, expect, it } from "vitest";
import { moduleOf } from "../../../src/lens/module.js";
import { elementsOf, type ModelShape, models, modelTensors } from "../../../src/source/synthetic/models.js";

/** Parameters and tensors, as the model cards and the indexes of the checkpoints have them. */
const published: Readonly<Record<string, readonly [parameters: number, tensors: number]>> = {
  "qwen2.5-0.5b": [494_032_768, 290],
  "qwen2.5-1.5b": [1_543_714_304, 338],
  "qwen2.5-7b": [7_615_616_512, 339],
  "qwen3-4b": [4_022_468_096, 398],
  "qwen3-8b": [8_190_735_360, 399],
  "llama-3.1-8b": [8_030_261_248, 291],
  "llama-3.1-70b": [70_553_706_496, 723],
};

it("knows the published models, under the names they are kept by", () => {
  expect([...models.keys()]).toEqual(Object.keys(published));
  for (const [name, shape] of models) expect(shape.name).toBe(name);
});

describe.each([...models])("%s", (name, model: ModelShape) => {
  const tensors = modelTensors(model);
  const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));

  it("has the published number of parameters in the published number of tensors", () => {
    const parameters = tensors.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
    expect([parameters, tensors.length]).toEqual(published[name]);
    expect(named.size).toBe(tensors.length);
  });

  it("has names by which every module is known, gains those of the normalizations", () => {
    const kinds = new Set(["q", "k", "v", "o", "gate", "up", "down", "norm", "embedding"]);
    if (!model.tied) kinds.add("head");
    expect(new Set(tensors.map((tensor) => moduleOf(tensor.name).kind))).toEqual(kinds);
    for (const tensor of tensors) expect(tensor.isGain).toBe(moduleOf(tensor.name).kind === "norm");
    const layers = new Set(tensors.map((tensor) => moduleOf(tensor.name).layer));
    expect(layers.size).toBe(model.layers + 1);
    expect([...layers]).toContain(model.layers - 1);
  });

  it("has matrices of output by input, as torch.nn.Linear stores them", () => {
    const shapeOf = (tensor: string) => named.get(`model.layers.0.${tensor}`)?.shape;
    const [queries, keys] = [model.heads * model.headSize, model.keyValueHeads * model.headSize];
    expect(shapeOf("self_attn.q_proj.weight")).toEqual([queries, model.hidden]);
    expect(shapeOf("self_attn.k_proj.weight")).toEqual([keys, model.hidden]);
    expect(shapeOf("self_attn.v_proj.bias")).toEqual(name.startsWith("qwen2.5") ? [keys] : undefined);
    expect(shapeOf("self_attn.o_proj.weight")).toEqual([model.hidden, queries]);
    expect(shapeOf("self_attn.q_norm.weight")).toEqual(
      name.startsWith("qwen3") ? [model.headSize] : undefined,
    );
    expect(shapeOf("mlp.down_proj.weight")).toEqual([model.hidden, model.intermediate]);
    expect(named.get("model.embed_tokens.weight")?.shape).toEqual([model.vocabulary, model.hidden]);
  });
});

it("elements of a shape; those of a number are one", () => {
  expect([[2, 3, 4], [5], [], [7, 0]].map(elementsOf)).toEqual([24, 5, 1, 0]);
});
