import { type RecordedOptimizer, recordedOptimizer } from "./recorded-optimizer.js";
import type { Recording } from "./recording.js";

/**
 * The recorded learning rate of each step; if parameter groups differ, the root mean square over weights.
 *
 * @returns null if a step does not state it, or if the learning rate does not determine the size of updates.
 * @throws InputError for invalid metadata.
 */
export function recordedRates(recording: Recording): number[] | null {
  const { tensors, stepNumbers, stepFiles, metadata, elements } = recording;
  const read = new Map(
    [...metadata.files].map(([file, fileMetadata]) => [file, recordedOptimizer(fileMetadata, file)]),
  );
  const rates: number[] = [];
  for (const i of stepNumbers.keys()) {
    const ofStep = tensors.map(({ name, weights }) => {
      const optimizer = read.get(stepFiles.get(name)![i])!;
      const { lr } = optimizer.settings(name);
      return { lr: isOfRate(optimizer) ? lr : undefined, weights: weights.length };
    });
    if (ofStep.some(({ lr }) => lr === undefined)) return null;
    const [first] = ofStep;
    const squares = ofStep.reduce((sum, { lr, weights }) => sum + weights * lr! * lr!, 0);
    // A single rate is used as written: its root mean square may differ in the last digit.
    rates.push(ofStep.every(({ lr }) => lr === first.lr) ? first.lr! : Math.sqrt(squares / elements));
  }
  return rates;
}

/** Adam and Lion normalize the gradient; a recording that names no optimizer is assumed to use one of them. */
function isOfRate({ name, known }: RecordedOptimizer): boolean {
  return name === null || known === "adam" || known === "adamw" || known === "lion";
}
