import { format as formatNamed } from "../format/registry.js";
import type { Explanation, StepExplanation } from "../lens/explain/explain.js";
import type { Numeral } from "../lens/explain/numeral.js";
import type { SchemeOutlook } from "../lens/explain/outlook.js";
import { fitted } from "./columns.js";
import { exactDecimal } from "./decimal.js";
import { count, counted, percent, short } from "./numbers.js";
import { schemeWords } from "./rounding-words.js";

/** The sentences of an explanation, for the given rounding, scheme and overflow only. */

export const carrierNames: Readonly<Record<Explanation["scheme"], string | null>> = {
  "in-place": null,
  master: "fp32 master",
  kahan: "compensation",
  "two-term": "second term",
};

/** The maximum digits in a sentence; longer numbers are given with six. */
const mostInSentence = 24;

/** Formats of numbers. */
export const told = {
  /** All digits. */
  exactly: (x: Numeral | null): string => (x === null ? "none" : exactDecimal(Number(x))),
  /** As typed by the user. */
  given(x: Numeral): string {
    if (typeof x !== "number") return told.exactly(x);
    return x !== 0 && Math.abs(x) < 1e-4 ? x.toExponential() : String(x);
  },
  /** All digits if few, else six. */
  shortly(x: Numeral): string {
    const all = told.exactly(x);
    return all.length <= mostInSentence ? all : short(Number(x));
  },
};

export function chance(p: number): string {
  return `${short(100 * p)}%`;
}

/** Whether sums beyond the largest finite number are stored as that number. */
export function saturates({ overflow, format }: StepExplanation): boolean {
  return overflow === "saturate" || !formatNamed(format).hasNaN;
}

/** The names of the update's addend, and of the sum: the stored weight w, or the master m. */
export const symbols = ({ scheme }: StepExplanation) =>
  scheme === "master" ? { addend: "m", sum: "m + u" } : { addend: "w", sum: "w + u" };

const isZero = (x: Numeral) => Number(x) === 0;
const isFiniteNumber = (x: Numeral) => Number.isFinite(Number(x));

/** The outcome for the weight, in a sentence. */
export function verdict(explanation: StepExplanation): string {
  const { step, scheme } = explanation;
  const carrier = carrierNames[scheme];
  const { none, lost, kept, moved, nonfinite } = step.chances;
  if (none === 1) return zeroVerdict(explanation);
  if (nonfinite === 1) return nonfiniteVerdict(explanation);
  if (moved === 1) return `The stored weight moves to ${alternatives(step.outcomes)}.`;
  if (kept === 1) return `The stored weight stays; the ${carrier} holds what it cannot show.`;
  if (lost === 1 && explanation.rounding === "stochastic") return "The stored weight cannot move.";
  if (lost === 1 && carrier !== null) return `Nothing happens: the ${carrier} does not change either.`;
  if (lost === 1) return "Nothing happens: the update is lost.";
  const beyond = step.outcomes.find(({ becomes }) => becomes === "nonfinite")?.weight;
  const parts = [
    ...(moved > 0 ? [`moves with probability ${chance(moved)}`] : []),
    ...(beyond !== undefined
      ? [`becomes ${told.exactly(beyond)} with probability ${chance(nonfinite)}`]
      : []),
  ];
  if (parts.length > 0) return `The stored weight ${parts.join(" and ")}.`;
  return `The stored weight stays; the ${carrier} changes with probability ${chance(kept)}.`;
}

function zeroVerdict({ update, weight, step, rounding }: StepExplanation): string {
  const zero = `The update is zero${isZero(update.given) ? "" : " in fp32"}: a real zero.`;
  // A weight is first stored by nearest-even; a step stores the master by the rounding of the run.
  return stays(step.outcomes, weight.stored)
    ? zero
    : `${zero} The master is stored by ${rounding} as ${alternatives(step.outcomes)}.`;
}

function stays(outcomes: Explanation["step"]["outcomes"], stored: Numeral): boolean {
  return outcomes.every(({ weight }) => Number(weight) === Number(stored) || weight === stored);
}

function alternatives(outcomes: Explanation["step"]["outcomes"]): string {
  return [...new Set(outcomes.map(({ weight }) => told.shortly(weight)))].join(" or ");
}

