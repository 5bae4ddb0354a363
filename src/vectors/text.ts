import type { Pairs } from "./pairs.js";
import { settingsOf, type VectorSettings } from "./settings.js";
import type { Column } from "./subject.js";
import type { VectorTable } from "./table.js";

export const textForms = ["hex", "testfloat", "csv", "json"] as const;
export type TextForm = (typeof textForms)[number];

export const vectorsSchema = "precision-lens-vectors/1";

const digits = new Uint8Array(256 * 2);
for (let byte = 0; byte < 256; byte++) {
  for (const [i, sign] of [...byte.toString(16).padStart(2, "0")].entries())
    digits[2 * byte + i] = sign.charCodeAt(0);
}

const encoder = new TextEncoder();

/** How a code and a row are set in a form. */
interface Style {
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly beginRow: string;
  readonly endRow: string;
}

const styles: Readonly<Record<TextForm, Style>> = {
  hex: { before: "", between: " ", after: "", beginRow: "", endRow: "\n" },
  testfloat: { before: "", between: " ", after: "", beginRow: "", endRow: "\n" },
  csv: { before: "0x", between: ",", after: "", beginRow: "", endRow: "\n" },
  // A row ends with the comma before the next one; the end of the table removes the last.
  json: { before: '"', between: ",", after: '"', beginRow: "[", endRow: "],\n" },
};

/** A table as text, in pieces. */
export function* textOf(table: VectorTable, form: TextForm, settings: VectorSettings): Generator<Uint8Array> {
  const { columns } = table;
  const head = headOf(columns, form, settings);
  if (head !== "") yield encoder.encode(head);
  const row = rowTemplate(columns, styles[form]);
  const pieces = table.pairs ? piecesOfPairs(table.pairs, row) : piecesOf(table, row);
  // JSON has no comma after the last row: each piece but the first begins with that of the piece before.
  let first = true;
  for (const piece of pieces) {
    if (form === "json") {
      if (!first) yield encoder.encode(",\n");
      yield piece.subarray(0, piece.length - 2);
    } else yield piece;
    first = false;
  }
  if (form === "json") yield encoder.encode("\n]}\n");
}

function headOf(columns: readonly Column[], form: TextForm, settings: VectorSettings): string {
  const about = { schema: vectorsSchema, ...settingsOf(settings) };
  switch (form) {
    case "testfloat":
      return "";
    case "hex":
      return `# ${JSON.stringify({ ...about, columns })}\n`;
    case "csv":
      return `# ${JSON.stringify({ ...about, columns })}\n${columnNames(columns).join()}\n`;
    case "json":
      return `${JSON.stringify({ ...about, columns }).slice(0, -1)},"cases":[\n`;
  }
}

/** A name for each code of a row: x0, x1, ... where there are several. */
function columnNames(columns: readonly Column[]): string[] {
  return columns.flatMap(({ name, width }) =>
    width === 1 ? [name] : Array.from({ length: width }, (_, i) => `${name}${i}`),
  );
}

/** Hexadecimal digits of each code of a row, those of more than 32 bits of two words. */
function digitsOf(columns: readonly Column[]): number[] {
  return columns.flatMap(({ bits, width }) => Array.from({ length: width }, () => Math.ceil(bits / 4)));
}

/** A row of a form but for its codes, and where these go. */
interface RowTemplate {
  readonly text: Uint8Array;
  readonly places: readonly number[];
  /** Digits of each code. */
  readonly lengths: readonly number[];
}

function rowTemplate(columns: readonly Column[], style: Style): RowTemplate {
  const { before, between, after, beginRow, endRow } = style;
  const lengths = digitsOf(columns);
  const places: number[] = [];
  let text = beginRow;
  for (const [i, length] of lengths.entries()) {
    text += (i > 0 ? between : "") + before;
    places.push(text.length);
    text += "0".repeat(length) + after;
  }
  return { text: encoder.encode(text + endRow), places, lengths };
}

/** This many consecutive rows. */
function repeated({ text }: RowTemplate, rows: number): Uint8Array {
  const all = new Uint8Array(rows * text.length);
  if (rows > 0) all.set(text);
  for (let done = text.length; done < all.length; done *= 2)
    all.copyWithin(done, 0, Math.min(done, all.length - done));
  return all;
}

function* piecesOf(table: VectorTable, row: RowTemplate): Generator<Uint8Array> {
  let text: Uint8Array = new Uint8Array();
  for (const words of table.chunks()) {
    const rows = words.length / table.stride;
    if (text.length !== rows * row.text.length) text = repeated(row, rows);
    let word = 0;
    for (let start = 0; start < text.length; start += row.text.length) {
      for (let i = 0; i < row.places.length; i++) {
        const to = start + row.places[i];
        if (row.lengths[i] === 16) {
          writeHex(words[word++], 8, text, to);
          writeHex(words[word++], 8, text, to + 8);
        } else writeHex(words[word++], row.lengths[i], text, to);
      }
    }
    yield text;
  }
}

/** A piece for each first operand; what is the same in each is written once. */
function* piecesOfPairs(
  { codes, digits: length, results, flags: flagsOf }: Pairs,
  row: RowTemplate,
): Generator<Uint8Array> {
  const [first, second, third, fourth] = row.places;
  const text = repeated(row, codes);
  const view = new DataView(text.buffer);
  const step = row.text.length;
  for (let b = 0; b < codes; b++) writeHex(b, length, text, b * step + second);
  // Digits of a code as one word, which is one store a code: twice as fast as a byte after the other (measured).
  const words = Uint32Array.from({ length: codes }, (_, code) => {
    const written = new Uint8Array(4);
    writeHex(code, length, written, 0);
    return new DataView(written.buffer).getUint32(0, true);
  });
  for (let a = 0; a < codes; a++) {
    const found = results(a);
    const word = words[a];
    if (length === 4) {
      for (let b = 0, at = 0; b < codes; b++, at += step) {
        view.setUint32(at + first, word, true);
        view.setUint32(at + third, words[found[b]], true);
      }
    } else {
      for (let b = 0, at = 0; b < codes; b++, at += step) {
        writeHex(a, length, text, at + first);
        writeHex(found[b], length, text, at + third);
      }
    }
    if (fourth !== undefined && flagsOf) {
      const flags = flagsOf(a, found);
      for (let b = 0, at = fourth; b < codes; b++, at += step) {
        text[at] = digits[2 * flags[b]];
        text[at + 1] = digits[2 * flags[b] + 1];
      }
    }
    yield text;
  }
}

function writeHex(code: number, length: number, text: Uint8Array, at: number): void {
  let rest = code;
  let end = at + length;
  for (; end - at >= 2; end -= 2) {
    const byte = rest & 0xff;
    text[end - 2] = digits[2 * byte];
    text[end - 1] = digits[2 * byte + 1];
    rest >>>= 8;
  }
  if (end > at) text[at] = digits[2 * (rest & 0xf) + 1];
}
