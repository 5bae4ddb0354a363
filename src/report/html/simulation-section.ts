import type { Result } from "../../lens/result.js";
import { firstShownNote, firstShownTable, samplingNote, samplingTable } from "../simulation.js";
import { numberTable, safe, scrolling, section } from "./parts.js";

/** What only results of simulations have: what a sample tells of the whole, and when weights first show. */
export function simulationSections(result: Result): string {
  const sections = [
    { id: "whole", heading: "The whole model", table: samplingTable(result), note: samplingNote(result) },
    {
      id: "first-shown",
      heading: "When weights first show",
      table: firstShownTable(result),
      note: firstShownNote,
    },
  ];
  return sections
    .flatMap(({ id, heading, table, note }) => {
      if (table === null) return [];
      return [section(id, heading, `<p>${safe(note)}</p>`, scrolling(heading, numberTable(table)))];
    })
    .join("\n");
}
