import { wrap } from "../report/columns.js";
import type { Terminal } from "../report/terminal.js";

/** An output stream, and its width if it is a terminal. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The environment of a command; main.ts passes that of the process. */
export interface Streams {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Some pseudo-terminals report 0 columns. */
export function columnsOf({ columns }: Output): number {
  return columns || 80;
}

/** Text broken between words at a terminal's width; unchanged for a pipe. */
export function wrappedFor(output: Output, text: string): string {
  if (!output.isTTY) return text;
  return text
    .split("\n")
    .flatMap((line) => wrap(line, columnsOf(output)))
    .join("\n");
}

/** The capabilities of stdout. */
export function terminal({ out, env }: Streams): Terminal {
  const { TERM, LC_ALL, LC_CTYPE, LANG } = env;
  const locale = LC_ALL || LC_CTYPE || LANG || "";
  const ascii = TERM === "dumb" || TERM === "linux" || locale === "C" || locale === "POSIX";
  return {
    columns: columnsOf(out),
    colour: wantsColour(env) ?? (out.isTTY === true && TERM !== "dumb"),
    unicode: !(out.isTTY && ascii),
  };
}

/** Whether the environment requests or forbids colours; null for neither. */
function wantsColour({ NO_COLOR, FORCE_COLOR }: Streams["env"]): boolean | null {
  if (NO_COLOR) return false;
  return FORCE_COLOR ? !["0", "false"].includes(FORCE_COLOR) : null;
}
