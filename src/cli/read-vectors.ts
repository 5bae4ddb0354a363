import { createReadStream, readFileSync } from "node:fs";
import { FileReader, fileIdentity } from "../source/file-reader.js";
import { InputError } from "../source/input-error.js";
import { lengthBytes, parseHeader } from "../source/safetensors/header.js";
import { statFile, systemError } from "../source/system-error.js";
import { bytesOfCode, wordsOfColumns } from "../vectors/binary.js";
import { RowReader, settingsIn, VectorsError } from "../vectors/read-text.js";
import { subjectOf, type VectorSettings } from "../vectors/settings.js";
import { type Column, wordsOf } from "../vectors/subject.js";

/** The settings and rows of a vectors file. */
export interface VectorsFile {
  readonly settings: VectorSettings;
  /** Whether the file states its settings, including level and seed; otherwise they are assumed. */
  readonly saysSo: boolean;
  rows(take: (words: Uint32Array, at: number) => void): Promise<void>;
}

/**
 * Opens a vectors file by content: JSON, safetensors, or text with one hexadecimal code per column.
 *
 * @param assumed the settings for a file that states none, such as one of TestFloat.
 * @throws InputError for any other file, or if it cannot be read.
 */
export async function openVectors(path: string, assumed: VectorSettings): Promise<VectorsFile> {
  const { size } = await statFile(path);
  const start = new Uint8Array(Math.min(size, 16));
  const reader = new FileReader(1);
  const file = fileIdentity(path);
  reader.read(file, 0, start);
  if (size === 0) throw new InputError(path, "vectors", "an empty file");
  if (start[lengthBytes] === 0x7b && size > lengthBytes && start[0] !== 0x7b && start[7] === 0) {
    return safetensors(path, size, reader);
  }
  reader.close();
  return start[0] === 0x7b ? json(path) : text(path, assumed);
}

const columnsOf = (path: string, settings: VectorSettings): readonly Column[] =>
  told(path, () => {
    const { inputs, results } = subjectOf(settings);
    return [...inputs, ...results];
  });

/** Adds the file name to errors in a table. */
function told<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof VectorsError) throw new InputError(path, error.expected, error.found);
    if (error instanceof RangeError)
      throw new InputError(path, "vectors of what is known here", error.message);
    throw error;
  }
}

async function text(path: string, assumed: VectorSettings): Promise<VectorsFile> {
  let own: VectorSettings | null = null;
  for await (const line of linesOf(path)) {
    if (line.startsWith("#")) own = told(path, () => settingsIn(line.slice(1)));
    break;
  }
  const settings = own ?? assumed;
  const columns = columnsOf(path, settings);
  return {
    settings,
    saysSo: own !== null,
    async rows(take) {
      const reader = new RowReader(columns);
      let number = 0;
      for await (const line of linesOf(path)) {
        number += 1;
        const codes = line.trim().split(/[\s,;]+/);
        // Skip comments, empty lines, and the header of CSV.
        if (codes[0] === "" || line.startsWith("#") || (number <= 2 && codes[0] === columns[0].name))
          continue;
        if (number <= 2 && codes[0] === `${columns[0].name}0`) continue;
        take(
          told(path, () => reader.row(codes, `line ${number}`)),
          0,
        );
      }
    },
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  try {
    for await (const piece of createReadStream(path, { encoding: "latin1", highWaterMark: 2 ** 20 })) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!;
      if (rest.length > 2 ** 22)
        throw new InputError(path, "lines of text", "a line of over four million characters");
      yield* lines;
    }
  } catch (error) {
    throw systemError(path, "a file that can be read", error);
  }
  if (rest !== "") yield rest;
}

function json(path: string): VectorsFile {
  const content = readFileSync(path, "utf8");
  const settings = told(path, () => settingsIn(content));
  if (settings === null)
    throw new InputError(path, "vectors as JSON, as `vectors --as json` writes them", "none");
  const { cases } = JSON.parse(content) as { readonly cases?: unknown };
  if (!Array.isArray(cases)) throw new InputError(path, 'an array "cases"', typeof cases);
  const reader = new RowReader(columnsOf(path, settings));
  return {
    settings,
    saysSo: true,
    async rows(take) {
      for (const [i, row] of cases.entries()) {
        const isRow = Array.isArray(row) && row.every((code) => typeof code === "string");
        if (!isRow)
          throw new InputError(path, `an array of texts as case ${i}`, JSON.stringify(row).slice(0, 40));
        take(
          told(path, () => reader.row(row, `case ${i}`)),
          0,
        );
      }
    },
  };
}

const rowsAtOnce = 4096;

function safetensors(path: string, size: number, reader: FileReader): VectorsFile {
  const file = fileIdentity(path);
  const head = new Uint8Array(Math.min(size, 2 ** 20));
  reader.read(file, 0, head);
  const { metadata, tensors } = parseHeader(head, size, path);
  const settings = told(path, () => settingsIn(metadata.get("vectors") ?? ""));
  if (settings === null) throw new InputError(path, 'metadata "vectors", as `vectors` writes it', "none");
  const columns = columnsOf(path, settings);
  const entries = columns.map((column) => {
    const dtype = `U${8 * bytesOfCode(column)}`;
    const entry = tensors.get(column.name);
    if (entry?.dtype.name !== dtype) {
      throw new InputError(path, `a tensor ${column.name} of ${dtype}`, entry?.dtype.name ?? "none");
    }
    return entry;
  });
  const rows = entries[0].elements / columns[0].width;
  for (const [i, { name, width }] of columns.entries()) {
    if (entries[i].elements !== rows * width) {
      throw new InputError(path, `${rows * width} elements of ${name}`, String(entries[i].elements));
    }
  }
  return {
    settings,
    saysSo: true,
    async rows(take) {
      const stride = wordsOf(columns);
      for (let row = 0; row < rows; row += rowsAtOnce) {
        const count = Math.min(rowsAtOnce, rows - row);
        const parts = columns.map((column, i) => {
          const bytes = column.width * bytesOfCode(column);
          const part = new Uint8Array(count * bytes);
          reader.read(file, entries[i].begin + row * bytes, part);
          return part;
        });
        checkCodes(path, parts, columns);
        const words = wordsOfColumns(parts, columns, count);
        for (let i = 0; i < count; i++) take(words, i * stride);
      }
      reader.close();
    },
  };
}

/** Checks that codes shorter than their bytes have no other bits set. */
function checkCodes(path: string, parts: readonly Uint8Array[], columns: readonly Column[]): void {
  for (const [i, { bits, name }] of columns.entries()) {
    if (bits >= 8) continue;
    const wrong = parts[i].find((code) => code >= 2 ** bits);
    if (wrong !== undefined) throw new InputError(path, `codes of ${bits} bits in ${name}`, String(wrong));
  }
}
