import { Command, InvalidArgumentError, Option } from "commander";
import { blockFormats, isBlockFormat } from "../format/block/block-format.js";
import type { Opmath } from "../format/operations.js";
import type { Overflow, Rounding } from "../format/round.js";
import { explain } from "../lens/explain/explain.js";
import { explainBlock } from "../lens/explain/explain-block.js";
import { renderBlockExplanation } from "../report/block-explanation.js";
import { renderExplanation } from "../report/explanation.js";
import type { Terminal } from "../report/terminal.js";
import { type SchemeName, schemeNames } from "../update/scheme.js";
import { type AnswerOptions, addAnswerOptions, checkAnswer, writeAnswer } from "./answer.js";
import { finiteNumber, storageName } from "./common-options.js";
import { opmathOption, overflowOption, roundingOption, throughOption } from "./options.js";
import { type Streams, terminal } from "./streams.js";
import { asUsage } from "./strict-options.js";

interface ExplainOptions extends AnswerOptions {
  readonly format: string;
  readonly scheme: SchemeName;
  readonly rounding: Rounding;
  readonly opmath: Opmath;
  readonly overflow: Overflow;
  readonly amax?: number;
  readonly tensorAmax?: number;
  readonly through?: string;
}

export function explainCommand(streams: Streams): Command {
  const command = takeNegativeNumbers(new Command("explain"))
    .description("Explains what one update does to one weight, and after how many such steps it shows.")
    .argument(
      "<weight>",
      "a number, inf or nan; stored in the format first, but a master starts from it as given",
      anyNumber,
    )
    .argument("<update>", "the update as it is added, sign included", anyNumber)
    .option(
      "--format <name>",
      "storage format; one with shared scales, such as mxfp8-e4m3, with --amax",
      storageName,
      "bf16",
    )
    .option(
      "--amax <x>",
      "largest magnitude in the block of the weight, for a format with shared scales",
      finiteNumber,
    )
    .option(
      "--tensor-amax <x>",
      "largest magnitude in the tensor, for a format with a tensor scale (default: --amax)",
      finiteNumber,
    )
    .addOption(throughOption())
    .addOption(
      new Option(
        "--scheme <name>",
        "how the weight takes the update; with shared scales the default is master",
      )
        .choices(schemeNames)
        .default("in-place"),
    )
    .addOption(roundingOption())
    .addOption(opmathOption())
    .addOption(overflowOption());
  addAnswerOptions(command, "the explanation");
  return command.action((weight: number, update: number, { json, quiet, ...options }: ExplainOptions) => {
    const { amax, tensorAmax, through, ...settings } = options;
    const answer = { json, quiet };
    checkAnswer(answer);
    const [explanation, rendered] = isBlockFormat(options.format)
      ? explainedBlock(command, weight, update, options, terminal(streams))
      : explainedNumber(
          command,
          weight,
          update,
          { ...settings, blocks: { amax, tensorAmax, through } },
          terminal(streams),
        );
    writeAnswer(explanation, () => rendered, answer, streams.out);
  });
}

function explainedNumber(
  command: Command,
  weight: number,
  update: number,
  { blocks, ...settings }: Omit<ExplainOptions, "amax" | "tensorAmax" | "through"> & { blocks: object },
  to: Terminal,
): [object, string] {
  if (Object.values(blocks).some((given) => given !== undefined)) {
    const names = [...blockFormats.keys()].join(", ");
    command.error(
      `error: --amax, --tensor-amax and --through are for formats with shared scales: ${names}; found ${settings.format}`,
    );
  }
  const explanation = explain(weight, update, settings);
  return [explanation, renderExplanation(explanation, to)];
}

function explainedBlock(
  command: Command,
  weight: number,
  update: number,
  { format, scheme, amax, tensorAmax, through, ...rest }: ExplainOptions,
  to: Terminal,
): [object, string] {
  if (amax === undefined) {
    command.error(`error: --format ${format} needs --amax, the largest magnitude in the number's block`);
  }
  if (rest.rounding !== "nearest-even") {
    command.error(
      `error: numbers of a block are explained under nearest-even, found --rounding ${rest.rounding}`,
    );
  }
  const by = command.getOptionValueSource("scheme") === "cli" ? scheme : "master";
  const options = { format, scheme: by, amax: amax!, tensorAmax, ...(through !== undefined && { through }) };
  const explanation = asUsage(command, () => explainBlock(weight, update, options));
  return [explanation, renderBlockExplanation(explanation, to)];
}

/** A minus sign that is not a hyphen, which would begin an option. */
const minus = "\u2212";

/** Accepts all negative numbers as arguments: commander recognizes those of digits only, not -inf or -1E5. */
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
  // A number beyond the range of fp64 would not be the given one.
  const isGiven = named !== undefined || (/^[\d.]/.test(magnitude) && Number.isFinite(x));
  if (!isGiven) throw new InvalidArgumentError("expected a number, inf or nan");
  return sign === "" || sign === "+" ? x : -x;
}
