import type { ModuleKind } from "./module-kind.js";

/** A kind of module, a name pattern, and the origin of such names. */
export type ModuleRow = readonly [kind: ModuleKind, pattern: string, from: string];

/**
 * Names of modules by kind. The first matching row wins, so exceptions come first; a name without a match is
 * `other`.
 *
 * A pattern is one segment of a name or some that follow each other, joined by dots, and may be anywhere in
 * the name. Segments are matched whole: `gate` is not `gate_proj`. Matching ignores case unless the pattern
 * has capitals: `mlp.Wi` is not `mlp.wi`. `*` is any characters within a segment, `#` a number, `(a|b)`
 * either; `^` is for names outside of any layer.
 *
 * Names do not tell everything. `linear_fc1` is gate and up in models with gates, and up alone in those without;
 * `ff_proj` is the gate alone in LLaDA; a `multi_modal_projector` is of sound in Qwen2-Audio.
 */
// biome-ignore format: a table
export const moduleTable: readonly ModuleRow[] = [
  // Towers are separate models; their q and k must not be mixed with those of the language model.
  ["audio",     "(audio|audio_*|speech_*|embed_audio|conformer)",   "Qwen2-Audio, Ultravox, Gemma 3n"],
  ["audio",     "(a.blk|mm.a)",                                     "GGUF"],
  ["vision",    "(visual|vision|vit|vpm)",                          "Qwen-VL, InternVL, MiniCPM-V, torchtune"],
  ["vision",    "(vision_*|visual_*|sam_model)",                    "LLaVA, Llama 3.2 and 4, CogVLM, DeepSeek-OCR"],
  ["vision",    "(image_tower|video_tower|image_embed|image_newline)", "Video-LLaVA, Phi-4-multimodal, LLaVA-NeXT"],
  ["vision",    "(embed_vision|img_processor)",                     "Gemma 3n, Phi-3-vision"],
  ["vision",    "(multi_modal_projector|mm_projector|*aligner)",    "LLaVA, Gemma 3, Llama 4, Kimi-VL, Janus"],
  ["vision",    "(patch_embed*|patch_merger|resampler*)",           "Qwen2-VL, Pixtral, MiniCPM-V, ERNIE 4.5-VL"],
  ["vision",    "(modality_projection|perceiver_resampler)",        "Idefics3, SmolVLM, Idefics2"],
  ["vision",    "vqmodel",                                          "Chameleon, Emu3, Janus"],
  ["vision",    "encoder.(clip|projection)",                        "torchtune"],
  ["vision",    "^mlp1",                                            "InternVL"],
  ["vision",    "v.(blk|*_embd|pre_ln|post_ln)",                    "GGUF"],
  ["vision",    "mm",                                               "GGUF"],

  // A norm within any other module is a norm; a matrix that computes a norm's scale and shift is not.
  ["other",     "*norm*.(linear*|emb|mlp)",                         "diffusers: AdaLayerNorm; A.X K2"],
  ["norm",      "*norm*",                                           "Llama, BERT, T5, Megatron-Core, GGUF"],
  ["norm",      "(ln|ln#|ln_*|*_ln)",                               "Phi-1, RWKV, GPT-2, Whisper"],

  // Mixers other than attention, and parts of attention other than its four matrices.
  ["other",     "(linear_attn|mamba|ssm|ssm_*)",                    "Qwen3-Next, Jamba, Falcon-H1, GGUF"],
  ["o",         "h.#.mixer.out_proj",                               "Phi-1"],
  ["o",         "encoder.layers.#.mixer.out_proj",                  "Nomic BERT"],
  ["other",     "mixer.(in_proj|out_proj)",                         "Mamba, Nemotron-H"],
  ["other",     "(conv|shortconv).(in_proj|out_proj)",              "LFM2, GGUF"],
  ["other",     "(indexer|compressor)",                             "DeepSeek-V3.2, DeepSeek-V4"],
  ["other",     "self_attn.gate_proj",                              "AFMoE: gates what attention puts out"],
  ["other",     "(feed_forward|ffn).receptance",                    "RWKV"],

  // Routers; gate_proj is not one.
  ["router",    "(mlp|ffn|feed_forward|mixer|*moe).gate",           "Qwen-MoE, DeepSeek, Nemotron-H, Mixtral"],
  ["router",    "(moe_block|moeblock_#|layers.#).gate",             "MaxText, Mistral Large 3"],
  ["router",    "(router|primary_router|router_bias|router_logits)", "gpt-oss, Llama 4, Step-3, Gemma (JAX)"],
  ["router",    "(shared_expert_gate|shared_experts.gate)",         "Qwen2-MoE, torchtitan"],
  ["router",    "(e_score_correction*|expert_bias*)",               "DeepSeek-V3, MiniMax, Megatron-Core"],
  ["router",    "(ffn_gate_inp*|exp_probs_b)",                      "GGUF"],

  ["expert",    "(*experts|*expert)",                               "Mixtral, DeepSeek, Qwen-MoE, Switch"],
  ["expert",    "(moe|moe_block|moeblock_#|feed_forward_moe)",      "Step-3, MaxText, OLMo-core"],
  ["expert",    "(block_sparse_moe|shared_mlp)",                    "Granite, Hunyuan"],
  ["expert",    "(mlp1_weight|mlp1_bias|mlp2_weight|mlp2_bias)",    "gpt-oss"],
  ["expert",    "ffn_*_(exps|shexp|chexps)",                        "GGUF"],
  ["expert",    "ffn_(gate|up|down).#",                             "GGUF: Mixtral"],

  ["head",      "*lm_head*",                                        "Llama, Qwen, RoBERTa, MusicGen"],
  ["head",      "(output_layer|embed_out|unembedding)",             "Megatron-Core, GPT-NeoX, gpt-oss"],
  ["head",      "^(head|ff_out|proj_out|lm_loss)",                  "DeepSeek, OLMo, Whisper, XLNet"],
  ["head",      "(shared_head|shared_head_head)",                   "DeepSeek-V3: MTP, GGUF"],
  ["head",      "(logits_dense|vocab_projector)",                   "T5X, MaxText, DistilBERT"],
  ["head",      "^decoder.(weight|bias)",                           "ModernBERT"],
  ["head",      "^(cls|classifier|score|qa_outputs)",               "BERT and the Hub's classifiers"],
  ["head",      "^(v_head|value_head|reward_head)",                 "TRL, reward models"],

  ["embedding", "(embed_tokens*|embed_positions|embed_in)",         "Llama, OPT, GPT-NeoX, Gemma 3n"],
  ["embedding", "(word|position|token|token_type)_embedding*",      "BERT, Falcon, Megatron-Core, XLNet"],
  ["embedding", "(embedding|embeddings|tok_embeddings)",            "gpt-oss, T5X, OLMo-core, Llama, InternLM2"],
  ["embedding", "(wte|wpe|shared)",                                 "GPT-2, T5"],
  ["embedding", "^embed",                                           "DeepSeek"],
  ["embedding", "input_embedding",                                  "Gemma (JAX)"],
  ["embedding", "(token_embd|position_embd|token_types|per_layer_token_embd)", "GGUF"],

  // Attention.
  ["q",         "(q_proj|q_a_proj|q_b_proj|q_lin|q_attn|q)",        "Llama, DeepSeek, DistilBERT, GPT-2, T5"],
  ["k",         "(k_proj|k_b_proj|k_lin|k)",                        "Llama, DistilBERT, T5"],
  ["v",         "(v_proj|v_b_proj|v_lin|v)",                        "Llama, DistilBERT, T5"],
  ["q",         "(wq|wq_a|wq_b|w_q)",                               "Llama, DeepSeek, OLMo-core"],
  ["k",         "(wk|w_k)",                                         "Llama, OLMo-core"],
  ["v",         "(wv|w_v)",                                         "Llama, OLMo-core"],
  ["q",         "linear_(q|q_proj|q_down_proj|q_up_proj)",          "Megatron-Core"],
  ["up",        "(feed_forward|ffn).key",                           "RWKV"],
  ["down",      "(feed_forward|ffn).value",                         "RWKV"],
  ["q",         "(query|query_proj)",                               "BERT, DeBERTa, T5X, MaxText"],
  ["k",         "(key|key_proj)",                                   "BERT, DeBERTa, T5X, MaxText"],
  ["v",         "(value|value_proj)",                               "BERT, DeBERTa, T5X, MaxText"],
  ["q",         "(to_q|add_q_proj)",                                "diffusers"],
  ["k",         "(to_k|add_k_proj)",                                "diffusers"],
  ["v",         "(to_v|add_v_proj)",                                "diffusers"],
  ["q",         "(attn_q|attn_q_a|attn_q_b|cross_attn_q|q_einsum)", "GGUF, Gemma (JAX)"],
  ["k",         "(attn_k|attn_k_b|cross_attn_k|k_einsum)",          "GGUF, Gemma (JAX)"],
  ["v",         "(attn_v|attn_v_b|cross_attn_v)",                   "GGUF"],
  ["qkv",       "(qkv|qkv_proj|wqkv|w_pack)",                       "Phi-3, InternLM2, MPT, Baichuan"],
  ["qkv",       "(*query_key_value|linear_qkv|linear_qkv_down_proj)", "GPT-NeoX, Falcon, ChatGLM, Megatron-Core"],
  ["kv",        "crossattention.c_attn",                            "GPT-2"],
  ["qkv",       "(c_attn|att_proj)",                                "GPT-2, Qwen-1, OLMo"],
  ["qkv",       "in_proj_(weight|bias)",                            "torch.nn.MultiheadAttention"],
  ["qkv",       "(to_qkv|to_added_qkv|*_attn_qkv)",                 "diffusers"],
  ["qkv",       "(attn_qkv|qkv_einsum)",                            "GGUF, Gemma (JAX)"],
  ["kv",        "(kv_proj|kv_a_proj|kv_a_proj_with_mqa|kv_b_proj)", "DeepSeek"],
  ["kv",        "(wkv|wkv_a|wkv_b|wkv_a_with_mqa)",                 "DeepSeek, torchtitan, Mistral Large 3"],
  ["kv",        "linear_(kv|kv_proj|kv_down_proj|kv_up_proj)",      "Megatron-Core"],
  ["kv",        "(to_kv|to_added_kv|kv_einsum|kv_attn)",            "diffusers, Gemma (JAX), StarCoder"],
  ["kv",        "attn_(kv_a_mqa|kv_b)",                             "GGUF"],
  ["down",      "mlp.wo",                                           "T5X, MaxText, ModernBERT"],
  ["down",      "DenseReluDense.wo",                                "T5"],
  ["o",         "(o_proj|o_a_proj|o_b_proj|out_proj|output_proj|o)", "Llama, DeepSeek-V4, GPT-J, torchtune, T5"],
  ["o",         "(wo|wo_a|wo_b|out_lin|attention.w_out)",           "Llama, DeepSeek-V4, DistilBERT, OLMo-core"],
  ["o",         "(*attention*|*attn*).(dense|out|output)",          "GPT-NeoX, Falcon, BERT, T5X, RWKV, LED"],
  ["o",         "*attn*.proj",                                      "FLUX, timm"],
  ["o",         "(attn|crossattention).c_proj",                     "GPT-2, Qwen-1"],
  ["o",         "(linear_proj|attn_out)",                           "Megatron-Core, OLMo"],
  ["o",         "(to_out|to_add_out|*_attn_proj)",                  "diffusers"],
  ["o",         "(attn_output|attn_o|cross_attn_o|attn_vec_einsum)", "GGUF, Gemma (JAX)"],

  // The MLP.
  ["gate-up",   "(gate_up_proj|gate_and_up_proj|gating_einsum)",    "Phi-3, GLM-4, Hunyuan, Gemma (JAX)"],
  ["gate-up",   "(linear_fc1|dense_h_to_4h_swiglu)",                "Megatron-Core, Megatron-DeepSpeed"],
  ["gate-up",   "transformer.encoder.layers.#.mlp.dense_h_to_4h",   "ChatGLM2, ChatGLM3, GLM-4"],
  ["gate-up",   "(ff_proj|up_gated_layer)",                         "OLMo, JinaBERT"],
  ["gate-up",   "mlp.Wi",                                           "ModernBERT"],
  ["up",        "h.#.mlp.w1",                                       "Qwen-1: the linear branch"],
  ["gate",      "h.#.mlp.w2",                                       "Qwen-1: the gated branch"],
  ["gate",      "(gate_proj|w1|wi_0|c_fc_0|c_fc2|ffn_gate)",        "Llama, T5 v1.1, EXAONE, Jais, GGUF"],
  ["up",        "(up_proj|w3|wi|wi_1|c_fc|c_fc_1|ffn_up)",          "Llama, T5, GPT-2, EXAONE, GGUF"],
  ["up",        "(dense_h_to_4h|fc1|fc_in|lin1|intermediate.dense)", "GPT-NeoX, OPT, GPT-J, DistilBERT, BERT"],
  ["up",        "(net.0.proj|proj_mlp|*_mlp.0)",                    "diffusers, FLUX"],
  ["down",      "(down_proj|w2|linear_fc2|ffn_down)",               "Llama, Megatron-Core, GGUF"],
  ["down",      "(dense_4h_to_h|fc2|fc_out|lin2|output.dense)",     "GPT-NeoX, OPT, GPT-J, DistilBERT, BERT"],
  ["down",      "(mlp.c_proj|#.ff_out|mlp.linear)",                 "GPT-2, Qwen-1, OLMo, Gemma (JAX)"],
  ["down",      "(net.2|*_mlp.2)",                                  "diffusers, FLUX"],

  // Last, because many modules have an output.
  ["head",      "^output",                                          "Llama, torchtune, InternLM2, GGUF"],
];

