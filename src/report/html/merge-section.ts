import type { Result } from "../../lens/run/result.js";
import { kindTable, mergedLayers, mergeNotes, unmergeTable } from "../adapter-lens.js";
import { numberTable, safe, scrolling, section } from "./parts.js";

/** What only merges of adapters have: by module and layer, of the case that is chosen, and what unmerging gives back. */
export function mergeSections(result: Result, labels: readonly string[], choose: string): string {
  if (result.merge === undefined) return "";
  const unmerge = unmergeTable(result);
  const tables = labels.map((label, i) => {
    const parts = [
      [`The adapter by module: ${label}`, kindTable(result, i)] as const,
      [`The adapter by layer: ${label}`, mergedLayers(result, i)] as const,
    ].filter(([, { rows }]) => rows.length > 0);
    const shown = parts.map(([name, table]) => scrolling(name, numberTable(table))).join("\n");
    return `<div data-case="${i}"${i > 0 ? " hidden" : ""}>${shown}</div>`;
  });
  return [
    section(
      "adapter",
      "The adapter by module and layer",
      `<div class="controls">${choose}</div>`,
      ...tables,
      ...mergeNotes(result).map((note) => `<p>${safe(note)}</p>`),
    ),
    ...(unmerge === null
      ? []
      : [section("unmerge", "After unmerging", scrolling("Weights after unmerging", numberTable(unmerge)))]),
  ].join("\n");
}
