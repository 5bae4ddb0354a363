/** The decoder of the recorded runs: 26,048 weights in two layers, on ten digits and three signs. */

export const vocabulary = 13;
export const width = 32;
export const heads = 4;
export const headWidth = width / heads;
export const layers = 2;
export const hidden = 128;
/** Most tokens that have a position of their own. */
export const positions = 10;

/** Rows of the last matrix as kernels see them, which take eight columns at a time; those beyond the vocabulary are zero. */
export const paddedVocabulary = 16;

/** Tokens beside the ten digits. */
export const plus = 10;
export const equals = 11;
/** Ends a text by its name, and does not come in the recorded runs: free for a second operation. */
export const minus = 12;

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly length: number;
  /** Of its first number in the row of all parameters. */
  readonly at: number;
}

/** All parameters in the order of their files; query, key and value matrices of a layer lie side by side. */
export const parameters: readonly Parameter[] = (() => {
  const shapes: [string, number[]][] = [
    ["embed_tokens.weight", [vocabulary, width]],
    ["embed_positions.weight", [positions, width]],
    ...Array.from({ length: layers }, (_, layer) =>
      ofLayer().map(([name, shape]): [string, number[]] => [`layers.${layer}.${name}`, shape]),
    ).flat(),
    ["norm.weight", [width]],
    ["norm.bias", [width]],
    ["lm_head.weight", [vocabulary, width]],
  ];
  let at = 0;
  return shapes.map(([name, shape]) => {
    const length = shape.reduce((product, n) => product * n, 1);
    at += length;
    return { name, shape, length, at: at - length };
  });
})();

function ofLayer(): [string, number[]][] {
  return [
    ["input_layernorm.weight", [width]],
    ["input_layernorm.bias", [width]],
    ["post_attention_layernorm.weight", [width]],
    ["post_attention_layernorm.bias", [width]],
    ["q_proj.weight", [width, width]],
    ["k_proj.weight", [width, width]],
    ["v_proj.weight", [width, width]],
    ["o_proj.weight", [width, width]],
    ["up_proj.weight", [hidden, width]],
    ["down_proj.weight", [width, hidden]],
  ];
}

/** Numbers in all parameters: 26,048. */
export const parameterCount = parameters.reduce((sum, { length }) => sum + length, 0);

/** Where a parameter begins. */
export function offsetOf(name: string): number {
  const found = parameters.find((parameter) => parameter.name === name);
  if (!found) throw new Error(`no parameter ${name}`);
  return found.at;
}
