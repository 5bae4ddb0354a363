import { wrap } from "../report/columns.js";
import type { Terminal } from "../report/terminal.js";

/** What is written to, and if it is a terminal, how wide it is. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What a command has of its surroundings; main.ts gives it those of the process. */
export interface Streams {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Some pseudo-terminals say that they have none. */
export function columnsOf({ columns }: Output): number {
  return columns || 80;
}

/** Text as a terminal shows it whole, broken between words; of a pipe as it is. */
export function wrappedFor(output: Output, text: string): string {
  if (!output.isTTY) return text;
  return text
    .split("\n")
    .flatMap((line) => wrap(line, columnsOf(output)))
    .join("\n");
}

/** What stdout can show. */
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

/** Whether the environment asks for colours or forbids them; null where it does neither. */
function wantsColour({ NO_COLOR, FORCE_COLOR }: Streams["env"]): boolean | null {
  if (NO_COLOR) return false;
  return FORCE_COLOR ? !["0", "false"].includes(FORCE_COLOR) : null;
}
