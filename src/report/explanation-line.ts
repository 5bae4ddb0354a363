import { nextUp, ulp } from "../format/neighbours.js";
import { format as formatNamed } from "../format/registry.js";
import type { Explanation } from "../lens/explain/explain.js";
import type { Numeral } from "../lens/explain/numeral.js";
import { saturates, symbols } from "./explanation-words.js";
import { short } from "./numbers.js";

/** Columns left of the line, for half a label, and on both sides. */
const left = 6;
const margins = 16;
/** The width of an omitted interval. */
const breakWidth = 6;

/**
 * The numbers of the format around the weight and around the sum, and the position of the sum. The interval that rounds
 * to the weight is drawn with a double line; a colon marks its end between two numbers:
 *
 *     0.0198975         0.0200195         0.0201416
 *         |--------:========|*=======:--------|
 *                          w + u
 *
 * Empty if the terminal is too narrow.
 */
export function numberLine(explanation: Explanation, width: number): string[] {
  const line = new Line(explanation, width);
  if (!line.hasRoom) return [];
  const star = starColumn(explanation, line);
  const strokes = line.strokes(explanation);
  if (star !== null) strokes[star] = "*";
  const labels = line.marks.map((at, i) => ({ text: labelOf(at, explanation), column: line.columns[i] }));
  const stored = line.columns[line.marks.indexOf(storedMark(explanation))];
  return [
    inRow(labels, width),
    strokes.join("").trimEnd(),
    inRow(
      [
        ...(star === null ? [] : [{ text: symbols(explanation).sum, column: star }]),
        ...(stored === undefined ? [] : [{ text: "w", column: stored }]),
      ],
      width,
    ),
    legend(explanation),
  ].filter((row) => row !== "");
}

/** The marks and their columns. Intervals between numbers that are not neighbours are shortened. */
class Line {
  readonly marks: readonly number[];
  readonly columns: number[] = [left];
  readonly hasRoom: boolean;
  readonly #gaps: readonly boolean[];

