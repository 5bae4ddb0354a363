import { describe, expect, test } from "vitest";
import { parseAdapterConfig, readAdapterConfig, scaleOf } from "../../../src/source/adapter/config.js";
import { InputError } from "../../../src/source/input-error.js";
import { loraPath } from "../../support/lora.js";
import { expectSentence, put, temporaryFolder } from "../support.js";

const least = { r: 8, lora_alpha: 16 };
const parse = (config: object) => parseAdapterConfig(JSON.stringify({ ...least, ...config }), "c.json");
const whatIsMerged = "a LoRA adapter whose change is scale * B A";

describe("the scale of a module", () => {
  test("is alpha over the rank, or over its root", () => {
    expect(scaleOf(parse({}), "q_proj")).toEqual({ rank: 8, scale: 2 });
    expect(scaleOf(parse({ use_rslora: true }), "q_proj")).toEqual({ rank: 8, scale: 16 / Math.sqrt(8) });
  });

  test("goes by the first pattern that fits the end of its name, as PEFT's", () => {
    const config = parse({
      rank_pattern: { "layers.1.self_attn.q_proj": 2, "q_proj|k_proj": 4, "layers\\.[45]\\..*": 32 },
      alpha_pattern: { q_proj: 1 },
    });
    expect(scaleOf(config, "model.layers.1.self_attn.q_proj")).toEqual({ rank: 2, scale: 0.5 });
    expect(scaleOf(config, "model.layers.11.self_attn.q_proj")).toEqual({ rank: 4, scale: 0.25 });
    expect(scaleOf(config, "model.layers.1.self_attn.k_proj")).toEqual({ rank: 4, scale: 4 });
    // The pattern is to fit whole parts of the name.
    expect(scaleOf(config, "model.layers.1.mlp.xq_proj")).toEqual({ rank: 8, scale: 2 });
    expect(scaleOf(config, "model.layers.4.mlp.up_proj")).toEqual({ rank: 32, scale: 0.5 });
  });
});

test("what PEFT 0.21 writes is taken, defaults and all", async () => {
  const config = await readAdapterConfig(loraPath("adapter-rslora/adapter_config.json"));
  expect(config).toMatchObject({ rank: 8, alpha: 16, rsLora: true, fanInFanOut: false });
});

describe("what is more than scale * B A is refused by name", () => {
  test.each([
    [{ peft_type: "LOHA" }, 'one of type "LOHA"'],
    [{ peft_type: "ADALORA" }, 'one of type "ADALORA"'],
    [{ use_dora: true }, "DoRA, whose magnitudes scale the merged weight"],
    [{ lora_bias: true }, "one with biases in lora_B"],
    [{ bias: "all" }, 'one with trained biases (bias "all")'],
    [{ alora_invocation_tokens: [1] }, "an activated LoRA, which cannot be merged"],
    [{ layer_replication: [[0, 2]] }, "one that replicates layers of its base"],
    [{ target_parameters: ["experts"] }, "one with factors of parameters (target_parameters)"],
    [{ trainable_token_indices: [5] }, "one with trained tokens (trainable_token_indices)"],
    [{ kasa_config: { beta: 1 } }, "KaSA, which has singular values between its factors"],
    [{ use_newer: true }, 'one with "use_newer", which is not known here'],
    [
      { init_lora_weights: "pissa_niter_4" },
      'one of init_lora_weights "pissa_niter_4", which changes the base: PEFT converts it to LoRA ' +
        "(save_pretrained, path_initial_model_for_weight_conversion)",
    ],
  ])("%j", async (config, found) => {
    await expectSentence(
      Promise.resolve().then(() => parse(config)),
      "c.json",
      whatIsMerged,
      found,
    );
  });

  test("and not what is off, or only a way to begin", () => {
    const off = { use_dora: false, lora_bias: null, target_parameters: [], kasa_config: {}, bias: "none" };
    for (const init of [true, false, "gaussian", "eva", "orthogonal"]) {
      expect(parse({ ...off, init_lora_weights: init })).toMatchObject({ rank: 8 });
    }
  });
});

describe("a configuration that is none gets one sentence", () => {
  test.each([
    ["{", "the JSON of an adapter's configuration", "no valid JSON"],
    ["[1]", "the JSON of an adapter's configuration", "no object"],
    ["{}", "r, a whole number of at least 1", "none"],
    ['{"r":0,"lora_alpha":1}', "r, a whole number of at least 1", "0"],
    ['{"r":2.5,"lora_alpha":1}', "r, a whole number of at least 1", "2.5"],
    ['{"r":8,"lora_alpha":"x"}', "lora_alpha, a positive number", '"x"'],
    ['{"r":8,"lora_alpha":1,"rank_pattern":[1]}', "rank_pattern, an object", "[1]"],
    [
      '{"r":8,"lora_alpha":1,"rank_pattern":{"q":0}}',
      'rank_pattern of "q", a whole number of at least 1',
      "0",
    ],
    ['{"r":8,"lora_alpha":1,"alpha_pattern":{"(":1}}', "patterns of module names in alpha_pattern", '"("'],
    [
      '{"r":8,"lora_alpha":1,"alpha_pattern":{"(a+)+b":1}}',
      "patterns of module names in alpha_pattern",
      '"(a+)+b"',
    ],
  ])("%s", async (text, expected, found) => {
    await expectSentence(
      Promise.resolve().then(() => parseAdapterConfig(text, "c.json")),
      "c.json",
      expected,
      found,
    );
  });

  const folder = temporaryFolder();
  test("one that is not there, or far too long", async () => {
    await expect(readAdapterConfig(`${folder}/none.json`)).rejects.toThrow(InputError);
    const path = put(folder, "long.json", " ".repeat(2 ** 20 + 1));
    await expectSentence(
      readAdapterConfig(path),
      path,
      "a configuration of at most 1048576 bytes",
      "1048577 bytes",
    );
  });
});
