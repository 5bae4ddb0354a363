import { format as formatNamed } from "../format/registry.js";
import type { BlockExplanation, RuleExplanation, StoredNumber } from "../lens/explain/explain-block.js";
import { note, table, tableOf, text } from "./blocks/block.js";
import { terminalText } from "./blocks/terminal.js";
import { short } from "./numbers.js";
import { plainTerminal, type Terminal } from "./terminal.js";

/** How a format with shared scales quantizes one number of a block, in words and one row per scale rule. */
export function renderBlockExplanation(
  explanation: BlockExplanation,
  terminal: Terminal = plainTerminal,
): string {
  const { rules, update } = explanation;
  const blocks = [
    text([opening(explanation)]),
    table(ruleTable(explanation)),
    text([verdict(explanation, rules[0])]),
    ...(isZero(update) ? [] : [note(meaning)]),
  ];
  return terminalText({ blocks, skipped: [] }, terminal);
}

const meaning =
  "By scale: the number changed and its code would not have under the scales before (collateral). Moved: its code would have.";

function opening({
  format,
  element,
  block,
  weight,
  update,
  amax,
  tensorAmax,
  scheme,
  through,
}: BlockExplanation) {
  const covers = block.rows === 1 ? `${block.columns} numbers` : `${block.rows} x ${block.columns} numbers`;
  const first = through === null ? "" : `, rounded to ${through} first`;
  const how = scheme === "master" ? `as a view of its fp32 master${first}` : "in-place";
  const ofTensor = tensorAmax === null ? "" : ` and ${numeral(tensorAmax)} in the tensor`;
  const add = isZero(update)
    ? ""
    : ` It takes an update of ${numeral(update)} ${scheme === "master" ? `as the master does` : "and is quantized again"}.`;
  return (
    `${numeral(weight)} in a block of ${format}, ${how}: ${element} codes, ${covers} to a scale in ${block.scale}. The ` +
    `largest magnitude is ${numeral(amax)} in the block${ofTensor}.${add}`
  );
}

/** One row per rule; with an update, also the scale and the number after it. */
function ruleTable({ rules, element, update }: BlockExplanation) {
  const digits = Math.ceil(formatNamed(element).bits / 4);
  const code = ({ code }: StoredNumber) => `0x${code.toString(16).padStart(digits, "0")}`;
  const after: Parameters<typeof tableOf<RuleExplanation>>[1] = [
    ["new scale", (rule) => scaleText(rule.after)],
    ["code", (rule) => code(rule.after)],
    ["number", (rule) => numeral(rule.after.number)],
    ["", ({ becomes }) => (becomes === "collateral" ? "by scale" : becomes)],
  ];
  return tableOf(rules, [
    ["rule", ({ rule }) => rule],
    ["scale", ({ before }) => scaleText(before)],
    ["scaled", ({ before }) => numeral(before.scaled)],
    ["code", ({ before }) => code(before)],
    ["number", ({ before }) => numeral(before.number)],
    ...(isZero(update)
      ? [["", ({ before }: RuleExplanation) => (before.clipped ? "clipped" : "")] as const]
      : after),
  ]);
}

function verdict({ element, weight }: BlockExplanation, { rule, before, after, becomes }: RuleExplanation) {
  const largest = formatNamed(element).maxFinite;
  const clipped = before.clipped
    ? `${numeral(before.scaled)} is beyond ${largest}, the largest number of ${element}, and is clipped to it; `
    : "";
  const gap = before.gap === null ? "" : `, the gap there being ${numeral(before.gap)}`;
  const start = `By ${rule} ${numeral(weight)} is stored as ${numeral(before.number)}: ${clipped}code ${numeral(before.element)} x scale ${scaleText(before)}${gap}.`;
  if (becomes === "none") return start;
  if (after.number === before.number) return `${start} The update does not show.`;
  return `${start} After the update it is ${numeral(after.number)}.`;
}

function isZero(update: BlockExplanation["update"]): boolean {
  return Number(update) === 0;
}

function scaleText({ scale, tensorScale }: StoredNumber): string {
  return tensorScale === null ? numeral(scale) : `${numeral(scale)} x ${numeral(tensorScale)}`;
}

function numeral(value: number | string): string {
  return typeof value === "string" ? value : short(value);
}
