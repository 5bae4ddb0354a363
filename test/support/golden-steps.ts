import { readdirSync } from "node:fs";
import { layouts, numberOf } from "./difference.js";
import { readGolden } from "./safetensors.js";

export const filesIn = (folder: string) => readdirSync(new URL(`../data/golden/${folder}/`, import.meta.url));

/** Ten steps of an optimizer, as torch computed them. */
export interface Vector {
  readonly optimizer: "adamw" | "adam" | "sgd";
  readonly format: "bf16" | "fp16";
  /** Such as `cpu-for-loop`. */
  readonly implementation: string;
  /** The recipe whose bits these are. */
  readonly recipe: string;
  readonly release: string;
  readonly device: string;
  readonly settings: { lr: number; betas: [number, number]; eps?: number; weightDecay: number };
  /** The codes of p, the gradient g, or a state, after step t. */
  readonly codes: (name: string, t: number) => Uint16Array;
}

/** A file, such as `cuda/sgd-bf16-cpu-fused-0.safetensors`. */
export function vector(path: string): Vector {
  const { metadata, bfloat16, float16 } = readGolden(path);
  const [, optimizer, format, on] = /(adamw|adam|sgd)-(bf16|fp16)-(cuda|cpu)?/.exec(path)!;
  const { lr, betas, momentum, eps, weight_decay } = metadata;
  const implementation = `${on ?? "cpu"}-${metadata.impl}`;
  return {
    optimizer: optimizer as Vector["optimizer"],
    format: format as "bf16" | "fp16",
    implementation,
    recipe: metadata.recipe ?? `torch-2.13-${implementation}`,
    release: metadata.torch,
    device: metadata.device ?? "cpu",
    settings: {
      lr: Number(lr),
      betas: betas === undefined ? [Number(momentum), 0] : JSON.parse(betas),
      ...(eps !== undefined && { eps: Number(eps) }),
      weightDecay: Number(weight_decay),
    },
    codes: (name, t) => (format === "bf16" ? bfloat16 : float16)(`${name}.${t}`),
  };
}

/** The number of every code. */
export const numbersOf = {
  bf16: Float64Array.from({ length: 2 ** 16 }, (_, code) => numberOf(code, layouts.bf16)),
  fp16: Float64Array.from({ length: 2 ** 16 }, (_, code) => numberOf(code, layouts.fp16)),
};

/** The numbers of p, the gradient g, or a state, after step t. */
export function goldenNumbers({ codes, format }: Vector, name: string, t: number): Float32Array {
  return Float32Array.from(codes(name, t), (code) => numbersOf[format][code]);
}
