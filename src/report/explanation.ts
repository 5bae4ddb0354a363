import { format as formatNamed } from "../format/registry.js";
import type { Explanation } from "../lens/explain/explain.js";
import { wrap } from "./columns.js";
import { exactDecimal } from "./decimal.js";
import { numberLine } from "./explanation-line.js";
import { carrierNames, chance, outlooks, reason, saturates, told, verdict } from "./explanation-words.js";
import { percent } from "./numbers.js";
import { plainTerminal, styles, type Terminal } from "./terminal.js";

/** An explanation in words, numbers and a number line. The numbers of the table are exact, with all their digits. */
export function renderExplanation(explanation: Explanation, terminal: Terminal = plainTerminal): string {
  const { bold } = styles(terminal);
  const width = Math.min(terminal.columns, 100);
  const blocks = [
    table(facts(explanation), width),
    numberLine(explanation, Math.min(terminal.columns, 80)),
    wrap(`${bold(verdict(explanation))} ${reason(explanation)}`.trimEnd(), width),
    table(afterStep(explanation), width),
    [
      ...wrap(`The same update at every step, ${explanation.rounding}${masterNote(explanation)}:`, width).map(
        bold,
      ),
      ...outlooks(explanation, width),
    ],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** A label, a number, and a remark. */
type Row = readonly [label: string, number: string, note: string];

/** The column of numbers; the remark on a number with more digits than `wide` is on a separate line. */
const indent = 12;
const wide = 26;

function table(rows: readonly Row[], width: number): string[] {
  const column = Math.max(0, ...rows.map(([, { length }]) => (length > wide ? 0 : length)));
  const room = Math.max(1, width - indent);
  return rows.flatMap(([label, number, note]) => {
    const fits = number.length <= wide && column + 2 + note.length <= room;
    const lines = fits
      ? [`${number.padEnd(column)}  ${note}`]
      : [...(number.match(new RegExp(`.{1,${room}}`, "g")) ?? []), ...(note === "" ? [] : wrap(note, room))];
    return lines.map((line, i) => `${(i === 0 ? label : "").padEnd(indent)}${line}`.trimEnd());
  });
}

function facts(explanation: Explanation): Row[] {
  const { format, weight, update, sum } = explanation;
  return [
    ["weight", told.exactly(weight.stored), weightNote(explanation)],
    ["", codeText(format, weight.code), `in ${format}`],
    ["neighbours", told.exactly(weight.below), neighbourNote(explanation, "below")],
    ["", told.exactly(weight.above), neighbourNote(explanation, "above")],
    ...masterRow(weight),
    ["update", told.exactly(update.fp32), updateNote(update)],
    ["sum", exactDecimal(Number(sum.value), sum.tail), sumNote(explanation)],
  ];
}

function weightNote({ weight: { given, stored }, format }: Explanation): string {
  return given === stored ? "" : `as stored; ${told.given(given)} is not a number of ${format}`;
}

function masterRow({ given, master }: Explanation["weight"]): Row[] {
  if (master === null) return [];
  return [["master", told.exactly(master), `the weight as given${given === master ? "" : ", in fp32"}`]];
}

/** Of the schemes, a master alone starts from the weight as given. */
function masterNote({ weight: { given, stored } }: Explanation): string {
  return given === stored
    ? ""
    : ` (a master starts from ${told.given(given)}, others from ${told.shortly(stored)})`;
}

function codeText(format: string, code: number | null): string {
  if (code === null) return "no code";
  return `code 0x${code.toString(16).padStart(Math.ceil(formatNamed(format).bits / 4), "0")}`;
}

function neighbourNote(explanation: Explanation, side: "below" | "above"): string {
  const { weight } = explanation;
  const gap = side === "below" ? weight.gapBelow : weight.gapAbove;
  if (gap !== null) return `gap ${told.shortly(gap)} ${side}`;
  if (!Number.isFinite(Number(weight.stored))) return side;
  const largest = `${side} the ${side === "below" ? "lowest" : "largest"} finite number`;
  return saturates(explanation) ? `${largest}, at which sums saturate` : largest;
}

function updateNote({ given, fp32, shareOfGap }: Explanation["update"]): string {
  const same = given === fp32 ? "" : `${told.given(given)} in fp32`;
  const size =
    shareOfGap === null
      ? ""
      : `${shareOfGap < 10 ? `${percent(shareOfGap)} of` : `${told.shortly(shareOfGap)} times`} the gap`;
  return [same, size].filter((text) => text !== "").join("; ");
}

function sumNote({ sum: { roundsTo }, rounding, opmath, scheme }: Explanation): string {
  const how = opmath === "exact" && scheme !== "master" ? "exactly" : "in fp32";
  return `${how}; rounds to ${roundsTo.map(({ value }) => told.shortly(value)).join(" or ")} (${rounding})`;
}

/** The stored weight and the carrier after one step; all possible ones for stochastic rounding. */
function afterStep({ step, scheme, update }: Explanation): Row[] {
  const carrier = carrierNames[scheme];
  const drawn = step.outcomes.length > 1;
  if (Number(update.fp32) === 0 || carrier === null) return [];
  return step.outcomes.flatMap((outcome): Row[] => [
    [
      "stored",
      told.exactly(outcome.weight),
      drawn ? `with probability ${chance(outcome.probability)}` : "after one step",
    ],
    ["", told.exactly(outcome.carrier), `in the ${carrier}`],
  ]);
}
