import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAdapter } from "../../../src/source/adapter/is-adapter.js";
import { openAdapter } from "../../../src/source/adapter/open-adapter.js";
import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { float32Tensor, loraPath, putAdapter } from "../../support/lora.js";
import { expectSentence, put, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
const least = { r: 1, lora_alpha: 2 };

const column = (name: string, rank: number, numbers: readonly number[]) =>
  float32Tensor(name, [numbers.length / rank, rank], numbers);
const row = (name: string, rank: number, numbers: readonly number[]) =>
  float32Tensor(name, [rank, numbers.length / rank], numbers);
const pair = (module: string, a: readonly number[], b: readonly number[], rank = 1): TensorToWrite[] => [
  row(`base_model.model.${module}.lora_A.weight`, rank, a),
  column(`base_model.model.${module}.lora_B.weight`, rank, b),
];
const base = (name: string, ...tensors: TensorToWrite[]) =>
  put(folder, `${name}.safetensors`, encodeSafetensors(tensors));
const zeros = (name: string, ...shape: number[]) =>
  float32Tensor(name, shape, new Float32Array(shape.reduce((product, size) => product * size)));

async function updatesOf(basePath: string, adapter: string): Promise<Record<string, number[]>> {
  const opened = await openAdapter(basePath, adapter);
  const updates: Record<string, number[]> = {};
  for (const { name, updates: values } of opened.tensors) {
    const numbers = new Float32Array(values[0].length);
    await values[0].read(0, numbers);
    updates[name] = [...numbers];
  }
  await opened.close();
  return updates;
}

describe("updates of the base's weights", () => {
  test("of matrices: scale * B A", async () => {
    const path = base("plain", zeros("m.q.weight", 2, 3), zeros("m.k.weight", 2, 2));
    const adapter = putAdapter(folder, "plain", least, pair("m.q", [1, 2, 3], [10, 100]));
    expect(await updatesOf(path, adapter)).toEqual({ "m.q.weight": [20, 40, 60, 200, 400, 600] });
  });

  test("stored input by output, of embeddings, of convolutions, and with a rank of their own", async () => {
    const gpt2 = base("gpt2", zeros("h.0.attn.weight", 3, 2));
    const conv1d = putAdapter(
      folder,
      "conv1d",
      { ...least, fan_in_fan_out: true },
      pair("h.0.attn", [1, 2, 3], [10, 100]),
    );
    expect(await updatesOf(gpt2, conv1d)).toEqual({ "h.0.attn.weight": [20, 200, 40, 400, 60, 600] });

    const other = base(
      "others",
      zeros("embed.weight", 3, 2),
      zeros("conv.weight", 2, 1, 1, 3),
      zeros("r.weight", 2, 2),
    );
    const adapter = putAdapter(folder, "others", { ...least, rank_pattern: { r: 2 } }, [
      row("base_model.model.embed.lora_embedding_A", 1, [1, 2, 3]),
      column("base_model.model.embed.lora_embedding_B", 1, [10, 100]),
      float32Tensor("base_model.model.conv.lora_A.weight", [1, 1, 1, 3], [1, 2, 3]),
      float32Tensor("base_model.model.conv.lora_B.weight", [2, 1, 1, 1], [10, 100]),
      ...pair("r", [1, 2, 3, 4], [1, 0, 0, 10], 2),
    ]);
    expect(await updatesOf(other, adapter)).toEqual({
      "embed.weight": [20, 200, 40, 400, 60, 600],
      "conv.weight": [20, 40, 60, 200, 400, 600],
      "r.weight": [1, 2, 30, 40],
    });
  });

  test("by names with the adapter's name, of a wrapped module, and of a bare parameter", async () => {
    const path = base("names", zeros("m.q.weight", 1, 1), zeros("m.p", 1, 1));
    const adapter = putAdapter(folder, "names", least, [
      row("base_model.model.m.q.base_layer.lora_A.default.weight", 1, [3]),
      column("base_model.model.m.q.base_layer.lora_B.default.weight", 1, [5]),
      row("m.p.lora_A.weight", 1, [1]),
      column("m.p.lora_B.weight", 1, [1]),
    ]);
    expect(await updatesOf(path, adapter)).toEqual({ "m.q.weight": [30], "m.p": [2] });
  });
});

test("what has no adapter, what takes the base's place, and what does not fit are told apart", async () => {
  const path = base(
    "parts",
    zeros("m.q.weight", 1, 1),
    zeros("head.weight", 2),
    zeros("m.wide.weight", 1, 3),
    zeros("norm.weight", 4),
  );
  const adapter = putAdapter(folder, "parts", least, [
    ...pair("m.q", [1], [1]),
    ...pair("m.wide", [1], [1]),
    ...pair("m.gone", [1], [1]),
    ...pair("m.thick", [1, 2], [1, 2], 2),
    float32Tensor("base_model.model.head.modules_to_save.weight", [2], [1, 2]),
    float32Tensor("base_model.model.other.weight", [1], [1]),
  ]);
  const { tensors, untouched, replaced, skipped, close } = await openAdapter(path, adapter);
  expect(tensors.map(({ name }) => name)).toEqual(["m.q.weight"]);
  expect(untouched.map(({ name }) => name)).toEqual(["norm.weight"]);
  expect([...replaced.keys()]).toEqual(["head.weight"]);
  expect(skipped).toEqual([
    {
      name: "m.wide.weight",
      reason: "its shape is [1, 3], that of the product of its factors [1, 1]",
      elements: 3,
    },
    { name: "m.gone.weight", reason: "has an adapter, but is not in the base" },
    { name: "m.thick.weight", reason: "has an adapter, but is not in the base" },
    { name: "other.weight", reason: "is in the adapter as it is, but not in the base" },
  ]);
  await close();
  await expectSentence(
    openAdapter(path, adapter, { strict: true }),
    path,
    "nothing to skip (strict)",
    'tensor "m.wide.weight": its shape is [1, 3], that of the product of its factors [1, 1]',
  );
});

describe("other adapters are refused by the names of their tensors", () => {
  const path = base("refused", zeros("m.q.weight", 1, 1));
  test.each([
    ["m.q.lora_magnitude_vector", "DoRA"],
    ["m.q.hada_w1_a", "LoHa"],
    ["m.q.lokr_w1", "LoKr"],
    ["m.q.lora_E", "AdaLoRA"],
    ["m.q.ia3_l", "IA3"],
    ["m.q.oft_r", "OFT"],
    ["m.q.vera_lambda_b", "VeRA"],
    ["m.q.lora_B.bias", "LoRA with biases"],
    ["lora_unet_q.lora_down.weight", "LoRA by the names of kohya or diffusers"],
  ])("%s is %s", async (name, kind) => {
    const adapter = putAdapter(folder, kind, least, [...pair("m.q", [1], [1]), zeros(name, 1)]);
    const file = join(adapter, "adapter_model.safetensors");
    await expectSentence(
      openAdapter(path, adapter),
      file,
      "the factors of a LoRA adapter",
      `${kind}: "${name}"`,
    );
  });

  test.each([
    ["half", [zeros("m.q.lora_A.weight", 1, 1)], 'lora_A and lora_B of "m.q"', "lora_A alone"],
    [
      "twice",
      [zeros("m.q.lora_A.weight", 1, 1), zeros("base_model.model.m.q.lora_A.weight", 1, 1)],
      'one lora_A of "m.q"',
      '"m.q.lora_A.weight" and "base_model.model.m.q.lora_A.weight"',
    ],
    [
      "none",
      [zeros("m.q.weight", 1)],
      "the factors of a LoRA adapter, such as X.lora_A.weight",
      'none; the first tensor is "m.q.weight"',
    ],
    [
      "no fit",
      pair("m.q", [1, 2], [1, 2], 2),
      `factors that fit a weight of ${JSON.stringify(path)}`,
      'none; the first left out is "m.q.weight": its configuration has rank 1 for "m.q", its factors are A [2, 1] and B [1, 2]',
    ],
  ])("%s", async (name, tensors, expected, found) => {
    const adapter = putAdapter(folder, name, least, tensors);
    const file = join(adapter, "adapter_model.safetensors");
    await expectSentence(openAdapter(path, adapter), file, expected, found);
  });
});

test("an adapter is known by its folder or its files, and a model with an adapter's configuration is a model", async () => {
  expect(await isAdapter(loraPath("adapter"))).toBe(true);
  expect(await isAdapter(loraPath("adapter/adapter_model.safetensors"))).toBe(true);
  for (const path of ["base", "base/model.safetensors", "base/config.json", "nowhere"]) {
    expect(await isAdapter(loraPath(path))).toBe(false);
  }
  const model = putAdapter(folder, "model", least, []);
  put(model, "model.safetensors", encodeSafetensors([]));
  expect(await isAdapter(model)).toBe(false);
  const bare = join(folder, "bare");
  mkdirSync(bare);
  put(bare, "adapter_config.json", JSON.stringify(least));
  const nothing = openAdapter(loraPath("base"), bare);
  await expectSentence(nothing, bare, "adapter_model.safetensors or adapter_model.bin", "neither");
  const config = "the folder of a LoRA adapter, with adapter_config.json";
  await expectSentence(openAdapter(loraPath("base"), loraPath("base")), loraPath("base"), config, "none");
});
