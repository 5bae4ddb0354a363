import { fileURLToPath } from "node:url";
import { parameterCount, parameters } from "../learn/decoder/shape.js";
import type { Models } from "../learn/training.js";
import { openCheckpoint } from "../source/safetensors/checkpoint.js";

/** The same distance from src/cli and from dist/cli. */
const example = fileURLToPath(new URL("../../src/example/", import.meta.url));

/** The base that comes with the tool, and the model that GRPO made of it, which teaches. */
export async function exampleModels(): Promise<Models> {
  const [base, teacher] = await Promise.all(["base", "final-fp32"].map(modelIn));
  return { base, teacher };
}

async function modelIn(name: string): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(`${example}${name}.safetensors`);
  const model = new Float32Array(parameterCount);
  for (const { name, at, length } of parameters) {
    await checkpoint.tensors.get(name)!.values!.read(0, model.subarray(at, at + length));
  }
  await checkpoint.close();
  return model;
}
