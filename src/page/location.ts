/** The state of the page in the fragment of its address, so that a link reproduces it. */

export const viewNames = ["tensor", "weight", "block", "learn", "data", "talk"] as const;
export type ViewName = (typeof viewNames)[number];

/** `#view?key=value&key=value` */
export interface Place {
  readonly view: ViewName;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Parses a fragment, with or without its #. An unknown view becomes the first one. */
export function parsePlace(fragment: string): Place {
  const [name, query = ""] = fragment.replace(/^#/, "").split("?");
  const view = viewNames.find((known) => known === name) ?? viewNames[0];
  return { view, parameters: new Map(new URLSearchParams(query)) };
}

export function placeText({ view, parameters }: Place): string {
  const query = new URLSearchParams([...parameters]).toString();
  return `#${view}${query && `?${query}`}`;
}

/** How a part of a view's state is parsed and written. */
export interface Field<T> {
  readonly fallback: T;
  /** A description of its values: "a number from 0 to 1". */
  readonly values: string;
  /** Undefined for an invalid text. */
  parse(text: string): T | undefined;
}

export function choiceField<T extends string>(choices: readonly T[], fallback: T): Field<T> {
  return {
    fallback,
    values: `one of ${choices.join(", ")}`,
    parse: (text) => choices.find((choice) => choice === text),
  };
}

export function oneOfField(choices: readonly number[], fallback: number): Field<number> {
  return {
    fallback,
    values: `one of ${choices.join(", ")}`,
    parse: (text) => choices.find((choice) => `${choice}` === text.trim()),
  };
}

/** A finite number from `least` to `most`. */
export function numberField(fallback: number, least: number, most: number): Field<number> {
  return {
    fallback,
    values: `a number from ${least} to ${most}`,
    parse(text) {
      const x = Number(text);
      return text.trim() !== "" && x >= least && x <= most ? x : undefined;
    },
  };
}

const named: readonly number[] = [Number.NaN, Infinity, -Infinity];

/** Any fp64 number. Nonfinite ones only by name: 1e400, which would parse to Infinity, is invalid. */
export function anyNumberField(fallback: number): Field<number> {
  const { parse } = numberField(fallback, -Number.MAX_VALUE, Number.MAX_VALUE);
  return {
    fallback,
    values: "a finite number, NaN or ±Infinity",
    parse: (text) => named.find((x) => String(x) === text.trim()) ?? parse(text),
  };
}

export function wholeField(fallback: number, least: number, most: number): Field<number> {
  const { parse } = numberField(fallback, least, most);
  return {
    fallback,
    values: `a whole number from ${least} to ${most}`,
    parse(text) {
      const x = parse(text);
      return Number.isInteger(x) ? x : undefined;
    },
  };
}

export type Fields<T> = { readonly [Name in keyof T]: Field<T[Name]> };

/** A state from the parameters of a place; missing or invalid ones get their fallback. */
export function readState<T extends object>(fields: Fields<T>, parameters: Place["parameters"]): T {
  const entries = Object.entries(fields as Fields<Record<string, unknown>>).map(([name, field]) => {
    const text = parameters.get(name);
    return [name, (text === undefined ? undefined : field.parse(text)) ?? field.fallback];
  });
  return Object.fromEntries(entries) as T;
}

/** The parameters that {@link readState} rejects, one sentence each. */
export function misread<T extends object>(fields: Fields<T>, parameters: Place["parameters"]): string[] {
  const all = fields as Fields<Record<string, unknown>>;
  return [...parameters].flatMap(([name, text]) => {
    const field = Object.hasOwn(all, name) ? all[name] : undefined;
    if (field === undefined)
      return [`The address sets ${JSON.stringify(name)}, which this view does not have.`];
    if (field.parse(text) !== undefined) return [];
    const found = JSON.stringify(text);
    return [
      `In the address ${name} is ${found}, not ${field.values}: the view began with ${field.fallback}.`,
    ];
  });
}

/** The parameters of a state, without those at their fallback. */
export function writeState<T extends object>(fields: Fields<T>, state: T): Map<string, string> {
  const all = fields as Fields<Record<string, unknown>>;
  const changed = Object.entries(state).filter(([name, value]) => value !== all[name]?.fallback);
  return new Map(changed.map(([name, value]) => [name, String(value)]));
}
