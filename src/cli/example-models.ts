import { fileURLToPath } from "node:url";
import { parameterCount, parameters } from "../learn/decoder/shape.js";
import { type Operation, subtraction } from "../learn/task.js";
import { type Models, Training } from "../learn/training.js";
import { openCheckpoint } from "../source/checkpoint.js";
import { updateSettings } from "../update/settings.js";

/** The same distance from src/cli and from dist/cli. */
const example = fileURLToPath(new URL("../../src/example/", import.meta.url));

/** Bases that come with the tool: that of the recorded runs, and one that subtracts too. */
export const baseNames = ["addition", "two-operations"] as const;
export type BaseName = (typeof baseNames)[number];

/** What a base knows and no training is about. */
export function heldOutOf(base: BaseName): readonly Operation[] {
  return base === "two-operations" ? [subtraction] : [];
}

/**
 * A base and the model that teaches in on-policy distillation: what GRPO made of the base at 1e-5 in 300 steps. That of the recorded
 * runs is recorded, the other is trained here if it is needed.
 */
export async function exampleModels(name: BaseName = "addition", teaches = true): Promise<Models> {
  if (name === "addition") {
    const [base, teacher] = await Promise.all(["base", "final-fp32"].map(modelIn));
    return { base, teacher };
  }
  const base = await modelIn(name);
  if (!teaches) return { base, teacher: base };
  const settings = { run: "rlvr", storage: updateSettings({ format: "fp32" }), lr: 1e-5 } as const;
  const training = await Training.open(settings, { base, teacher: base });
  while (training.step < 300) await training.advance();
  return { base, teacher: training.weights.slice() };
}

async function modelIn(name: string): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(`${example}${name}.safetensors`);
  const model = new Float32Array(parameterCount);
  for (const { name: parameter, at, length } of parameters) {
    await checkpoint.tensors.get(parameter)!.values!.read(0, model.subarray(at, at + length));
  }
  await checkpoint.close();
  return model;
}
