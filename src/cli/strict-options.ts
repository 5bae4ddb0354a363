import { type Command, InvalidArgumentError, Option } from "commander";
import { unknownName } from "../format/unknown-name.js";

/** An option with comma-separated values; if repeated, values are added. */
export class ListOption<T> extends Option {
  constructor(
    flags: string,
    about: string,
    readonly parse: (text: string) => readonly T[],
    /** Combines all values, which are in the given order. */
    readonly combine: (values: readonly T[]) => T[] = (values) => [...new Set(values)],
  ) {
    super(flags, about);
  }
}

/**
 * Makes every option of a command strict. An option with a single value must not be repeated (commander silently takes
 * the last one); lists add up. For an unknown choice, the error suggests the nearest one. A file name must not begin
 * with a dash: more likely the name was forgotten before an option.
 */
export function strict(command: Command): Command {
  for (const option of command.options.filter((each) => !each.isBoolean())) {
    const parse = parserOf(option);
    let given: { readonly text: string; readonly value: unknown } | null = null;
    option.argParser((text: string) => {
      expectName(command, option, text);
      const value = parse(text, given?.value);
      if (given && !(option instanceof ListOption)) {
        command.error(
          `error: option '${option.flags}' was given twice, '${given.text}' and '${text}': expected it once`,
        );
      }
      // Commander makes "" of it.
      if (value == null) throw new TypeError(`the parser of '${option.flags}' gives no value for '${text}'`);
      given = { text, value };
      return value;
    });
  }
  return command;
}

function expectName(command: Command, { flags }: Option, text: string): void {
  if (!/<(file|folder|path)>/.test(flags) || !/^-./.test(text)) return;
  command.error(
    `error: option '${flags}' expects a name, found '${text}' (./${text} is a file of that name)`,
  );
}

/** The value of a text; for a list, including the values before. */
function parserOf(option: Option): (text: string, before: unknown) => unknown {
  if (option instanceof ListOption) {
    const { parse, combine } = option;
    return (text, before = []) => combine([...(before as readonly unknown[]), ...parse(text)]);
  }
  const { argChoices, parseArg } = option;
  if (argChoices) return (text) => oneOf(option.attributeName(), text, argChoices);
  return (text, before) => (parseArg ? parseArg(text, before) : text);
}

/** @throws InvalidArgumentError for an unknown name. */
export function oneOf<T extends string>(what: string, name: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === name);
  if (found === undefined) throw new InvalidArgumentError(unknownName(what, name, known).message);
  return found;
}

/** Runs `make` on options; reports a RangeError as an error of the command line. */
export function asUsage<T>(command: Command, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** A parser that reports a RangeError as an error of the argument. */
export function asArgument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}
