import type { Result } from "../../lens/run/result.js";
import { sharedNote, sharedTable } from "../shared-scales.js";
import { firstShownNote, firstShownTable, samplingNote, samplingTable } from "../simulation.js";
import { numberTable, safe, scrolling, section } from "./parts.js";

/** What only some results have: what a sample tells of the whole, when weights first show, and what shared scales change. */
export function furtherSections(result: Result): string {
  const sections = [
    { id: "whole", heading: "The whole model", table: samplingTable(result), note: samplingNote(result) },
    {
      id: "first-shown",
      heading: "When weights first show",
      table: firstShownTable(result),
      note: firstShownNote,
    },
    { id: "shared", heading: "Codes, scales and numbers", table: sharedTable(result), note: sharedNote },
  ];
  return sections
    .flatMap(({ id, heading, table, note }) => {
      if (table === null) return [];
      return [section(id, heading, `<p>${safe(note)}</p>`, scrolling(heading, numberTable(table)))];
    })
    .join("\n");
}
