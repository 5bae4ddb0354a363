import type { SkippedTensor, TensorInput } from "../lens/input.js";
import { type CaseSettings, refusedShape } from "../update/optimizer.js";

/** Splits tensors by shape into those that every case supports and those that a recipe does not, with the reason. */
export function byShape(
  tensors: readonly TensorInput[],
  cases: readonly CaseSettings[],
): { readonly taken: TensorInput[]; readonly refused: SkippedTensor[] } {
  const taken: TensorInput[] = [];
  const refused: SkippedTensor[] = [];
  for (const tensor of tensors) {
    const { name, shape, weights } = tensor;
    const reason = cases
      .flatMap((settings) => (settings.recipe ? [refusedShape(settings.recipe, shape)] : []))
      .find((each) => each !== null);
    if (reason === undefined) taken.push(tensor);
    else refused.push({ name, reason: `shape [${shape.join(", ")}]: ${reason}`, elements: weights.length });
  }
  return { taken, refused };
}

/** Whether a case needs whole tensors, so that no matrix may be sampled. */
export function takesWholeTensors(cases: readonly CaseSettings[]): boolean {
  return cases.some(({ recipe }) => recipe?.whole?.needs === "tensor");
}
