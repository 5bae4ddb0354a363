import { type RecordedOptimizer, recordedOptimizer } from "./recorded-optimizer.js";
import type { Recording } from "./recording.js";

/**
 * The recorded learning rate of each step; if parameter groups differ, the root mean square over weights.
 *
 * @returns null where a step does not tell it, or where the optimizer's updates are not of the size of the rate.
 * @throws InputError for metadata that is not what its name says.
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
    // One rate as it is written: its root mean square may differ in the last digit.
    rates.push(ofStep.every(({ lr }) => lr === first.lr) ? first.lr! : Math.sqrt(squares / elements));
  }
  return rates;
}

/** Adam and Lion divide by the size of the gradient; a recording that names no optimizer is taken for one of them. */
function isOfRate({ name, known }: RecordedOptimizer): boolean {
  return name === null || known === "adam" || known === "adamw" || known === "lion";
}
