import { type Command, InvalidArgumentError, Option } from "commander";
import { blockFormat, blockFormats, isBlockFormat } from "../format/block/block-format.js";
import { format, ocpShapes } from "../format/registry.js";
import { rounding } from "../format/round.js";
import { palettes, type Theme } from "../report/charts/palette.js";
import { notice } from "./notices.js";
import { asArgument } from "./strict-options.js";

const themes = Object.keys(palettes);

/** Options for the output of a result. */
export interface OutputOptions {
  readonly json?: string;
  readonly csv?: string;
  readonly markdown?: string;
  readonly html?: string;
  /** Folders for figures. */
  readonly svg?: string;
  readonly png?: string;
  readonly theme: Theme;
  readonly quiet?: boolean;
}

/** @param row what a row of CSV holds. */
export function addOutputOptions(command: Command, row = "case and tensor"): Command {
  return command
    .option("--json <file>", "write the result as JSON to this file, or to stdout (-)")
    .option("--csv <file>", `write one row per ${row} as CSV to this file, or to stdout (-)`)
    .option("--markdown <file>", "write the tables as Markdown to this file, or to stdout (-)")
    .option(
      "--html <file>",
      "write a report of one HTML page, which needs no network, to this file, or to stdout (-)",
    )
    .option("--svg <folder>", "write each figure of the report as an SVG slide of 1600 x 900")
    .option("--png <folder>", "write each figure of the report as a PNG slide of 1600 x 900")
    .addOption(new Option("--theme <name>", "colours of --svg and --png").choices(themes).default("light"))
    .option("--quiet", "print no table, no progress and no warnings");
}

export function threadsOption(): Option {
  return new Option("--threads <n>", "maximum number of threads (default: one per core)").argParser(
    threadCount,
  );
}

export function resumeOption(): Option {
  return new Option(
    "--resume <file>",
    "file that stores progress; if it exists, the work resumes from there",
  );
}

/** The canonical name of a format. Gives a notice for names whose meaning has changed. */
export const formatName = asArgument((text: string): string => {
  const { name, maxFinite } = format(text);
  if (ocpShapes.has(text)) {
    const other = format(`${text}-ieee`);
    notice(
      `${text} is taken as ${name} (OCP), with ${maxFinite} the largest number; ` +
        `the IEEE-like one is ${other.name}, with ${other.maxFinite}`,
    );
  }
  return name;
});

/** The canonical name of a format with shared scales, or of one without. */
export const storageName = asArgument((text: string): string => {
  // For text that begins like a block format, the error lists the block formats.
  if (isBlockFormat(text) || /^(?:mx|nv|fp8-)/i.test(text)) return blockFormat(text).name;
  try {
    return formatName(text);
  } catch (error) {
    const scaled = scaledFormatsOf(text);
    if (!(error instanceof InvalidArgumentError) || scaled.length === 0) throw error;
    throw new InvalidArgumentError(`${error.message}; or with scales ${scaled.join(", ")}`);
  }
});

/** The block formats that a name of a number of bits may mean: `fp4`, `float8`. Empty for any other name. */
function scaledFormatsOf(text: string): string[] {
  const [, bits] = /^(?:fp|float|f)([468])$/i.exec(text.replace(/^.*\./, "")) ?? [];
  return bits === undefined ? [] : [...blockFormats.keys()].filter((name) => name.includes(`fp${bits}`));
}

export const roundingName = asArgument(rounding);

/** Parses a whole number: 1000000, 1e6, 1.5e3, 2^20. */
export function wholeNumber(text: string): number {
  const n = decimalCount(text) ?? powerCount(text);
  if (n === null || !Number.isSafeInteger(n)) {
    throw new InvalidArgumentError(
      "expected a whole number from 0 to 2^53 - 1, such as 1000000, 1e6 or 2^20",
    );
  }
  return n;
}

function decimalCount(text: string): number | null {
  const parts = /^\d+(?:\.(\d+))?(?:[eE]\+?(\d+))?$/.exec(text);
  if (!parts) return null;
  const [, fraction = "", exponent = "0"] = parts;
  // Decided by digits, not by value: fp64 would lose a tiny fraction.
  return fraction.replace(/0+$/, "").length <= Number(exponent) ? Number(text) : null;
}

function powerCount(text: string): number | null {
  const parts = /^(\d{1,16})\^(\d{1,2})$/.exec(text);
  return parts ? Number(BigInt(parts[1]) ** BigInt(parts[2])) : null;
}

export function threadCount(text: string): number {
  const n = wholeNumber(text);
  if (n < 1 || n > 256) throw new InvalidArgumentError("expected a number of threads from 1 to 256");
  return n;
}

export function finiteNumber(text: string): number {
  const x = Number(text);
  if (text.trim() === "" || !Number.isFinite(x)) throw new InvalidArgumentError("expected a finite number");
  return x;
}
