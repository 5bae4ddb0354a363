import { codeOf } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { round } from "../format/round.js";
import type { Outcome } from "./collected.js";

/** A number as one may read it, and the code beside it where the format has one: `1.0078125 (0x3f81)`. */
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

/** A share in words; one that is not none is never told as none. */
export function share(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  return percent > 0 && percent < 0.1 ? "under 0.1 %" : `${percent.toFixed(1)} %`;
}

/** What a comparison that failed came to, in lines: how many are wrong, the first of them, which mistakes it looks like. */
export function describeFailure<Q, A>(
  of: string,
  outcome: Outcome<Q, A>,
  line: (question: Q, expected: A, found: A) => string,
): string {
  const { cases, wrong, first, kinds, mistakes } = outcome;
  const rest = wrong - first.length;
  return [
    `${of}: ${count(wrong)} of ${count(cases)} cases are wrong (${share(wrong, cases)})`,
    ...mistakes.map(
      ({ name, says, explains, of: all }) =>
        `It looks like ${says} [${name}]: this explains ${explains === all ? "all of them" : share(explains, all)}.`,
    ),
    ...(mistakes.length === 0 ? ["It looks like none of the known mistakes."] : []),
    ...first.map(({ question, expected, found }) => `  ${line(question, expected, found)}`),
    ...(rest > 0 ? [`  and ${count(rest)} more`] : []),
    `Kinds: ${kinds.map(({ kind, cases: n }) => `${kind} ${count(n)}`).join(", ")}`,
  ].join("\n");
}
