import { fileURLToPath } from "node:url";
import { parameterCount, parameters } from "../learn/decoder/shape.js";
import { type Operation, subtraction } from "../learn/task.js";
import { type Models, Training } from "../learn/training.js";
import { openCheckpoint } from "../source/checkpoint.js";
import { updateSettings } from "../update/settings.js";

/** The same relative path from src/cli and from dist/cli. */
const example = fileURLToPath(new URL("../../src/example/", import.meta.url));

/** The bundled bases: that of the recorded runs, and one that also subtracts. */
export const baseNames = ["addition", "two-operations"] as const;
export type BaseName = (typeof baseNames)[number];

/** The operations that a base can do and that are not trained. */
export function heldOutOf(base: BaseName): readonly Operation[] {
  return base === "two-operations" ? [subtraction] : [];
}

/**
 * A base, and the teacher of on-policy distillation: the base after 300 steps of GRPO at 1e-5. The teacher of the
 * recorded runs is bundled, the other one is trained here if needed.
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
