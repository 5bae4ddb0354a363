import { type Command, InvalidArgumentError, Option } from "commander";
import { unknownName } from "../format/unknown-name.js";

/** An option that takes values separated by commas; given again, it adds to them. */
export class ListOption<T> extends Option {
  constructor(
    flags: string,
    about: string,
    readonly parse: (text: string) => readonly T[],
    /** What becomes of all values together; they are in the order in which they were given. */
    readonly combine: (values: readonly T[]) => T[] = (values) => [...new Set(values)],
  ) {
    super(flags, about);
  }
}

/**
 * Makes every option of a command strict. One that takes a single value is refused when it is given twice, instead of the
 * last being taken silently; a list adds up. A choice that is not known is answered with the nearest that is. A value
 * that begins with a dash is refused as the name of a file: more likely the name was forgotten before an option.
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

/** The value of a text, and of a list with what was given before. */
function parserOf(option: Option): (text: string, before: unknown) => unknown {
  if (option instanceof ListOption) {
    const { parse, combine } = option;
    return (text, before = []) => combine([...(before as readonly unknown[]), ...parse(text)]);
  }
  const { argChoices, parseArg } = option;
  if (argChoices) return (text) => oneOf(option.attributeName(), text, argChoices);
  return (text, before) => (parseArg ? parseArg(text, before) : text);
}

/** @throws InvalidArgumentError for a name that is none of the known. */
export function oneOf<T extends string>(what: string, name: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === name);
  if (found === undefined) throw new InvalidArgumentError(unknownName(what, name, known).message);
  return found;
}

/** What is made of options; a RangeError is told as what is wrong with the command line. */
export function asUsage<T>(command: Command, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** A parser whose RangeError is told as what is wrong with the argument. */
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
