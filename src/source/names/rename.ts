/** A rule to rewrite names, in the syntax of sed: `s/^module\.//`. */
export interface Rename {
  /** As it was given. */
  readonly text: string;
  apply(name: string): string;
}

/**
 * Parses a rule `s/PATTERN/REPLACEMENT/FLAGS` with any character between its parts. Patterns are JavaScript's; in the
 * replacement `\1` or `$1` is a group, `&` is itself. Flags are `g` and `i`.
 *
 * @throws RangeError for any other text.
 */
export function renameRule(text: string): Rename {
  const expected = 'expected a rule such as "s/^module\\.//"';
  const delimiter = text[1];
  if (text[0] !== "s" || delimiter === undefined || /[\s\\A-Za-z0-9]/.test(delimiter)) {
    throw new RangeError(`${expected}, found "${text}"`);
  }
  const parts = partsOf(text.slice(2), delimiter);
  if (parts.length !== 3) {
    throw new RangeError(`${expected}, with 3 "${delimiter}", found ${parts.length} in "${text}"`);
  }
  const [pattern, replacement, flags] = parts;
  if (!/^[gi]{0,2}$/.test(flags))
    throw new RangeError(`expected the flags g and i, found "${flags}" in "${text}"`);
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, flags);
  } catch (error) {
    throw new RangeError(`expected a regular expression in "${text}": ${(error as Error).message}`);
  }
  const into = replacement.replaceAll(/\\(\d)/g, "$$$1");
  return { text, apply: (name) => name.replace(expression, into) };
}

/** Splits at a character unless a backslash stands before it. */
function partsOf(text: string, delimiter: string): string[] {
  const parts = [""];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\" && text[i + 1] === delimiter) parts[parts.length - 1] += text[++i];
    else if (text[i] === delimiter) parts.push("");
    else if (text[i] === "\\" && i + 1 < text.length) parts[parts.length - 1] += text[i] + text[++i];
    else parts[parts.length - 1] += text[i];
  }
  return parts;
}