/** Wrapper segments, removed from names. */
// biome-ignore format: a table
export const wrappers: readonly (readonly [pattern: string, from: string])[] = [
  ["module",                      "torch's DistributedDataParallel, DeepSpeed, Megatron"],
  ["_orig_mod",                   "torch.compile"],
  ["_fsdp_wrapped_module",        "torch's FullyShardedDataParallel"],
  ["_checkpoint_wrapped_module",  "torch's activation checkpointing"],
  ["_forward_module",             "Lightning"],
  ["base_model.model",            "PEFT"],
  ["pretrained_model",            "TRL"],
  ["params",                      "Flax"],
  ["norm_attn_norm",              "DBRX: an attention and its norms"],
  ["roberta_prelayernorm",        "RoBERTa-PreLayerNorm: the model"],
];

/** Lists of layers: a number follows, as in `layers.3` or `layers_3`. */
// biome-ignore format: a table
export const stacks: readonly (readonly [pattern: string, from: string])[] = [
  ["(layers|layer|blocks|block)",    "Llama, BERT, MPT, T5; Flax"],
  ["*_(layers|layer|blocks|block)",  "diffusers, torchtitan"],
  ["h",                              "GPT-2"],
  ["blk",                            "GGUF"],
  ["resblocks",                      "OpenCLIP"],
  ["encoderblock",                   "big_vision"],
];
