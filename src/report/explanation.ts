import { format as formatNamed } from "../format/registry.js";
import type { Explanation, SchemeOutlook } from "../lens/explain.js";
import { layOut, wrap } from "./columns.js";
import { count, percent, short } from "./numbers.js";
import { plainTerminal, styles, type Terminal } from "./terminal.js";

/** An explanation in words, numbers and a number line. */
export function renderExplanation(explanation: Explanation, terminal: Terminal = plainTerminal): string {
  const { bold } = styles(terminal);
  const width = Math.min(terminal.columns, 100);
  const blocks = [
    facts(explanation).flatMap((line) => wrap(line, width)),
    numberLine(explanation, Math.min(terminal.columns, 80)),
    wrap(`${bold(verdict(explanation))} ${reason(explanation)}`.trimEnd(), width),
    [bold("The same update at every step:"), ...outlooks(explanation)],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function facts({ format, rounding, weight, update, sum }: Explanation): string[] {
  const digits = Math.ceil(formatNamed(format).bits / 4);
  const cells: [string, string, string][] = [
    ["weight", exact(weight.stored), weightNote(weight.given, weight.stored)],
    ["", `code 0x${weight.code.toString(16).padStart(digits, "0")}`, `in ${format}`],
    ["neighbours", exact(weight.below), gapNote(weight.gapBelow, "below")],
    ["", exact(weight.above), gapNote(weight.gapAbove, "above")],
    ["update", exact(update.given), updateNote(update)],
    ["sum", exact(sum.value), sumNote(sum.rounded, rounding)],
  ];
  return layOut(
    [0, 1, 2].map((i) => ({ heading: "", align: "left", cells: cells.map((row) => row[i]) })),
  ).slice(1);
}

function gapNote(gap: number | null, side: string): string {
  return gap === null ? "" : `gap ${short(gap)} ${side}`;
}

function sumNote(rounded: number | null, rounding: string): string {
  return rounded === null ? `overflows (${rounding})` : `rounds to ${exact(rounded)} (${rounding})`;
}

function updateNote({ given, fp32, halfGap, shareOfHalfGap }: Explanation["update"]): string {
  if (fp32 === 0 && given !== 0) return "0 in fp32";
  if (halfGap === null || shareOfHalfGap === null) return "";
  const size = shareOfHalfGap < 10 ? `${percent(shareOfHalfGap)} of` : `${short(shareOfHalfGap)} times`;
  return `${size} half the gap, ${short(halfGap)}`;
}

function weightNote(given: number, stored: number): string {
  return given === stored ? "" : `what ${exact(given)} is stored as`;
}

/** Shortest decimal that is this number in fp64. */
function exact(x: number | null): string {
  if (x === null) return "out of range";
  if (Object.is(x, -0)) return "-0";
  return x !== 0 && Math.abs(x) < 1e-4 ? x.toExponential() : String(x);
}

/**
 * The numbers of the format around the weight, the halves between them, and where the sum falls:
 *
 *     0.0198975         0.0200195         0.0201416
 *     |--------:--------|*-------:--------|
 *                      w + u
 */
function numberLine({ weight, sum }: Explanation, width: number): string[] {
  const { below, above, stored } = weight;
  if (below === null || above === null || sum.value < below || sum.value > above) return [];
  const half = Math.floor((width - 16) / 4);
  if (half < 1) return [];
  const place = (x: number) =>
    Math.round(((x - stored) / (x < stored ? stored - below : above - stored)) * 2 * half);
  const at = sum.value === stored ? 0 : place(sum.value);
  const left = 2 * half + 6;
  const gap = `${"-".repeat(half - 1)}:${"-".repeat(half - 1)}`;
  const line = [...`${" ".repeat(6)}|${gap}|${gap}|`];
  // A sum that is not the weight is drawn beside its mark, never on it.
  const column = left + (at === 0 && sum.value !== stored ? Math.sign(sum.value - stored) : at);
  line[column] = "*";
  return [
    spread([short(below), short(stored), short(above)], [6, left, left + 2 * half]),
    line.join(""),
    spread(["w + u"], [column]),
  ];
}

/** Texts centred on columns, as far as they fit beside each other. */
function spread(texts: readonly string[], columns: readonly number[]): string {
  return texts.reduce((line, text, i) => {
    const from = Math.max(columns[i] - Math.floor(text.length / 2), line.length > 0 ? line.length + 1 : 0);
    return line.padEnd(from) + text;
  }, "");
}

function verdict({ becomes }: Explanation): string {
  return {
    none: "The update is zero: a real zero.",
    lost: "Nothing happens: the update is lost.",
    kept: "The stored weight does not move.",
    moved: "The stored weight moves.",
    nonfinite: "The sum leaves the finite numbers.",
  }[becomes];
}

function reason(explanation: Explanation): string {
  const { becomes, sum, update, rounding, weight } = explanation;
  if (becomes === "none" || becomes === "nonfinite") return "";
  const falls = whereItFalls(explanation);
  const nearest = rounding === "stochastic" || rounding.startsWith("nearest");
  if (becomes === "moved" || update.halfGap === null || !nearest || sum.tie) return falls;
  const narrower =
    weight.gapAbove === weight.gapBelow ? "" : " (at a power of two the gap below is half of that above)";
  return (
    `${falls} To show at once, |u| would have to pass half the gap, ${short(update.halfGap)}: ` +
    `${short(update.halfGap / Math.abs(update.fp32))} times as much${narrower}.`
  );
}

function whereItFalls({ sum, rounding, weight, format }: Explanation): string {
  const { below, above, position, value } = sum;
  const rounded = exact(sum.rounded);
  if (value === weight.stored) return "In fp32 already w + u is w.";
  if (below === null || above === null)
    return `w + u lies beyond the finite numbers of ${format} and gives ${rounded}.`;
  if (below === above) return `w + u is a number of ${format}.`;
  if (sum.tie) {
    return `w + u falls exactly half way between ${exact(below)} and ${exact(above)}; ${tieRule(rounding)} gives ${rounded}.`;
  }
  const rule =
    rounding === "stochastic" || rounding.startsWith("nearest") ? "the nearer one" : `${rounding} the result`;
  // Told from the weight's side, where it is one of the two.
  const [from, to, share] = weight.stored === above ? [above, below, 1 - position] : [below, above, position];
  return `w + u falls ${percent(share)} of the way from ${exact(from)} to ${exact(to)}, and ${rule} is ${rounded}.`;
}

function tieRule(rounding: string): string {
  return rounding === "stochastic" ? "nearest-even" : rounding;
}

function outlooks({ schemes, stochasticChance, update }: Explanation): string[] {
  const formula =
    update.halfGap === null ? "" : `; half the gap / |u| is ${short(update.halfGap / Math.abs(update.fp32))}`;
  const names = {
    "in-place": "in place",
    master: "fp32 master",
    kahan: "Kahan compensation",
    "two-term": "two terms (Collage)",
  };
  const rows: [string, string][] = schemes.map((outlook) => [
    names[outlook.scheme],
    outlookInWords(outlook, update.fp32) +
      (outlook.scheme === "master" && outlook.searched > 1 ? formula : ""),
  ]);
  const expected =
    stochasticChance > 0 && stochasticChance < 1 ? `, one step in ${short(1 / stochasticChance)}` : "";
  rows.push(["stochastic rounding", `moves with a chance of ${short(100 * stochasticChance)}%${expected}`]);
  return layOut([
    { heading: "", align: "left", cells: rows.map(([name]) => `  ${name}`) },
    { heading: "", align: "left", cells: rows.map(([, words]) => words) },
  ]).slice(1);
}

function outlookInWords(
  { firstVisibleStep, never, searched, scheme }: SchemeOutlook,
  update: number,
): string {
  if (update === 0) return "never: there is nothing to show";
  if (firstVisibleStep !== null) return `first shows at step ${count(firstVisibleStep)}`;
  if (never === "overflow") return `leaves the finite numbers at step ${count(searched)}`;
  if (never !== "stuck") return `not within ${count(searched)} steps`;
  if (scheme === "in-place") return "never: each step starts from the same number";
  return `never: the carrier itself stops growing at step ${count(searched)}`;
}
