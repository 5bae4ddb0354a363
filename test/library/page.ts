/** docs/library.md: what the library exports, from its sources. */
import { type Documented, type ExportedFile, entries, exportedFiles, type Named } from "./exports.js";

/** Folders of src in the order of the page; what is in none is about two checkpoints. */
const titles: Readonly<Record<string, string>> = {
  format: "Numbers, formats, rounding",
  update: "How a weight takes an update",
  lens: "What became of updates",
  engine: "Engines, and typed arrays",
  source: "Files",
  testing: "Checks of other arithmetic",
  vectors: "Words of those checks",
};

/** The page as Markdown. */
export function libraryPage(): string {
  const parts = entries.flatMap(([name, entry]) => {
    const rooms = byRoom(exportedFiles(entry));
    return [
      `## \`${name}\``,
      about[name],
      ...[...rooms].flatMap(([room, files]) => [
        ...(rooms.size > 1 ? [`### ${titles[room] ?? "Two checkpoints"}`] : []),
        ...files.flatMap(({ functions }) => functions.map(functionText)),
        ...listOf(
          "Values",
          files.flatMap(({ values }) => values),
        ),
        ...listOf(
          "Types",
          files.flatMap(({ types }) => types),
        ),
      ]),
    ];
  });
  return `${[
    "# The library",
    "Written by `npm run library` from the sources. The tests run the examples and check the value after each.",
    ...parts,
  ].join("\n\n")}\n`;
}

const about: Readonly<Record<(typeof entries)[number][0], string>> = {
  "precision-lens": "Without files, command line or DOM: it runs in browsers.",
  "precision-lens/node": "All of that, and what reads files.",
  "precision-lens/testing": "For vitest, jest, node:test or none; [testing.md](testing.md) is its guide.",
  "precision-lens/testing/fast-check": "Arbitraries for property tests. fast-check is an optional peer.",
};

function byRoom(files: readonly ExportedFile[]): Map<string, ExportedFile[]> {
  const rooms = new Map<string, ExportedFile[]>();
  const roomOf = ({ file }: ExportedFile) => file.split("/")[0];
  const order = Object.keys(titles);
  for (const file of files.toSorted((a, b) => order.indexOf(roomOf(a)) - order.indexOf(roomOf(b)))) {
    rooms.set(roomOf(file), [...(rooms.get(roomOf(file)) ?? []), file]);
  }
  return rooms;
}

function functionText({ name, signature, text, tags }: Documented): string {
  const parameters = (tags.get("param") ?? []).map((said) => {
    const [, parameter, meaning] = /^(\w+) ([\s\S]*)$/.exec(said)!;
    return `- \`${parameter}\`: ${inline(meaning)}`;
  });
  const said = (tag: string, label: string) =>
    (tags.get(tag) ?? []).map((meaning) => `- ${label} ${inline(meaning)}`);
  return [
    `**\`${name}\`** ${inline(text)}`,
    `\`\`\`ts\n${signature}\n\`\`\``,
    [...parameters, ...said("returns", "Returns"), ...said("throws", "Throws")].join("\n"),
    ...(tags.get("example") ?? []).map((example) => `\`\`\`ts\n${example}\n\`\`\``),
  ].join("\n\n");
}

function listOf(heading: string, named: readonly Named[]): string[] {
  if (named.length === 0) return [];
  const rows = named.map(({ name, text }) => `- \`${name}\`${text === "" ? "" : `: ${inline(text)}`}`);
  return [`${heading}:`, rows.join("\n")];
}

/** A text of several lines as one, its links as code. */
function inline(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").replace(/\{@link (\w+)\}/g, "`$1`");
}
