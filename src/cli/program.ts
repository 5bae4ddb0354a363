import { Command, CommanderError } from "commander";
import { EngineRefused } from "../engine/engine-refused.js";
import { ThreadEnded } from "../lens/thread-ended.js";
import { InputError } from "../source/input-error.js";
import { systemError } from "../source/system-error.js";
import { version } from "../version.js";
import { CheckFailed } from "./check-failed.js";
import { helpLayout } from "./help-layout.js";
import { tellNotices } from "./notices.js";
import { columnsOf, type Streams, wrappedFor } from "./streams.js";
import { strict } from "./strict-options.js";

/** A command's entry in the general help, and how it is loaded. */
export interface CommandEntry {
  /** In commander's syntax: `[folder]`, `<before> <after...>`. */
  readonly parameters: string;
  readonly summary: string;
  /** Loads the command, which writes to these streams. */
  readonly load: (streams: Streams) => Promise<Command>;
}

/**
 * Runs a command line; its third word may be one of these commands.
 *
 * @returns the exit code: 0 done, 1 internal error, 2 bad input or usage, 3 a check that failed.
 */
export async function runProgram(
  argv: readonly string[],
  commands: ReadonlyMap<string, CommandEntry>,
  streams: Streams,
): Promise<number> {
  const { out, err } = streams;
  const tell = (text: string) => void err.write(wrappedFor(err, text));
  const program = new Command("precision-lens")
    .description(
      "What became of every optimizer update when its weight was stored in bf16, fp16, fp8 or fp4.",
    )
    .version(version)
    .showHelpAfterError("Run `precision-lens --help`")
    .configureHelp(helpLayout)
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: tell,
      getOutHelpWidth: () => columnsOf(out),
      getErrHelpWidth: () => columnsOf(err),
    })
    .hook("preAction", (_, command) => tellNotices(command.opts().quiet ? null : tell))
    .exitOverride();
  tellNotices(null);
  // For anything else, the help or a suggestion of similar names follows; both need names only.
  const asked = commands.get(argv[2] === "help" ? argv[3] : argv[2]);
  if (asked) {
    const command = strict(await asked.load(streams))
      .exitOverride()
      .copyInheritedSettings(program);
    program.addCommand(command.showHelpAfterError(`Run \`precision-lens ${command.name()} --help\``));
  } else {
    for (const [name, entry] of commands) program.addCommand(listed(name, entry));
  }
  try {
    await program.parseAsync(asked ? argv : forHelp(argv, commands));
    return 0;
  } catch (thrown) {
    const error = withoutCode(thrown);
    if (error instanceof CheckFailed) return 3;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof InputError || error instanceof EngineRefused) {
      tell(`precision-lens: ${error.message}\n`);
      return 2;
    }
    if (error instanceof ThreadEnded) {
      tell(`precision-lens: ${error.message}\n`);
      return 1;
    }
    err.write(`precision-lens: internal error: ${error instanceof Error ? error.stack : error}\n`);
    return 1;
  }
}

/** An error of the file system that nothing on its way put into words. */
function withoutCode(error: unknown): unknown {
  const { path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (path === undefined || syscall === undefined) return error;
  return systemError(path, "a path that can be used", error);
}

/** Turns `help NAME` for an unknown command into NAME, so that it is rejected instead of showing the general help. */
function forHelp(argv: readonly string[], commands: ReadonlyMap<string, CommandEntry>): readonly string[] {
  const [node, script, first, name] = argv;
  const known = name === undefined || name === "help" || name.startsWith("-") || commands.has(name);
  return first !== "help" || known ? argv : [node, script, name];
}

/** The placeholder of a command in the general help; all have options. */
function listed(name: string, { parameters, summary }: CommandEntry): Command {
  const command = new Command(name).summary(summary).option("--quiet");
  return parameters === "" ? command : command.arguments(parameters);
}
