import { moduleOf } from "../../lens/module.js";
import { InputError, quote } from "../input-error.js";
import type { Side } from "../pair/side.js";
import type { SideTensor } from "../pair/side-tensor.js";
import { shapeText } from "../safetensors/header.js";
import { splitFused } from "./fused.js";
import { matchNames } from "./match-names.js";
import type { Rename } from "./rename.js";
import { rowsOf } from "./rows.js";
import { turnExperts } from "./transposed.js";

export interface AlignOptions {
  /** Rules for the names of both sides, applied in order. */
  readonly rename?: readonly Rename[];
  /** Compare the common rows of tensors that differ in their number of rows. */
  readonly commonRows?: boolean;
}

/**
 * Gives corresponding tensors of two sides the same name: by rules, by removing wrappers, by a common prefix, and by
 * splitting tensors that one side has fused. The notes of the sides tell what was done.
 *
 * @throws InputError if a rule gives two tensors the same name.
 */
export function align(
  before: Side,
  after: Side,
  { rename = [], commonRows = false }: AlignOptions,
): [Side, Side] {
  const [from, to] = [before, after].map((side) => renamed(side, rename));
  const matched = matchNames(from.tensors, to.tensors);
  const byName = new Map(
    [...to.tensors].map(([name, tensor]): [string, SideTensor] => {
      const other = matched.names.get(name) ?? name;
      return [other, { ...tensor, name: other }];
    }),
  );
  const [first, second] = [splitFused(from.tensors, byName), splitFused(byName, from.tensors)];
  const turned = turnExperts(first.tensors, second.tensors);
  const rows = commonRows ? rowsInCommon(turned.before, turned.after) : null;
  return [
    {
      ...from,
      tensors: rows?.from ?? turned.before,
      notes: [...(from.notes ?? []), ...splitNotes(first.split)],
    },
    {
      ...to,
      tensors: rows?.to ?? turned.after,
      notes: [
        ...(to.notes ?? []),
        ...matched.notes,
        ...splitNotes(second.split),
        ...turnedNotes(turned.names),
        ...(rows?.notes ?? []),
      ],
    },
  ];
}

function renamed(side: Side, rules: readonly Rename[]): Side {
  if (rules.length === 0) return side;
  const tensors = new Map<string, SideTensor>();
  for (const tensor of side.tensors.values()) {
    const name = rules.reduce((text, rule) => rule.apply(text), tensor.name);
    if (tensors.has(name)) {
      throw new InputError(side.path, "a name for every tensor after renaming", `${quote(name)} twice`);
    }
    tensors.set(name, { ...tensor, name });
  }
  return { ...side, tensors };
}

function splitNotes(split: readonly (readonly [string, number])[]): string[] {
  if (split.length === 0) return [];
  const [[name, parts]] = split;
  const more = split.length === 1 ? "" : ` and ${split.length - 1} more`;
  return [
    `${quote(name)}${more} was compared in ${split.length === 1 ? `${parts} ` : ""}parts, as the other side has it`,
  ];
}

function turnedNotes(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length === 1 ? "" : ` and ${names.length - 1} more`;
  return [
    `${quote(names[0])}${more} ${names.length === 1 ? "was" : "were"} transposed, to match the other side`,
  ];
}

type Tensors = ReadonlyMap<string, SideTensor>;

function rowsInCommon(before: Tensors, after: Tensors) {
  const [from, to] = [new Map(before), new Map(after)];
  const notes: string[] = [];
  for (const [name, a] of before) {
    const b = after.get(name);
    if (b === undefined || !haveOtherRows(a, b)) continue;
    const rows = Math.min(a.shape[0], b.shape[0]);
    const shape = [rows, ...a.shape.slice(1)];
    const width = a.shape.slice(1).reduce((product, length) => product * length, 1);
    from.set(name, rowsOf(a, name, 0, shape, width));
    to.set(name, rowsOf(b, name, 0, shape, width));
    notes.push(
      `the first ${rows} rows of ${quote(name)} were compared: BEFORE has ${a.shape[0]}, AFTER ${b.shape[0]}`,
    );
  }
  return { from, to, notes };
}

/** Whether tensors differ only in their number of rows, as after resizing a vocabulary. */
export function haveOtherRows(a: SideTensor, b: SideTensor): boolean {
  return (
    a.shape.length === b.shape.length &&
    a.shape.length > 0 &&
    a.shape[0] !== b.shape[0] &&
    Math.min(a.shape[0], b.shape[0]) > 0 &&
    shapeText(a.shape.slice(1)) === shapeText(b.shape.slice(1))
  );
}

/** Why a tensor may be missing on the other side: an output head tied to the embedding. */
export function tiedHead(name: string, other: Tensors): string {
  if (moduleOf(name).kind !== "head") return "";
  const embedding = [...other.keys()].find((each) => moduleOf(each).kind === "embedding");
  const hasHead = [...other.keys()].some((each) => moduleOf(each).kind === "head");
  return embedding === undefined || hasHead
    ? ""
    : `: the other side has no head, as where it is tied to ${quote(embedding)}`;
}
