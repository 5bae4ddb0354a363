import type { Case } from "../lens/run/case.js";
import { tolerance } from "../lens/run/check.js";
import type { Result } from "../lens/run/result.js";
import { mergeSentences } from "./adapter-lens.js";
import { castSentences } from "./cast-note.js";
import { caseInWords, caseLabels, stepsInWords } from "./labels.js";
import { listed, nonfiniteSentences, nothingCounted } from "./nonfinite.js";
import { count, percentIn, sampleOf, share, shareOfWeights } from "./numbers.js";
import { sharedSentences } from "./shared-scales.js";
import { endRatio, endRatioText, retainedText } from "./simulation.js";
import { leftOutSentences } from "./skipped.js";

/**
 * The answer in a few sentences: what was excluded; real and apparent sparsity of the first case and the lens's share
 * of it; the share of the fp32 run's displacement that each case retains.
 */
export function headline(result: Result): string[] {
  const { input, skipped, cases, casts } = result;
  const [first] = cases;
  const left = leftOutSentences(skipped, input.elements);
  if (first.totals.apparentSparsity === null) {
    // The other cases may be finite.
    const others = cases.length > 1 ? nonfiniteSentences(cases, caseLabels(cases)) : [];
    return [...left, nothingCounted(first), ...others, ...retainedSentences(result)];
  }
  return [
    ...left,
    ...nonfiniteSentences(cases, caseLabels(cases)),
    ...(result.merge
      ? mergeSentences(result)
      : sparsitySentences(first, stepsInWords(result), sampleOf(result))),
    ...sharedSentences(result),
    ...(result.merge && cases.length === 1 ? [] : retainedSentences(result)),
    ...sampleSentences(result),
    ...castSentences(casts, sampleOf(result)),
  ];
}

function sparsitySentences(first: Case, steps: string, sample: number | undefined): string[] {
  const { totals, end, rounding } = first;
  const percent = percentIn(sample);
  const percentOfUnchanged = percentIn(sample && end.unchanged);
  const hidden = share(end.hidden, end.unchanged);
  const left = percent(totals.apparentSparsity);
  const how = caseInWords(first);
  return [
    (rounding === "stochastic"
      ? `Stored as ${how}, ${left} of the updates did not move their weight when they came, by chance: on average each ` +
        "moves it by its whole size"
      : `Stored as ${how}, ${left} of the updates left the stored weight as it was`) +
      (totals.zeros === 0
        ? "; no update was zero."
        : `; ${percent(totals.realSparsity)} of the updates were zero.`),
    `After ${steps} ${percent(shareOfWeights(first, end.unchanged))} of the weights are unchanged` +
      (hidden === null ? "." : `; an fp32 run would have changed ${percentOfUnchanged(hidden)} of them.`),
  ];
}

/** The share retained by each case, with those that keep their updates together; none if unknown. */
function retainedSentences(result: Result): string[] {
  const labels = caseLabels(result.cases);
  const known = result.cases.flatMap(({ rounding, end }, i) => {
    const retained = endRatio(result, i, "retained");
    const noise = endRatio(result, i, "noise");
    const noisy = rounding === "stochastic" && (noise === null || noise.high > tolerance);
    return retained === null ? [] : [{ label: labels[i], i, noisy, retained, finite: end.nonfinite === 0 }];
  });
  if (known.length === 0) return [];
  const keeping = known.filter(
    ({ retained: { low, high }, noisy, finite }) =>
      Math.max(1 - low, high - 1) <= tolerance && !noisy && finite,
  );
  const parts = known
    .filter((row) => !keeping.includes(row))
    .map(({ label, i, noisy, finite }) => {
      const noise = noisy ? ` with noise of ${endRatioText(result, i, "noise")} times it` : "";
      const where = finite ? "" : " in its finite weights";
      return `${label} retains ${retainedText(result, i)}${noise}${where}`;
    });
  if (keeping.length > 0) {
    const names = keeping.map(({ label }) => label);
    parts.push(`${listed(names)} ${names.length === 1 ? "retains" : "retain"} all of it, within 1%`);
  }
  return [`Of the displacement of an fp32 run, ${parts.join("; ")}.`];
}

function sampleSentences({ sampling, input }: Result): string[] {
  if (sampling === undefined) return [];
  const [drawn, all] = [input.elements, sampling.parameters].map(count);
  return [
    `These are estimates from ${drawn} of ${all} weights, to the digits that intervals of ${100 * sampling.confidence}% carry.`,
  ];
}
