import { type Check, isNoisy } from "../lens/run/check.js";
import { schemeInWords } from "./labels.js";
import { nonfiniteShare } from "./nonfinite.js";
import { count, percent, ratio } from "./numbers.js";
import { leftOutSentences } from "./skipped.js";
import { verdictSentence } from "./verdict.js";

/** A verdict and its reason. */
export function renderCheck(check: Check): string {
  const { skipped, input, verdict, lost, nonfinite = 0 } = check;
  const lines = [
    ...leftOutSentences(skipped, input.elements),
    ...(nonfinite === 0
      ? []
      : [`${nonfiniteShare(nonfinite, input.elements)} were or became NaN or Inf: they keep no updates.`]),
    verdictSentence(verdict, percent(Math.abs(lost ?? 0)), schemeInWords(check)),
    ...reasons(check),
  ];
  return `${lines.join("\n")}\n`;
}

function reasons(check: Check): string[] {
  const { rounding, retained, visible, noise, updates, input, failAbove, failed, nonfinite = 0 } = check;
  const steps = input.stepNumbers.length;
  const after = `after ${steps === 1 ? "1 step" : `${count(steps)} steps`}`;
  const sentences: string[] = [];
  if (retained === null) {
    sentences.push("An fp32 run would not have moved the weights, or not to finite numbers.");
  } else {
    const noisy = isNoisy(rounding, noise) ? `, with noise of ${ratio(noise)} times it` : "";
    sentences.push(
      `${nonfinite === 0 ? "Weight" : "Of the finite weights, weight"} plus carrier retains ${ratio(retained)} of the displacement of an fp32 run ${after}${noisy}; the stored bits ` +
        `show ${ratio(visible)} of it.`,
    );
  }
  if (updates.lost !== null) {
    const parts = [
      `${percent(updates.moved)} changed the stored bits`,
      ...(updates.kept! > 0
        ? [`${percent(updates.kept)} are held in the master or compensation buffer`]
        : []),
      ...(updates.lost > 0 ? [`${percent(updates.lost)} ${lostWords(check)}`] : []),
    ];
    const which = nonfinite === 0 ? "updates" : "finite updates of finite weights";
    sentences.push(`Of the ${which} that are not zero, ${parts.join(", ")}.`);
  }
  if (failAbove !== null) {
    sentences.push(
      `${failed ? "Failed" : "Passed"}: at most ${percent(failAbove)} may be lost${
        nonfinite === 0 ? "" : ", and no weight may be NaN or Inf"
      } (--fail-above).`,
    );
  }
  return sentences;
}

function lostWords({ rounding, noise }: Check): string {
  return isNoisy(rounding, noise) ? "left the weight as it was, by chance" : "were rounded away";
}
