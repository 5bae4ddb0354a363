/** The shapes of published models, by their Hugging Face configs. */

export interface ModelShape {
  readonly name: string;
  /** The repository whose config.json this is. */
  readonly config: string;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  /** The output head is tied to the embedding. */
  readonly tied: boolean;
  /** Queries, keys and values have biases (Qwen2.5). */
  readonly biases: boolean;
  /** Queries and keys are normalized by head (Qwen3). */
  readonly headNorms: boolean;
  /** The root mean square of its matrices; see docs/simulation.md. */
  readonly sigma: number;
}

/** One tensor of a model. */
export interface ModelTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether it is the gain of a normalization, about 1. */
  readonly isGain: boolean;
}

const qwen25 = {
  headSize: 128,
  tied: true,
  biases: true,
  headNorms: false,
  vocabulary: 151_936,
  sigma: 0.022,
};
const qwen3 = {
  heads: 32,
  keyValueHeads: 8,
  headSize: 128,
  layers: 36,
  biases: false,
  headNorms: true,
  vocabulary: 151_936,
  sigma: 0.028,
};
const llama31 = {
  keyValueHeads: 8,
  headSize: 128,
  tied: false,
  biases: false,
  headNorms: false,
  vocabulary: 128_256,
};

const shapes: readonly ModelShape[] = [
  {
    ...qwen25,
    name: "qwen2.5-0.5b",
    config: "Qwen/Qwen2.5-0.5B",
    hidden: 896,
    layers: 24,
    heads: 14,
    keyValueHeads: 2,
    headSize: 64,
    intermediate: 4864,
  },
  {
    ...qwen25,
    name: "qwen2.5-1.5b",
    config: "Qwen/Qwen2.5-1.5B",
    hidden: 1536,
    layers: 28,
    heads: 12,
    keyValueHeads: 2,
    intermediate: 8960,
  },
  {
    ...qwen25,
    name: "qwen2.5-7b",
    config: "Qwen/Qwen2.5-7B",
    hidden: 3584,
    layers: 28,
    heads: 28,
    keyValueHeads: 4,
    intermediate: 18_944,
    vocabulary: 152_064,
    tied: false,
  },
  { ...qwen3, name: "qwen3-4b", config: "Qwen/Qwen3-4B", hidden: 2560, intermediate: 9728, tied: true },
  { ...qwen3, name: "qwen3-8b", config: "Qwen/Qwen3-8B", hidden: 4096, intermediate: 12_288, tied: false },
  {
    ...llama31,
    name: "llama-3.1-8b",
    config: "meta-llama/Llama-3.1-8B",
    hidden: 4096,
    layers: 32,
    heads: 32,
    intermediate: 14_336,
    sigma: 0.011,
  },
  {
    ...llama31,
    name: "llama-3.1-70b",
    config: "meta-llama/Llama-3.1-70B",
    hidden: 8192,
    layers: 80,
    heads: 64,
    intermediate: 28_672,
    sigma: 0.012,
  },
];

/** The models by name. */
export const models: ReadonlyMap<string, ModelShape> = new Map(shapes.map((shape) => [shape.name, shape]));

/** The tensors of a model with the names in its checkpoint, in the order of the forward pass. */
export function modelTensors(shape: ModelShape): ModelTensor[] {
  const { hidden, heads, keyValueHeads, headSize, intermediate, vocabulary } = shape;
  const matrix = (name: string, rows: number, columns: number): ModelTensor => ({
    name: `${name}.weight`,
    shape: [rows, columns],
    isGain: false,
  });
  const gain = (name: string, length: number): ModelTensor => ({
    name: `${name}.weight`,
    shape: [length],
    isGain: true,
  });
  const projection = (name: string, rows: number): ModelTensor[] => [
    ...(shape.biases ? [{ name: `${name}.bias`, shape: [rows], isGain: false }] : []),
    matrix(name, rows, hidden),
  ];
  const layer = (i: number): ModelTensor[] => {
    const attention = `model.layers.${i}.self_attn`;
    const mlp = `model.layers.${i}.mlp`;
    return [
      gain(`model.layers.${i}.input_layernorm`, hidden),
      ...projection(`${attention}.q_proj`, heads * headSize),
      ...projection(`${attention}.k_proj`, keyValueHeads * headSize),
      ...projection(`${attention}.v_proj`, keyValueHeads * headSize),
      ...(shape.headNorms
        ? [gain(`${attention}.q_norm`, headSize), gain(`${attention}.k_norm`, headSize)]
        : []),
      matrix(`${attention}.o_proj`, hidden, heads * headSize),
      gain(`model.layers.${i}.post_attention_layernorm`, hidden),
      matrix(`${mlp}.gate_proj`, intermediate, hidden),
      matrix(`${mlp}.up_proj`, intermediate, hidden),
      matrix(`${mlp}.down_proj`, hidden, intermediate),
    ];
  };
  return [
    matrix("model.embed_tokens", vocabulary, hidden),
    ...Array.from({ length: shape.layers }, (_, i) => layer(i)).flat(),
    gain("model.norm", hidden),
    ...(shape.tied ? [] : [matrix("lm_head", vocabulary, hidden)]),
  ];
}

/** Elements of a shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