function nonfiniteVerdict(explanation: StepExplanation): string {
  const { weight, update, step } = explanation;
  const [{ weight: after }] = step.outcomes;
  const becomes = isFiniteNumber(after)
    ? `saturates at ${told.shortly(after)}`
    : `becomes ${told.exactly(after)}`;
  if (!isFiniteNumber(weight.stored)) {
    const then = stays(step.outcomes, weight.stored) ? "stays so" : `becomes ${alternatives(step.outcomes)}`;
    return `The weight is ${told.exactly(weight.stored)}, and ${then}.`;
  }
  if (!isFiniteNumber(update.fp32)) {
    return `The update is ${told.exactly(update.fp32)}: the stored weight ${becomes}.`;
  }
  return `The stored weight ${becomes}.`;
}

/** The reason: where the sum is, and where it would have to be. */
export function reason(explanation: StepExplanation): string {
  const { weight, update, step } = explanation;
  if (step.chances.none === 1 || !isFiniteNumber(weight.stored) || !isFiniteNumber(update.fp32)) return "";
  const sentences = [whereItFalls(explanation)];
  const { rounding, scheme } = explanation;
  if (rounding !== "stochastic" && (scheme === "in-place" || scheme === "master")) {
    sentences.push(boundary(explanation));
  }
  sentences.push(inAll(explanation));
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

function whereItFalls(explanation: StepExplanation): string {
  const { sum, rounding, weight, format } = explanation;
  const { below, above, position } = sum;
  const { addend, sum: name } = symbols(explanation);
  if (sum.value === addendOf(explanation) && sum.tail === 0) return `In fp32 already ${name} is ${addend}.`;
  const gives = whatItGives(explanation);
  if (position === null) return beyondLargest(explanation, gives);
  if (below === above) return `${name} is a number of ${format}.`;
  if (sum.tie && rounding.startsWith("nearest")) {
    return `${name} falls exactly half way between ${told.shortly(below!)} and ${told.shortly(above!)}${gives}.`;
  }
  // Measured from the weight, if it is one of the two.
  const [from, to, share] = weight.stored === above ? [above, below, 1 - position] : [below, above, position];
  return `${name} falls ${percent(share)} of the way from ${told.shortly(from!)} to ${told.shortly(to!)}${gives}.`;
}

/** What the update is added to. */
function addendOf({ weight }: StepExplanation): Numeral {
  return weight.master ?? weight.stored;
}

/** The rounding of the sum; empty for a scheme that does not store the sum of weight and update. */
function whatItGives({ sum: { roundsTo }, rounding, scheme }: StepExplanation): string {
  if (scheme === "kahan" || scheme === "two-term") return "";
  const rule = rounding === "stochastic" ? "stochastic rounding" : rounding;
  const results = roundsTo.map(({ value, probability }) =>
    probability === 1
      ? told.shortly(value)
      : `${told.shortly(value)} with probability ${chance(probability)}`,
  );
  return `; ${rule} gives ${results.join(", ")}`;
}

function beyondLargest(explanation: StepExplanation, gives: string): string {
  const { format, sum } = explanation;
  const { maxFinite } = formatNamed(format);
  const largest = told.shortly(Number(sum.value) < 0 ? -maxFinite : maxFinite);
  const where = `${symbols(explanation).sum} lies beyond ${largest}, the last finite number of ${format}`;
  if (saturates(explanation)) return `${where}, and saturates.`;
  const noInf = sum.roundsTo.some(({ value }) => value === "NaN") ? ` (${format} has no Inf)` : "";
  return `${where}${gives}${noInf}.`;
}

/** The boundary of the sums stored as the weight, in the direction of the update. */
function boundary(explanation: StepExplanation): string {
  const { stays, update, weight, rounding, scheme, sum } = explanation;
  if (stays === null) return "";
  const up = Number(update.fp32) > 0;
  const end = Number(up ? stays.high : stays.low);
  const next = up ? weight.above : weight.below;
  const [stored, addend] = [Number(weight.stored), Number(addendOf(explanation))];
  const it = scheme === "master" ? "the master" : "w + u";
  if (!isWithin(stays, addend))
    return `Under ${rounding} the master is stored as another number even without the update.`;
  if (!Number.isFinite(end)) {
    const back = saturates(explanation) ? "saturates there" : `is brought back to it by ${rounding}`;
    return `All that lies beyond ${told.shortly(weight.stored)} ${back}.`;
  }
  if (end === addend && end === stored)
    return `Under ${rounding} w stays only as long as ${it} is w: on this side all else moves it.`;
  const stillW = sum.roundsTo.every(({ value }) => value === weight.stored);
  const times = short(Math.abs(end - addend) / Math.abs(Number(update.fp32)));
  const included = up ? stays.highIncluded : stays.lowIncluded;
  const least = included ? `more than ${times}` : times;
  const needed = stillW && Number(times) > 1 ? `: |u| would have to be ${least} times as large` : "";
  if (next !== null && end === Number(next)) {
    return `Under ${rounding} w stays until ${it} reaches the next number, ${told.shortly(next)}${needed}.`;
  }
  if (end === stored) return `Under ${rounding} w stays until ${it} passes ${told.shortly(stored)}${needed}.`;
  const where =
    next !== null && isFiniteNumber(next) ? `half way to ${told.shortly(next)}` : "half a gap beyond";
  const itself = included ? "stays" : "does not";
  const [near, far] = up ? [weight.gapAbove, weight.gapBelow] : [weight.gapBelow, weight.gapAbove];
  const narrower =
    needed !== "" && near !== null && far !== null && near < far
      ? ` (at a power of two the gap ${up ? "above" : "below"} is half of the other)`
      : "";
  return `Under ${rounding} w stays until ${it} passes ${told.shortly(end)}, ${where}, which itself ${itself}${needed}${narrower}.`;
}

function isWithin(
  { low, high, lowIncluded, highIncluded }: NonNullable<Explanation["stays"]>,
  x: number,
): boolean {
  const [from, to] = [Number(low), Number(high)];
  return (x > from || (x === from && lowIncluded)) && (x < to || (x === to && highIncluded));
}

/** How much of the update arrives: in the stored weight on average, or in weight plus carrier. */
function inAll({ step, update, sum, weight, rounding, scheme }: StepExplanation): string {
  const carrier = carrierNames[scheme];
  const drawn = rounding === "stochastic";
  const { moved, nonfinite } = step.chances;
  const shareOf = (by: number) => `${short(by)}, ${percent(by / Number(update.fp32))} of u`;
  if (drawn && carrier === null && moved + nonfinite === 0) {
    const tooClose = sum.position !== null && (sum.value !== weight.stored || sum.tail !== 0);
    return tooClose ? "That is less than 2^-32 of a gap, the least that 32 random bits can tell." : "";
  }
  const average = drawn ? "On average " : "";
  if (carrier !== null && step.retained !== null) {
    const who = scheme === "master" ? "the master moves" : `weight and ${carrier} together move`;
    return `${capital(`${average}${who}`)} by ${shareOf(step.retained)}.`;
  }
  if (!drawn || step.displacement === null) return "";
  return `On average the stored weight moves by ${shareOf(step.displacement)}.`;
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** One line per scheme. */
export function outlooks({ schemes, rounding, update }: Explanation, width: number): string[] {
  const words = (outlook: SchemeOutlook) => {
    if (isZero(update.fp32) && outlook.never === "stuck") return "never: there is nothing to show";
    return outlookInWords(outlook, rounding === "stochastic");
  };
  const columns = [
    { heading: "", align: "left", cells: schemes.map(({ scheme }) => `  ${schemeWords[scheme]}`) },
    { heading: "", align: "left", cells: schemes.map(words), joined: true },
  ] as const;
  return fitted(columns, width, (line) => line).slice(1);
}

function outlookInWords(outlook: SchemeOutlook, drawn: boolean): string {
  const { scheme, firstVisibleStep, expectedStep, chanceWithin, carrier, never, searched } = outlook;
  if (firstVisibleStep !== null) {
    const holds = carrier === null ? "" : ` (${carrierNames[scheme]} ${short(Number(carrier))})`;
    return `first shows at step ${count(firstVisibleStep)}${holds}`;
  }
  if (expectedStep !== null) {
    return expectedStep === 1
      ? "shows in the first step"
      : `shows after ${short(expectedStep)} steps on average`;
  }
  if (never === "nonfinite") {
    return searched === 0
      ? "never: not a finite number"
      : `leaves the finite numbers at step ${count(searched)}`;
  }
  if (never === "not within the search") {
    return chanceWithin === null
      ? `not within ${counted(searched, "step")}`
      : `shows within ${counted(searched, "step")} with probability ${chance(chanceWithin)}`;
  }
  if (never === "saturated") return "never: what lies beyond is stored as the last number";
  if (scheme !== "in-place")
    return `never: the ${carrierNames[scheme]} stops changing at step ${count(searched)}`;
  if (drawn) return "never: no draw moves it";
  return "never: each step starts from the same number";
}
