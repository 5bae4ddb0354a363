import { type Command, InvalidArgumentError, Option } from "commander";
import { format } from "../format/registry.js";
import { palettes, type Theme } from "../report/charts/palette.js";

const themes = Object.keys(palettes);

/** Options of how a result comes out. */
export interface OutputOptions {
  readonly json?: string;
  readonly csv?: string;
  readonly markdown?: string;
  readonly html?: string;
  /** Folders for the figures. */
  readonly svg?: string;
  readonly png?: string;
  readonly theme: Theme;
  readonly quiet?: boolean;
}

/** @param row what there is a row of in CSV. */
export function addOutputOptions(command: Command, row = "case and tensor"): Command {
  return command
    .option("--json <file>", "write the result as JSON; - for stdout")
    .option("--csv <file>", `write one row a ${row}; - for stdout`)
    .option("--markdown <file>", "write tables in Markdown; - for stdout")
    .option("--html <file>", "write a report to look at: one page, no network; - for stdout")
    .option("--svg <folder>", "write each figure of the report as a slide (1600 x 900)")
    .option("--png <folder>", "the same as pictures")
    .addOption(new Option("--theme <name>", "of --svg and --png").choices(themes).default("light"))
    .option("--quiet", "no table, no progress, no warnings");
}

export function threadsOption(): Option {
  return new Option("--threads <n>", "most threads to work on (default: one a core)").argParser(threadCount);
}

export function resumeOption(): Option {
  return new Option("--resume <file>", "save progress there; go on from it if it is there");
}

export function formatName(name: string): string {
  try {
    return format(name).name;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

export function wholeNumber(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n)) {
    throw new InvalidArgumentError("expected a whole number from 0 to 2^53 - 1");
  }
  return n;
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
