import type { ModuleKind } from "./module-kind.js";
import { type ModuleRow, moduleTable, stacks, wrappers } from "./module-table.js";

export interface Module {
  readonly kind: ModuleKind;
  /**
   * The stack of layers it is in, such as `model.layers` or `visual.blocks`, without what wraps the model; null outside
   * of any.
   */
  readonly stack: string | null;
  /** The number in the stack; of stacks within each other the outermost counts. */
  readonly layer: number | null;
}

/** What the signs of a pattern stand for. */
const signs: Readonly<Record<string, string>> = { ".": "\\.", "*": "[^.]*", "#": "\\d+", "(": "(?:" };

/**
 * The module of a tensor, from its name alone. A bias, a scale or a LoRA factor belongs to its module. Names
 * without a row in `moduleTable` are `other`.
 */
export function moduleOf(name: string): Module {
  const { segments, at } = placeOf(name);
  const kind = rowAt(segments, at)?.[0] ?? "other";
  if (at === null) return { kind, stack: null, layer: null };
  return { kind, stack: segments.slice(0, at).join("."), layer: Number(segments[at]) };
}

/** The row of `moduleTable` that says what kind of module a tensor is of; null for none. */
export function moduleRowOf(name: string): ModuleRow | null {
  const { segments, at } = placeOf(name);
  return rowAt(segments, at);
}

/** The segments of a name without what wraps the model, and which of them is the number of a layer. */
function placeOf(name: string): { segments: readonly string[]; at: number | null } {
  const segments = unwrapped(name.split(/[./]/).flatMap(withoutUnderscore));
  const at = segments.findIndex(
    (segment, i) => i > 0 && layerNumber.test(segment) && stack.test(segments[i - 1]),
  );
  return { segments, at: at === -1 ? null : at };
}

const stack = new RegExp(`^(?:${stacks.map(([pattern]) => sourceOf(pattern)).join("|")})$`);
/** Larger numbers are not layers. */
const layerNumber = /^\d{1,6}$/;

/** Flax numbers layers so: `layers_3`. */
function withoutUnderscore(segment: string): string | string[] {
  const [, before, number] = underscored.exec(segment) ?? [];
  return before !== undefined && stack.test(before) ? [before, number] : segment;
}

const underscored = /^(.+)_(\d{1,6})$/s;

/** Without the wrappers. What they wrap follows: the last segment is none. */
function unwrapped(segments: readonly string[]): string[] {
  const left: string[] = [];
  for (let at = 0; at < segments.length; ) {
    const wrapper = wrapping.get(segments[at]);
    const wraps =
      wrapper !== undefined &&
      at + wrapper.length < segments.length &&
      wrapper.every((segment, i) => segments[at + i] === segment);
    if (!wraps) left.push(segments[at]);
    at += wraps ? wrapper.length : 1;
  }
  return left;
}

/** By their first segments, which differ. */
const wrapping = new Map(
  wrappers.map(([pattern]) => pattern.split(".")).map((segments) => [segments[0], segments]),
);

const rows = moduleTable.map((row) => ({ row, outside: row[1].startsWith("^"), pattern: matcherOf(row[1]) }));

/** No model has longer names, and matching time is quadratic in the length of a segment. */
const longestPath = 500;

function rowAt(segments: readonly string[], layer: number | null): ModuleRow | null {
  const path = segments.join(".");
  if (path.length > longestPath) return null;
  const found = rows.find(({ outside, pattern }) => (!outside || layer === null) && pattern.test(path));
  return found?.row ?? null;
}

/** Capitals are meant where a pattern has any. */
function matcherOf(pattern: string): RegExp {
  const source = sourceOf(pattern.replace("^", ""));
  return new RegExp(`(?:^|\\.)(?:${source})(?:\\.|$)`, /[A-Z]/.test(pattern) ? "" : "i");
}

/** The source of the regular expression of a pattern. */
function sourceOf(pattern: string): string {
  return pattern.replace(/[.*#(]/g, (sign) => signs[sign]);
}
