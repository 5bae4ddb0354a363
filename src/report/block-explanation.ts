import { format as formatNamed } from "../format/registry.js";
import type { BlockExplanation, RuleExplanation, StoredNumber } from "../lens/explain/explain-block.js";
import { type Column, fitted, wrap } from "./columns.js";
import { short } from "./numbers.js";
import { plainTerminal, styles, type Terminal } from "./terminal.js";

/** What a format with shared scales makes of one number of a block, in words and a row for each rule. */
export function renderBlockExplanation(
  explanation: BlockExplanation,
  terminal: Terminal = plainTerminal,
): string {
  const { bold, dim } = styles(terminal);
  const width = Math.min(terminal.columns, 100);
  const { rules, update } = explanation;
  const blocks = [
    wrap(opening(explanation), width),
    fitted(columns(explanation), terminal.columns, bold),
    wrap(verdict(explanation, rules[0]), width),
    ...(update === 0 ? [] : [wrap(meaning, width).map(dim)]),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
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
  const ofTensor = tensorAmax === null ? "" : ` and ${text(tensorAmax)} in the tensor`;
  const add =
    update === 0
      ? ""
      : ` It takes an update of ${text(update)} ${scheme === "master" ? `as the master does` : "and is quantized again"}.`;
  return (
    `${text(weight)} in a block of ${format}, ${how}: ${element} codes, ${covers} to a scale in ${block.scale}. The ` +
    `largest magnitude is ${text(amax)} in the block${ofTensor}.${add}`
  );
}

/** A row a rule; of the update, where there is one, the scale and the number after it. */
function columns({ rules, element, update }: BlockExplanation): Column[] {
  const column = (heading: string, cell: (outcome: RuleExplanation) => string): Column => ({
    heading,
    align: "right",
    cells: rules.map(cell),
  });
  const digits = Math.ceil(formatNamed(element).bits / 4);
  const code = ({ code }: StoredNumber) => `0x${code.toString(16).padStart(digits, "0")}`;
  return [
    { heading: "rule", align: "left", cells: rules.map(({ rule }) => rule) },
    column("scale", ({ before }) => scaleText(before)),
    column("scaled", ({ before }) => text(before.scaled)),
    column("code", ({ before }) => code(before)),
    column("number", ({ before }) => text(before.number)),
    ...(update === 0
      ? [column("", ({ before }) => (before.clipped ? "clipped" : ""))]
      : [
          column("new scale", ({ after }) => scaleText(after)),
          column("code", ({ after }) => code(after)),
          column("number", ({ after }) => text(after.number)),
          column("", ({ becomes }) => (becomes === "collateral" ? "by scale" : becomes)),
        ]),
  ];
}

function verdict({ element, weight }: BlockExplanation, { rule, before, after, becomes }: RuleExplanation) {
  const largest = formatNamed(element).maxFinite;
  const clipped = before.clipped
    ? `${text(before.scaled)} is beyond ${largest}, the largest number of ${element}, and is clipped to it; `
    : "";
  const gap = before.gap === null ? "" : `, the gap there being ${text(before.gap)}`;
  const start = `By ${rule} ${text(weight)} is stored as ${text(before.number)}: ${clipped}code ${text(before.element)} x scale ${scaleText(before)}${gap}.`;
  if (becomes === "none") return start;
  if (after.number === before.number) return `${start} The update does not show.`;
  return `${start} After the update it is ${text(after.number)}.`;
}

function scaleText({ scale, tensorScale }: StoredNumber): string {
  return tensorScale === null ? text(scale) : `${text(scale)} x ${text(tensorScale)}`;
}

function text(value: number | string): string {
  return typeof value === "string" ? value : short(value);
}
