import type { DifferenceResult } from "../lens/difference-result.js";
import type { PredictionResult } from "../lens/prediction.js";
import { printable } from "../lens/printable.js";
import type { Result } from "../lens/result.js";
import type { SweepResult } from "../lens/sweep.js";
import { stepsInWords } from "./labels.js";
import { count, counted } from "./numbers.js";

/** The end of a path: a slide is for others, who need not know the folders of a machine. */
function endOf(path: string): string {
  return path.split(/[\\/]/).slice(-2).join("/");
}

/** What figures are of, for the foot of a slide. */
export function runSource(result: Result): string {
  const { tool, input } = result;
  const from = input.updates ?? input.gradients;
  const size = `${counted(input.elements, "weight")} in ${counted(input.tensors, "tensor")}, ${stepsInWords(result)}`;
  return printable(`${tool.name} ${tool.version}: ${size}${from === null ? "" : `; ${endOf(from)}`}`);
}

export function sweepSource({ tool, input, rates }: SweepResult): string {
  const size = `${count(input.elements)} weights, ${count(input.stepNumbers.length)} steps at ${rates.length} rates`;
  return printable(`${tool.name} ${tool.version}: ${size}${origin(input)}`);
}

export function predictionSource({ tool, input, format }: PredictionResult): string {
  const size = `${count(input.elements)} weights as ${format}, ${count(input.stepNumbers.length)} steps`;
  return printable(`${tool.name} ${tool.version}: ${size}${origin(input)}`);
}

function origin({ updates, gradients, synthetic }: SweepResult["input"]): string {
  const from = updates ?? gradients;
  const of = from === null ? synthetic?.model : endOf(from);
  return of ? `; ${of}` : "";
}

export function diffSource({ tool, input, totals }: DifferenceResult): string {
  const size = `${counted(totals.elements, "weight")} in ${counted(totals.tensors, "tensor")}`;
  return printable(
    `${tool.name} ${tool.version}: ${size}; ${endOf(input.before.path)} against ${endOf(input.after.path)}`,
  );
}
