import type { Arithmetic } from "./arithmetic.js";
import type { Numbers } from "./numbers.js";
import { hidden, layers, offsetOf, paddedVocabulary, parameterCount, vocabulary, width } from "./shape.js";

/** Where the parameters of a layer begin. Query, key and value matrices follow each other. */
export const layerOffsets = Array.from({ length: layers }, (_, layer) => {
  const at = (name: string) => offsetOf(`layers.${layer}.${name}`);
  return {
    norm1: at("input_layernorm.weight"),
    bias1: at("input_layernorm.bias"),
    norm2: at("post_attention_layernorm.weight"),
    bias2: at("post_attention_layernorm.bias"),
    qkv: at("q_proj.weight"),
    out: at("o_proj.weight"),
    up: at("up_proj.weight"),
    down: at("down_proj.weight"),
  };
});

export const offsets = {
  tokens: offsetOf("embed_tokens.weight"),
  positions: offsetOf("embed_positions.weight"),
  norm: offsetOf("norm.weight"),
  bias: offsetOf("norm.bias"),
  head: offsetOf("lm_head.weight"),
};

/** Numbers in a row of all parameters, which ends with the head and its padding. */
export const paddedCount = parameterCount + (paddedVocabulary - vocabulary) * width;

/** Parameters, and the matrices turned, as products with rows of numbers take them. */
export class Weights {
  readonly row: Numbers;
  /** By layer. */
  readonly turned: readonly {
    readonly qkv: Numbers;
    readonly out: Numbers;
    readonly up: Numbers;
    readonly down: Numbers;
  }[];
  readonly head: Numbers;

  constructor({ allocate }: Arithmetic) {
    this.row = allocate(paddedCount);
    this.turned = layerOffsets.map(() => ({
      qkv: allocate(3 * width * width),
      out: allocate(width * width),
      up: allocate(hidden * width),
      down: allocate(hidden * width),
    }));
    this.head = allocate(paddedVocabulary * width);
  }

  /** Takes all parameters, in the order of `parameters`. */
  set(numbers: ArrayLike<number>): void {
    for (let i = 0; i < parameterCount; i++) this.row[i] = numbers[i];
    for (const [l, turned] of this.turned.entries()) {
      const { qkv, out, up, down } = layerOffsets[l];
      turn(this.row, qkv, turned.qkv, 3 * width, width);
      turn(this.row, out, turned.out, width, width);
      turn(this.row, up, turned.up, hidden, width);
      turn(this.row, down, turned.down, width, hidden);
    }
    turn(this.row, offsets.head, this.head, paddedVocabulary, width);
  }
}

function turn(from: Numbers, at: number, to: Numbers, rows: number, columns: number): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) to[j * rows + i] = from[at + i * columns + j];
  }
}
