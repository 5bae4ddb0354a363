#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { EngineRefused } from "../engine/engine-refused.js";
import { InputError } from "../source/input-error.js";
import { version } from "../version.js";

/** The commands in the order of the help. Loading them all takes longer than most of them work. */
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["run", async () => (await import("./run.js")).runCommand()],
  ["diff", async () => (await import("./diff.js")).diffCommand()],
  ["simulate", async () => (await import("./simulate.js")).simulateCommand()],
  ["sweep", async () => (await import("./sweep.js")).sweepCommand()],
  ["predict", async () => (await import("./predict.js")).predictCommand()],
  ["demo", async () => (await import("./demo.js")).demoCommand()],
  ["explain", async () => (await import("./explain.js")).explainCommand()],
  ["doctor", async () => (await import("./doctor.js")).doctorCommand()],
  ["report", async () => (await import("./report.js")).reportCommand()],
  ["serve", async () => (await import("./serve.js")).serveCommand()],
]);

/** Exit codes: 0 done, 1 internal error, 2 bad input or usage, 130 interrupted. */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("precision-lens")
    .description(
      "What became of every optimizer update when its weight was stored in bf16, fp16, fp8 or fp4.",
    )
    .version(version)
    .showHelpAfterError("(--help shows what there is)")
    .exitOverride();
  // Anything but a command is for the help, or for advice about what might be meant: both are about all of them.
  const asked = commands.get(argv[2]);
  for (const load of asked ? [asked] : commands.values()) {
    program.addCommand((await load()).exitOverride().copyInheritedSettings(program));
  }
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof InputError || error instanceof EngineRefused) {
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
