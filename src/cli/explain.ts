import { Command, Option } from "commander";
import type { Opmath } from "../format/operations.js";
import { format } from "../format/registry.js";
import { type Overflow, type Rounding, roundings } from "../format/round.js";
import { type Explanation, explain } from "../lens/explain.js";
import { renderExplanation } from "../report/explanation.js";
import { updateSettings } from "../update/settings.js";
import { finiteNumber, formatName } from "./common-options.js";
import { opmathOption, overflowOption } from "./options.js";
import { type Streams, terminal } from "./streams.js";
import { expectWritable, writeWhole } from "./write-output.js";

interface ExplainOptions {
  readonly format: string;
  readonly rounding: Rounding;
  readonly opmath: Opmath;
  readonly overflow: Overflow;
  readonly json?: string;
}

export function explainCommand(streams: Streams): Command {
  const command = new Command("explain")
    .summary("one number's walk: why an update shows or does not")
    .description("Tells what one update makes of one weight, why, and after how many such steps it shows.")
    .argument("<weight>", "any number; it is stored in the format first", finiteNumber)
    .argument("<update>", "as added, sign included", finiteNumber)
    .option("--format <name>", "storage format", formatName, "bf16")
    .addOption(
      new Option("--rounding <name>", "of the update shown").choices(roundings).default("nearest-even"),
    )
    .addOption(opmathOption())
    .addOption(overflowOption())
    .option("--json <file>", "write the explanation as JSON; - for stdout");
  return command.action((weight: number, update: number, options: ExplainOptions) => {
    const { json, ...settings } = options;
    if (json !== undefined && json !== "-") expectWritable(json);
    const explanation = explained(weight, update, settings, command);
    const text = `${JSON.stringify(explanation)}\n`;
    if (json === "-") return void streams.out.write(text);
    if (json !== undefined) writeWhole(json, text);
    streams.out.write(renderExplanation(explanation, terminal(streams)));
  });
}

function explained(
  weight: number,
  update: number,
  settings: Omit<ExplainOptions, "json">,
  command: Command,
): Explanation {
  try {
    return explain(weight, update, updateSettings({ ...settings, format: format(settings.format) }));
  } catch (error) {
    if (error instanceof RangeError) command.error(`error: ${error.message}`);
    throw error;
  }
}
