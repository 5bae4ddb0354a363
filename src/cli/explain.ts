import { Command, InvalidArgumentError, Option } from "commander";
import type { Opmath } from "../format/operations.js";
import { type Overflow, type Rounding, roundings } from "../format/round.js";
import { explain } from "../lens/explain.js";
import { renderExplanation } from "../report/explanation.js";
import { type SchemeName, schemeNames } from "../update/scheme.js";
import { formatName, roundingName } from "./common-options.js";
import { opmathOption, overflowOption } from "./options.js";
import { type Streams, terminal } from "./streams.js";
import { expectWritable, writeWhole } from "./write-output.js";

interface ExplainOptions {
  readonly format: string;
  readonly scheme: SchemeName;
  readonly rounding: Rounding;
  readonly opmath: Opmath;
  readonly overflow: Overflow;
  readonly json?: string;
}

export function explainCommand(streams: Streams): Command {
  const command = takeNegativeNumbers(new Command("explain"))
    .summary("one number's walk: why an update shows or does not")
    .description("Tells what one update makes of one weight, why, and after how many such steps it shows.")
    .argument("<weight>", "any number, inf and nan too; it is stored in the format first", anyNumber)
    .argument("<update>", "as added, sign included", anyNumber)
    .option("--format <name>", "storage format", formatName, "bf16")
    .addOption(
      new Option("--scheme <name>", "how the weight takes it").choices(schemeNames).default("in-place"),
    )
    .option("--rounding <name>", roundings.join(", "), roundingName, "nearest-even")
    .addOption(opmathOption())
    .addOption(overflowOption())
    .option("--json <file>", "write the explanation as JSON; - for stdout");
  return command.action((weight: number, update: number, options: ExplainOptions) => {
    const { json, ...settings } = options;
    if (json !== undefined && json !== "-") expectWritable(json);
    const explanation = explain(weight, update, settings);
    const text = `${JSON.stringify(explanation)}\n`;
    if (json === "-") return void streams.out.write(text);
    if (json !== undefined) writeWhole(json, text);
    streams.out.write(renderExplanation(explanation, terminal(streams)));
  });
}

/** A minus that is no hyphen, which would begin an option. */
const minus = "\u2212";

/** Takes all negative numbers as such: commander knows those that are digits, and not -inf or -1E5. */
function takeNegativeNumbers(command: Command): Command {
  const parseOptions = command.parseOptions.bind(command);
  command.parseOptions = (args) =>
    parseOptions(args.map((arg) => arg.replace(/^-(?=(?:inf(?:inity)?|nan|[\d.].*)$)/i, minus)));
  return command;
}

function anyNumber(text: string): number {
  const [, sign, magnitude] = /^([+\u2212-]?)(.*)$/s.exec(text)!;
  const named = { inf: Infinity, infinity: Infinity, nan: NaN }[magnitude.toLowerCase()];
  const x = named ?? Number(magnitude);
  // Beyond fp64 it is not the number that was given.
  const isGiven = named !== undefined || (/^[\d.]/.test(magnitude) && Number.isFinite(x));
  if (!isGiven) throw new InvalidArgumentError("expected a number, inf or nan");
  return sign === "" || sign === "+" ? x : -x;
}
