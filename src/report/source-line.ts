import type { DifferenceResult } from "../lens/difference/difference-result.js";
import type { LearnResult } from "../lens/learning/learning.js";
import type { RunComparison } from "../lens/learning/run-comparison.js";
import { printable } from "../lens/printable.js";
import type { Result } from "../lens/run/result.js";
import type { PredictionResult } from "../lens/study/prediction.js";
import type { SweepResult } from "../lens/study/sweep.js";
import { runNames } from "./comparison.js";
import { stepsInWords } from "./labels.js";
import { counted } from "./numbers.js";
import { endOf } from "./shareable.js";

/** What figures are of, for the foot of a slide. */
export function runSource(result: Result): string {
  const { tool, input } = result;
  const from = input.updates ?? input.gradients ?? input.adapter ?? null;
  const size = `${counted(input.elements, "weight")} in ${counted(input.tensors, "tensor")}, ${stepsInWords(result)}`;
  return printable(`${tool.name} ${tool.version}: ${size}${from === null ? "" : `; ${endOf(from)}`}`);
}

export function sweepSource({ tool, input, rates }: SweepResult): string {
  const size = `${counted(input.elements, "weight")}, ${counted(input.stepNumbers.length, "step")} at ${counted(rates.length, "rate")}`;
  return printable(`${tool.name} ${tool.version}: ${size}${origin(input)}`);
}

export function predictionSource({ tool, input, format }: PredictionResult): string {
  const size = `${counted(input.elements, "weight")} as ${format}, ${counted(input.stepNumbers.length, "step")}`;
  return printable(`${tool.name} ${tool.version}: ${size}${origin(input)}`);
}

function origin({ updates, gradients, synthetic }: SweepResult["input"]): string {
  const from = updates ?? gradients;
  const model = from === null ? synthetic?.model : endOf(from);
  return model ? `; ${model}` : "";
}

export function learnSource({ tool, input, settings, runs }: LearnResult): string {
  const size = `${counted(runs.length, "model")} of ${counted(input.elements, "weight")}, ${counted(settings.steps, "step")}`;
  return printable(`${tool.name} ${tool.version}: ${size}; base ${input.base}`);
}

export function comparisonSource({ tool, runs }: RunComparison): string {
  return printable(`${tool.name} ${tool.version}: ${runNames(runs).join(", ")}`);
}

export function diffSource({ tool, input, totals }: DifferenceResult): string {
  const size = `${counted(totals.elements, "weight")} in ${counted(totals.tensors, "tensor")}`;
  return printable(
    `${tool.name} ${tool.version}: ${size}; ${endOf(input.before.path)} against ${endOf(input.after.path)}`,
  );
}
