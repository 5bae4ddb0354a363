import { storageFormat } from "../format/block/block-format.js";
import type { PairOptions } from "../source/pair/pair-up.js";
import type { DiffOptions } from "./diff-options.js";

type Given = Pick<DiffOptions, "view" | "strict" | "rename" | "commonRows">;

/** How two checkpoints are paired and in which format they are compared. */
export function pairOptions({ view, strict = false, rename = [], commonRows = false }: Given): PairOptions {
  return { view: view === undefined ? null : storageFormat(view), strict, rename, commonRows };
}

/** The same as results and logs tell it. */
export function pairSettings({ view, strict = false, rename = [], commonRows = false }: Given) {
  return { view: view ?? null, strict, rename: rename.map(({ text }) => text), commonRows };
}
