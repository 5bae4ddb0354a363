import { describe, expect, test } from "vitest";
import { type ModuleKind, moduleOf } from "../../src/lens/module.js";

/** As the checkpoints on the Hugging Face hub name them. */
const named: Readonly<Record<string, readonly (readonly [string, ModuleKind])[]>> = {
  "Llama, Qwen, Mistral": [
    ["model.embed_tokens.weight", "embedding"],
    ["model.layers.0.self_attn.q_proj.weight", "q"],
    ["model.layers.0.self_attn.k_proj.bias", "k"],
    ["model.layers.0.self_attn.v_proj.weight", "v"],
    ["model.layers.0.self_attn.o_proj.weight", "o"],
    ["model.layers.0.self_attn.q_norm.weight", "norm"],
    ["model.layers.0.mlp.gate_proj.weight", "gate"],
    ["model.layers.0.mlp.up_proj.weight", "up"],
    ["model.layers.0.mlp.down_proj.weight", "down"],
    ["model.layers.0.post_attention_layernorm.weight", "norm"],
    ["model.norm.weight", "norm"],
    ["lm_head.weight", "head"],
    ["model.layers.0.self_attn.q_proj.lora_A.weight", "q"],
  ],
  "Meta's own names": [
    ["tok_embeddings.weight", "embedding"],
    ["layers.0.attention.wq.weight", "q"],
    ["layers.0.attention.wo.weight", "o"],
    ["layers.0.feed_forward.w1.weight", "gate"],
    ["layers.0.feed_forward.w2.weight", "down"],
    ["layers.0.feed_forward.w3.weight", "up"],
    ["layers.0.ffn_norm.weight", "norm"],
    ["output.weight", "head"],
  ],
  "Phi-3, fused": [
    ["model.layers.0.self_attn.qkv_proj.weight", "qkv"],
    ["model.layers.0.mlp.gate_up_proj.weight", "gate-up"],
  ],
  "Mixtral, Qwen MoE, DeepSeek": [
    ["model.layers.0.block_sparse_moe.gate.weight", "router"],
    ["model.layers.0.block_sparse_moe.experts.7.w2.weight", "expert"],
    ["model.layers.0.mlp.gate.weight", "router"],
    ["model.layers.0.mlp.gate.e_score_correction_bias", "router"],
    ["model.layers.0.mlp.experts.63.gate_proj.weight", "expert"],
    ["model.layers.0.mlp.shared_experts.up_proj.weight", "expert"],
    ["model.layers.0.mlp.shared_expert_gate.weight", "router"],
    ["model.layers.0.self_attn.q_a_proj.weight", "q"],
    ["model.layers.0.self_attn.q_a_layernorm.weight", "norm"],
    ["model.layers.0.self_attn.kv_a_proj_with_mqa.weight", "kv"],
    ["model.layers.0.self_attn.kv_b_proj.weight", "kv"],
  ],
  "GPT-2": [
    ["wte.weight", "embedding"],
    ["wpe.weight", "embedding"],
    ["h.0.attn.c_attn.weight", "qkv"],
    ["h.0.attn.c_proj.weight", "o"],
    ["h.0.mlp.c_fc.weight", "up"],
    ["h.0.mlp.c_proj.bias", "down"],
    ["h.0.ln_1.weight", "norm"],
    ["ln_f.bias", "norm"],
  ],
  "GPT-NeoX": [
    ["gpt_neox.embed_in.weight", "embedding"],
    ["gpt_neox.layers.0.attention.query_key_value.weight", "qkv"],
    ["gpt_neox.layers.0.attention.dense.weight", "o"],
    ["gpt_neox.layers.0.mlp.dense_h_to_4h.weight", "up"],
    ["gpt_neox.layers.0.mlp.dense_4h_to_h.weight", "down"],
    ["embed_out.weight", "head"],
  ],
  "towers and mixers": [
    ["visual.blocks.0.attn.qkv.weight", "vision"],
    ["vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight", "vision"],
    ["audio_tower.layers.0.self_attn.q_proj.weight", "audio"],
    ["backbone.layers.0.mixer.out_proj.weight", "other"],
    ["model.layers.0.linear_attn.in_proj_qkvz.weight", "other"],
    ["model.layers.0.linear_attn.norm.weight", "norm"],
  ],
  "no model's": [
    ["w", "other"],
    ["", "other"],
    ["q_projection.weight", "other"],
    ["model.layers.0.self_attn.rotary_emb.inv_freq", "other"],
  ],
};

describe.each(Object.entries(named))("%s", (_, tensors) => {
  test.each(tensors)("%s is %s", (name, kind) => {
    expect(moduleOf(name).kind).toBe(kind);
  });
});

test.each([
  ["model.layers.31.mlp.up_proj.weight", "model.layers", 31],
  ["layers.0.w", "layers", 0],
  ["h.11.attn.c_attn.weight", "h", 11],
  ["visual.blocks.3.attn.qkv.weight", "visual.blocks", 3],
  ["encoder.block.2.layer.0.w", "encoder.block", 2],
  ["model.layers.5", "model.layers", 5],
  ["model.norm.weight", null, null],
  ["sublayers.3.w", null, null],
  ["layers.x.w", null, null],
])("%s is in the stack %s, layer %s", (name, stack, layer) => {
  expect(moduleOf(name)).toMatchObject({ stack, layer });
});
