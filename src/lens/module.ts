/** What part of a model a tensor is. */
export const moduleKinds = [
  "q",
  "k",
  "v",
  "qkv",
  "kv",
  "o",
  "gate",
  "up",
  "gate-up",
  "down",
  "expert",
  "router",
  "norm",
  "embedding",
  "head",
  "vision",
  "audio",
  "other",
] as const;
export type ModuleKind = (typeof moduleKinds)[number];

export interface Module {
  readonly kind: ModuleKind;
  /** The stack of layers it is in, such as `model.layers` or `visual.blocks`; null outside of any. */
  readonly stack: string | null;
  readonly layer: number | null;
}

/**
 * Names of modules by kind, the first match counts. A name is matched as a whole between dots, so that `q_norm` is a
 * norm and no query; a bias, a scale or a LoRA factor belongs to the module that it is in.
 */
const patterns: readonly (readonly [ModuleKind, RegExp])[] = [
  // Towers are models of their own: their q and k would blur those of the language model.
  [
    "vision",
    names(
      "visual|vision|vision_(?:tower|model|encoder|embedder)|vit|image_encoder|multi_modal_projector|mm_projector|patch_embed",
    ),
  ],
  ["audio", names("audio|audio_(?:tower|model|encoder)|speech_encoder")],
  ["norm", names(String.raw`\w*norm\w*|ln|ln_?[\w]+|layer_?norms?`)],
  // State-space and linear-attention mixers have an out_proj too, which is no attention's output.
  ["other", names("mamba|mixer|ssm|linear_attn")],
  // Mixtral's block_sparse_moe.gate and Qwen's mlp.gate choose experts; gate_proj is none of them.
  ["router", names("router|gate|shared_expert_gate|e_score_correction_bias")],
  ["expert", names("experts|shared_experts?|expert")],
  [
    "embedding",
    names(
      "embed_tokens|embed_positions|embed_in|tok_embeddings|embeddings?|word_embeddings|position_embeddings|wte|wpe|shared|embed",
    ),
  ],
  ["head", names("lm_head|embed_out|output_layer|score|v_head|value_head|classifier")],
  ["head", /^(?:model\.)?output(?:\.|$)/],
  ["qkv", names("qkv_proj|qkv|c_attn|query_key_value|W_?pack|Wqkv|in_proj_weight|in_proj_bias")],
  ["kv", names("kv_a_proj_with_mqa|kv_a_proj|kv_b_proj|kv_proj")],
  ["q", names("q_proj|q_a_proj|q_b_proj|query|wq|q")],
  ["k", names("k_proj|key|wk|k")],
  ["v", names("v_proj|value|wv|v")],
  ["gate-up", names("gate_up_proj|gate_and_up_proj|dense_h_to_4h_swiglu")],
  ["gate", names("gate_proj|w1")],
  ["up", names("up_proj|w3|c_fc|fc1|fc_in|dense_h_to_4h|wi")],
  ["down", names("down_proj|w2|fc2|fc_out|dense_4h_to_h")],
  // GPT-2 calls both of its output projections c_proj.
  ["down", /(?:^|\.)mlp\.c_proj(?:\.|$)/],
  ["o", names("o_proj|out_proj|wo|c_proj|dense|o")],
];

function names(alternatives: string): RegExp {
  return new RegExp(`(?:^|\\.)(?:${alternatives})(?:\\.|$)`);
}

const layers = /^(.*?(?:^|\.)(?:layers?|h|blocks?|block))\.(\d{1,6})(?:\.|$)/s;

/** The module of a tensor by its name, as Hugging Face's checkpoints name them. What is not known is `other`. */
export function moduleOf(name: string): Module {
  const kind = patterns.find(([, pattern]) => pattern.test(name))?.[0] ?? "other";
  const [, stack = null, layer = null] = layers.exec(name) ?? [];
  return { kind, stack, layer: layer === null ? null : Number(layer) };
}
