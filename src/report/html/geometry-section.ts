import type { Geometry } from "../../lens/geometry-result.js";
import { type Figure, half } from "../charts/figure.js";
import { courseSentences, geometryNotes, geometrySentence, isRecorded, modelsOf } from "../geometry.js";
import { geometryTables } from "../geometry-markdown.js";
import { figureHtml, numberTable, safe, scrolling, section } from "./parts.js";

/**
 * How changes lie, where that was measured.
 *
 * @param first the path of the first tuned model.
 * @param figures those of `geometryFigures`.
 */
export function geometrySection(
  geometry: Geometry | undefined,
  first: string,
  figures: readonly Figure[],
): string {
  if (!geometry) return "";
  const models = modelsOf(geometry, first);
  const pairs = figures.filter(({ size }) => size.width === half);
  return section(
    "geometry",
    "How the changes lie",
    ...models.map(
      ([path, { totals }]) =>
        `<p>${safe(`${models.length > 1 ? `${path}: ` : ""}${geometrySentence(totals, isRecorded(geometry))}`)}</p>`,
    ),
    ...courseSentences(geometry).map((sentence) => `<p>${safe(sentence)}</p>`),
    ...figures.filter((figure) => !pairs.includes(figure)).map((figure) => figureHtml(figure)),
    pairs.length > 0 ? `<div class="pair">${pairs.map((figure) => figureHtml(figure)).join("")}</div>` : "",
    ...geometryTables(geometry, first).map(
      (table) => `<h3>${safe(table.title)}</h3>${scrolling(table.title, numberTable(table))}`,
    ),
    ...geometryNotes(geometry).map((note) => `<p>${safe(note)}</p>`),
  );
}
