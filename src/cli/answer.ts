import type { Command } from "commander";
import type { Output } from "./streams.js";
import { expectWritable, writeWhole } from "./write-output.js";

/** Options of commands whose answer is one text, or the same facts as JSON. */
export interface AnswerOptions {
  readonly json?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/** @param what the answer in a word or two: "the verdict". */
export function addAnswerOptions(command: Command, what: string): Command {
  return command
    .option("--json <file>", `write ${what} as JSON to this file, or to stdout (-)`)
    .option("--quiet", `print neither ${what} nor progress nor warnings`);
}

/** Rejects a file that cannot be written, before work is lost. @throws InputError */
export function checkAnswer({ json }: AnswerOptions): void {
  if (json !== undefined && json !== "-") expectWritable(json);
}

/** Writes the JSON where it is wanted. The text goes to stdout unless JSON does, or --quiet is given. */
export function writeAnswer(
  answer: object,
  text: () => string,
  { json, quiet = false }: AnswerOptions,
  out: Output,
): void {
  const encoded = `${JSON.stringify(answer)}\n`;
  if (json === "-") out.write(encoded);
  else if (json !== undefined) writeWhole(json, encoded);
  if (json !== "-" && !quiet) out.write(text());
}