  constructor(explanation: Explanation, width: number) {
    const format = formatNamed(explanation.format);
    const { maxFinite } = format;
    const outer = outerOf(explanation);
    this.marks = marksOf(explanation);
    this.#gaps = this.marks.slice(1).map((to, i) => {
      const from = this.marks[i];
      if (from === -outer || to === outer) return from === -outer ? to === -maxFinite : from === maxFinite;
      return nextUp(from, format) === to;
    });
    const breaks = this.#gaps.filter((isGap) => !isGap).length;
    const room = width - margins - breakWidth * breaks;
    const half = Math.floor(room / (2 * Math.max(1, this.#gaps.length - breaks)));
    this.hasRoom = room > 0 && half >= 2;
    for (const isGap of this.#gaps) this.columns.push(this.columns.at(-1)! + (isGap ? 2 * half : breakWidth));
  }

  /** Valid between the first mark and the last. */
  columnOf(x: number): number {
    const i = Math.max(
      0,
      this.marks.findLastIndex((at) => at <= x && at < this.marks.at(-1)!),
    );
    const [from, to] = [this.marks[i], this.marks[i + 1]];
    return Math.round(this.columns[i] + ((x - from) / (to - from)) * (this.columns[i + 1] - this.columns[i]));
  }

  strokes({ stays, rounding }: Explanation): string[] {
    const [low, high] = stays === null ? [0, 0] : [Number(stays.low), Number(stays.high)];
    const same = rounding === "stochastic" ? "~" : "=";
    const strokes = Array.from({ length: this.columns.at(-1)! + 1 }, () => " ");
    for (const [i, isGap] of this.#gaps.entries()) {
      const [from, to] = [this.columns[i], this.columns[i + 1]];
      for (let column = from; column < to; column++) {
        const x = this.marks[i] + ((column - from) / (to - from)) * (this.marks[i + 1] - this.marks[i]);
        strokes[column] = !isGap && (column - from) % 2 === 1 ? " " : x > low && x < high ? same : "-";
      }
    }
    for (const end of this.colons(low, high)) strokes[this.columnOf(end)] = ":";
    for (const column of this.columns) strokes[column] = "|";
    return strokes;
  }

  /** The ends of the interval that rounds to the weight, unless they are marks. */
  colons(low: number, high: number): number[] {
    if (low === high) return [];
    return [low, high].filter((end) => Number.isFinite(end) && !this.marks.includes(end + 0));
  }
}

/** The number that would follow the largest finite one. */
function outerOf({ format: name }: Explanation): number {
  const format = formatNamed(name);
  return format.maxFinite + ulp(format.maxFinite, format);
}

/** The weight, the sum and their neighbours, ascending; nonfinite ones are at the outer marks. */
function marksOf(explanation: Explanation): number[] {
  const { weight, sum, format } = explanation;
  const outer = outerOf(explanation);
  const isNumber = (x: Numeral) => Number.isFinite(Number(x));
  const neighbours = (owner: Numeral, below: Numeral | null, above: Numeral | null) =>
    isNumber(owner)
      ? [
          below !== null && isNumber(below) ? Number(below) : -outer,
          above !== null && isNumber(above) ? Number(above) : outer,
        ]
      : [below, above].filter((x) => x !== null).map(Number);
  const { maxFinite } = formatNamed(format);
  const infinite = [weight.stored, sum.value]
    .filter((x) => x === "Infinity" || x === "-Infinity")
    .flatMap((x) => (x === "Infinity" ? [maxFinite, outer] : [-outer, -maxFinite]));
  const marks = [
    ...(isNumber(weight.stored) ? [Number(weight.stored)] : []),
    ...neighbours(weight.stored, weight.below, weight.above),
    ...neighbours(sum.value, sum.below, sum.above),
    ...infinite,
  ];
  const known = marks.filter(Number.isFinite).map((x) => x + 0);
  const shown = known.length > 0 ? known : [-maxFinite, 0, maxFinite];
  return [...new Set(shown)].sort((a, b) => a - b);
}

/** The mark of the weight; NaN for NaN. */
function storedMark(explanation: Explanation): number {
  const stored = Number(explanation.weight.stored) + 0;
  return Math.abs(stored) === Infinity ? Math.sign(stored) * outerOf(explanation) : stored;
}

function labelOf(at: number, explanation: Explanation): string {
  if (Math.abs(at) !== outerOf(explanation)) return short(at);
  if (saturates(explanation)) return "";
  const { hasInfinity } = formatNamed(explanation.format);
  if (!hasInfinity) return "NaN";
  return at < 0 ? "-Inf" : "Inf";
}

/** The column of the sum: never on a mark unless equal to it; at the end if beyond the line. */
function starColumn({ sum, stays }: Explanation, line: Line): number | null {
  const value = Number(sum.value);
  if (Number.isNaN(value)) return null;
  const [first, last] = [line.marks[0], line.marks.at(-1)!];
  if (value > last) return line.columns.at(-1)! + (value === Infinity ? 0 : 1);
  if (value < first) return line.columns[0] - (value === -Infinity ? 0 : 1);
  const column = line.columnOf(value);
  const colons = stays === null ? [] : line.colons(Number(stays.low), Number(stays.high));
  const drawn = [...line.marks, ...colons].find((x) => line.columnOf(x) === column);
  if (drawn === undefined) return column;
  return column + Math.sign(value - drawn || sum.tail);
}

function legend(explanation: Explanation): string {
  const { stays, sum, rounding } = explanation;
  if (sum.value === "NaN") return `${symbols(explanation).sum} is NaN, which has no place on the line.`;
  if (stays === null) return "";
  return rounding === "stochastic"
    ? `${" ".repeat(left)}~ may round to w, - rounds to other numbers`
    : `${" ".repeat(left)}= rounds to w, - to other numbers`;
}

interface Label {
  readonly text: string;
  readonly column: number;
}

/** Texts centred on columns or moved a little; the first ones have priority, those without room are omitted. */
function inRow(labels: readonly Label[], width: number): string {
  const row = Array.from({ length: width }, () => " ");
  for (const { text, column } of labels) {
    const centred = column - Math.floor(text.length / 2);
    const from = [0, 1, -1, 2, -2, 3, -3, 4, -4]
      .map((by) => centred + by)
      .find((at) => at >= 0 && at + text.length <= width && isFree(row, at, text.length));
    if (from !== undefined) row.splice(from, text.length, ...text);
  }
  return row.join("").trimEnd();
}

/** Whether a text fits there, with a blank on both sides. */
function isFree(row: readonly string[], from: number, length: number): boolean {
  return row.slice(Math.max(0, from - 1), from + length + 1).every((character) => character === " ");
}
