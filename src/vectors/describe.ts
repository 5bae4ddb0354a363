import { codeOf } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { round } from "../format/round.js";
import type { Outcome } from "./collected.js";
import type { Explained } from "./mistake.js";
import type { Level } from "./rounding-inputs.js";
import type { Subject } from "./subject.js";

/** A readable number, with its code if the format has one: `1.0078125 (0x3f81)`. */
export function withCode(x: number, format: Format | null): string {
  const decimal = Object.is(x, -0) ? "-0" : String(x);
  if (format === null || (Number.isNaN(x) && !format.hasNaN)) return decimal;
  if (!Object.is(round(x, format), x)) return `${decimal} (no number of ${format.name})`;
  return `${decimal} (${hex(codeOf(x, format), format.bits)})`;
}

export function hex(code: number, bits: number): string {
  return `0x${code.toString(16).padStart(Math.ceil(bits / 4), "0")}`;
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** A share in words; a nonzero share is never printed as zero. */
export function share(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  return percent > 0 && percent < 0.1 ? "under 0.1 %" : `${percent.toFixed(1)} %`;
}

/** States that the file has fewer cases than its level: it was truncated, or holds a selection. */
export function describeMissing(
  { level }: { readonly level: Level },
  cases: number,
  missing: number | null,
): string[] {
  if (!missing) return [];
  return [
    `The file has ${count(cases)} of the ${count(cases + missing)} cases of level ${level}: ${count(missing)} are missing.`,
  ];
}

/** The result of a comparison, as lines: the number of wrong cases, the likely mistakes, the first cases. */
export function describeOutcome<Q, A>(subject: Subject<Q, A>, outcome: Outcome<Q, A>): string {
  const { cases, wrong, first, kinds, mistakes } = outcome;
  if (wrong === 0) return `${subject.name}: all of ${count(cases)} cases are right`;
  const rest = wrong - first.length;
  return [
    `${subject.name}: ${count(wrong)} of ${count(cases)} cases ${wrong === 1 ? "is" : "are"} wrong (${share(wrong, cases)})`,
    ...mistakes.map(
      ({ name, says, explains, of: total }) =>
        `It looks like ${says} [${name}]: this explains ${explains === total ? "all of them" : share(explains, total)}.`,
    ),
    ...restOf(mistakes),
    ...first.map((compared) => `  ${subject.describe(compared)}`),
    ...(rest > 0 ? [`  and ${count(rest)} more`] : []),
    `Kinds: ${kinds.map(({ kind, cases: n }) => `${kind} ${count(n)}`).join(", ")}`,
  ].join("\n");
}

/** Says where no known mistake explains what was found. */
function restOf(mistakes: readonly Explained[]): string[] {
  if (mistakes.length === 0) return ["It looks like none of the known mistakes."];
  const explained = mistakes.reduce((sum, { explains }) => sum + explains, 0);
  return explained < mistakes[0].of ? ["The rest looks like none of the known mistakes."] : [];
}
