import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";

/** A file or folder of test/data/lora. */
export function loraPath(path: string): string {
  return fileURLToPath(new URL(`../data/lora/${path}`, import.meta.url));
}

export interface ExpectedTensor {
  readonly weights: number;
  readonly none: number;
  readonly lost: number;
  readonly moved: number;
  readonly differsFromPeft: number;
  readonly effectiveDescent: number;
}

/** The results of numpy by adapter name. */
export const expectedLora: Readonly<
  Record<
    string,
    {
      readonly scale: number;
      readonly totals: Omit<ExpectedTensor, "effectiveDescent">;
      readonly tensors: Readonly<Record<string, ExpectedTensor>>;
    }
  >
> = JSON.parse(readFileSync(loraPath("expected.json"), "utf8"));

/** A tensor of fp32 numbers. */
export function float32Tensor(
  name: string,
  shape: readonly number[],
  numbers: ArrayLike<number>,
): TensorToWrite {
  return { name, dtype: "F32", shape, data: Float32Array.from(numbers) };
}

/** Writes an adapter as PEFT does. */
export function putAdapter(
  folder: string,
  name: string,
  config: object | string,
  tensors: readonly TensorToWrite[],
): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(
    join(path, "adapter_config.json"),
    typeof config === "string" ? config : JSON.stringify(config),
  );
  writeFileSync(join(path, "adapter_model.safetensors"), encodeSafetensors(tensors));
  return path;
}
