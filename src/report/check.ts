import type { Check } from "../lens/run/check.js";
import { schemeInWords } from "./labels.js";
import { count, percent, ratio } from "./numbers.js";
import { leftOutSentences } from "./skipped.js";
import { verdictSentence } from "./verdict.js";

/** A verdict and its reason. */
export function renderCheck(check: Check): string {
  return `${[...leftOutSentences(check.skipped, check.input.elements), verdictSentence(check.verdict, percent(Math.abs(check.lost ?? 0)), schemeInWords(check)), ...reasons(check)].join("\n")}\n`;
}

function reasons(check: Check): string[] {
  const { retained, visible, noise, updates, input, failAbove, failed } = check;
  const steps = input.stepNumbers.length;
  const after = `after ${steps === 1 ? "1 step" : `${count(steps)} steps`}`;
  const sentences: string[] = [];
  if (retained === null) {
    sentences.push("An fp32 run would not have moved the weights, or not to finite numbers.");
  } else {
    const noisy = check.rounding === "stochastic" ? `, with noise of ${ratio(noise)} times it` : "";
    sentences.push(
      `Weight plus carrier retains ${ratio(retained)} of the displacement of an fp32 run ${after}${noisy}; the stored bits ` +
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
    sentences.push(`Of the updates that are not zero, ${parts.join(", ")}.`);
  }
  if (failAbove !== null) {
    sentences.push(
      `${failed ? "Failed" : "Passed"}: at most ${percent(failAbove)} may be lost (--fail-above).`,
    );
  }
  return sentences;
}

function lostWords({ rounding }: Check): string {
  return rounding === "stochastic" ? "left the weight as it was, by chance" : "were rounded away";
}
