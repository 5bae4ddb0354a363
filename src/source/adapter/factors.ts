import type { Factor } from "../../lens/input.js";
import { InputError, quote } from "../input-error.js";
import { readableDtypes } from "../safetensors/dtype.js";
import { shapeText } from "../safetensors/header.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";

/** The two factors of a module, as PEFT names them. */
export interface ModuleFactors {
  /** The name of the module in the base, such as `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  /** For an embedding the update is (B A) transposed. */
  readonly embedding: boolean;
  /** rank x inputs */
  readonly a: StoredTensor;
  /** outputs x rank */
  readonly b: StoredTensor;
}

export interface AdapterTensors {
  readonly modules: readonly ModuleFactors[];
  /** Tensors that replace those of the base (modules_to_save, resized embeddings), by the base's names. */
  readonly copies: ReadonlyMap<string, StoredTensor>;
}

/** Tensor names that identify other adapter types. */
const others: readonly (readonly [RegExp, string])[] = [
  [/lora_magnitude_vector/, "DoRA"],
  [/\.hada_w[12]_[ab]/, "LoHa"],
  [/\.lokr_w[12]/, "LoKr"],
  [/\.lora_E(\.|$)/, "AdaLoRA"],
  [/\.ia3_l(\.|$)/, "IA3"],
  [/\.(oft_R|oft_r|boft_R|boft_s)(\.|$)/, "OFT"],
  [/vera_lambda_[bd]/, "VeRA"],
  [/\.lora_[AB](\.\w+)?\.bias$/, "LoRA with biases"],
  [/\.lora_(up|down)\.weight$|\.lora\.(up|down)\.weight$/, "LoRA by the names of kohya or diffusers"],
  [/^prompt_embeddings$/, "a prompt"],
];

/** `.lora_A.weight`, or with the adapter's name as in a state dict of the whole model. */
const factorName = /^(.+)\.lora_(?:(embedding)_)?([AB])(?:\.(?!weight$)\w+)?(?:\.weight)?$/s;
const prefix = /^base_model\.model\./;
const wrapped = /\.(?:modules_to_save(?:\.\w+)?|base_layer)(?=\.\w+$)/;

/**
 * The factors among the tensors of an adapter, in the order of the A factors.
 *
 * @param file for messages.
 * @throws InputError for another type of adapter, or if a module lacks one of the factors.
 */
export function adapterTensors(tensors: ReadonlyMap<string, StoredTensor>, file: string): AdapterTensors {
  const factors = new Map<string, { embedding: boolean; a?: StoredTensor; b?: StoredTensor }>();
  const copies = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const other = others.find(([pattern]) => pattern.test(name));
    if (other) throw new InputError(file, "the factors of a LoRA adapter", `${other[1]}: ${quote(name)}`);
    const plain = name.replace(prefix, "");
    const fields = factorName.exec(plain);
    if (fields === null) {
      copies.set(plain.replace(wrapped, ""), tensor);
      continue;
    }
    const [, inBase, kind, which] = fields;
    const module = inBase.replace(/\.base_layer$/, "");
    const pair = factors.get(module) ?? { embedding: kind !== undefined };
    const letter = which === "A" ? "a" : "b";
    if (pair[letter]) {
      const twins = `${quote(pair[letter].name)} and ${quote(name)}`;
      throw new InputError(file, `one lora_${which} of ${quote(module)}`, twins);
    }
    pair[letter] = tensor;
    factors.set(module, pair);
  }
  const modules = [...factors].map(([module, { embedding, a, b }]): ModuleFactors => {
    if (a && b) return { module, embedding, a, b };
    throw new InputError(file, `lora_A and lora_B of ${quote(module)}`, a ? "lora_A alone" : "lora_B alone");
  });
  if (modules.length === 0) {
    const [first] = tensors.keys();
    const found = first === undefined ? "no tensor" : `none; the first tensor is ${quote(first)}`;
    throw new InputError(file, "the factors of a LoRA adapter, such as X.lora_A.weight", found);
  }
  return { modules, copies };
}

/** The product that forms an update of this shape, or why the factors do not fit, in a few words. */
export function productOf(
  { module, embedding, a, b }: ModuleFactors,
  rank: number,
  shape: readonly number[],
  fanInFanOut: boolean,
): { rows: number; columns: number; left: Factor; right: Factor } | string {
  for (const { dtype, values, name } of [a, b]) {
    if (values === null)
      return `the dtype of ${quote(name)} is ${dtype.name}, not one of ${readableDtypes.join(", ")}`;
  }
  const volume = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);
  const [outputs, rankOfB, ...restOfB] = b.shape;
  const [rankOfA, ...inputs] = a.shape;
  // For a convolution the factor B is a 1 x 1 convolution.
  if (rankOfA !== rank || rankOfB !== rank || volume(restOfB) !== 1) {
    const found = `A ${shapeText(a.shape)} and B ${shapeText(b.shape)}`;
    return `its configuration has rank ${rank} for ${quote(module)}, its factors are ${found}`;
  }
  const transposed = embedding || fanInFanOut;
  const whole = transposed ? [...inputs, outputs] : [outputs, ...inputs];
  if (shapeText(whole) !== shapeText(shape)) {
    return `its shape is ${shapeText(shape)}, that of the product of its factors ${shapeText(whole)}`;
  }
  const [left, right] = transposed ? [a, b] : [b, a];
  const rows = transposed ? volume(inputs) : outputs;
  return {
    rows,
    columns: volume(shape) / Math.max(1, rows),
    left: { values: left.values!, transposed },
    right: { values: right.values!, transposed },
  };
}
