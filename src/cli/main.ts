#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { InputError } from "../source/input-error.js";
import { version } from "../version.js";
import { demoCommand } from "./demo.js";
import { doctorCommand } from "./doctor.js";
import { explainCommand } from "./explain.js";
import { reportCommand } from "./report.js";
import { runCommand } from "./run.js";

/** Exit codes: 0 done, 1 internal error, 2 bad input or usage, 130 interrupted. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("precision-lens")
    .description(
      "What became of every optimizer update when its weight was stored in bf16, fp16, fp8 or fp4.",
    )
    .version(version)
    .showHelpAfterError("(--help shows what there is)")
    .exitOverride();
  for (const command of [runCommand(), demoCommand(), explainCommand(), doctorCommand(), reportCommand()]) {
    program.addCommand(command.exitOverride().copyInheritedSettings(program));
  }
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof InputError) {
      process.stderr.write(`precision-lens: ${error.message}\n`);
      return 2;
    }
    process.stderr.write(`precision-lens: internal error: ${error instanceof Error ? error.stack : error}\n`);
    return 1;
  }
}

// A reader that has seen enough (`| head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
}
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

process.exitCode = await main(process.argv);
