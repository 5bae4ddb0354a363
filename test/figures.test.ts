import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { measured, notMeasured } from "../bench/figures/manifest.js";
import { dateIn, hasTable, sectionsOf } from "../bench/figures/sections.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (doc: string) => readFileSync(`${root}${doc}`, "utf8");
const documents = [
  "README.md",
  "recorders/README.md",
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

describe("bench/figures/manifest.ts", () => {
  const known = new Set([
    ...measured.map(({ doc, heading }) => `${doc} ${heading}`),
    ...notMeasured.flatMap(([doc, headings]) => headings.map((heading) => `${doc} ${heading}`)),
  ]);

  test.each(documents)("has every section of %s with a table or a date", (doc) => {
    // The date of a whole document stands where it says what wrote it.
    const dated = (text: string) =>
      /\b20\d\d-\d\d-\d\d\b/.test(text.replace(/^\s*(Written|Generated) by .*/, ""));
    const sections = sectionsOf(read(doc)).filter((section) => hasTable(section) || dated(section.text));
    const missing = sections.map(({ heading }) => `${doc} ${heading}`).filter((name) => !known.has(name));
    // A table that was measured goes into `measured` with its command, any other one into `notMeasured`.
    expect(missing).toEqual([]);
  });

  test("has no section that is gone, no section twice, no source that is gone", () => {
    for (const name of known) {
      const [doc, heading] = [name.slice(0, name.indexOf(" ")), name.slice(name.indexOf(" ") + 1)];
      expect(
        sectionsOf(read(doc)).map((section) => section.heading),
        name,
      ).toContain(heading);
    }
    const words = notMeasured.flatMap(([doc, headings]) => headings.map((heading) => `${doc} ${heading}`));
    const both = measured
      .map(({ doc, heading }) => `${doc} ${heading}`)
      .filter((name) => words.includes(name));
    expect(both).toEqual([]);
    for (const source of measured.flatMap(({ sources }) => sources)) {
      expect(existsSync(`${root}${source}`), source).toBe(true);
    }
  });

  test.each(measured.filter(({ command }) => command !== null))(
    "$doc, $heading $row: has a date, and a command of this package",
    ({ doc, heading, row, command }) => {
      expect(dateIn(sectionsOf(read(doc)), heading, row)).toMatch(/^20\d\d-\d\d-\d\d$/);
      const { scripts } = JSON.parse(read("package.json"));
      for (const [, script] of command!.matchAll(/npm (?:run )?([a-z:-]+)/g)) {
        expect(Object.keys(scripts)).toContain(script);
      }
    },
  );

  test("every row of the table of performance with a date of its own is in it", () => {
    const [, table] = sectionsOf(read("docs/performance.md"));
    const dated = table.text
      .split("\n")
      .filter((line) => line.startsWith("|") && /20\d\d-\d\d-\d\d/.test(line));
    const rows = measured.flatMap(({ doc, row }) => (doc === "docs/performance.md" && row ? [row] : []));
    expect(dated.filter((line) => !rows.some((row) => line.startsWith(`| ${row}`)))).toEqual([]);
    expect(dated).toHaveLength(rows.length);
  });
});

describe("dates in documents", () => {
  const sections = sectionsOf(
    [
      "# A",
      "Written by `npm run a` on 2026-01-03: do not edit.",
      "## B",
      "| a | b |",
      "| --- | --- |",
      "| one | 2026-02-05 |",
      "| two | 2026-02-04 |",
      "## C",
      "```sh",
      "# no heading",
      "```",
      "words",
    ].join("\n"),
  );

  test("are the earliest of a section, those of a row, or of the command that wrote the document", () => {
    expect(sections.map(({ heading }) => heading)).toEqual(["", "# A", "## B", "## C"]);
    expect(sections.map(hasTable)).toEqual([false, false, true, false]);
    expect(dateIn(sections, "## B")).toBe("2026-02-04");
    expect(dateIn(sections, "## B", "one")).toBe("2026-02-05");
    expect(dateIn(sections, "## B", "three")).toBeNull();
    expect(dateIn(sections, "## C")).toBe("2026-01-03");
    expect(dateIn(sections, "## D")).toBeNull();
    expect(dateIn(sectionsOf("# A\n\nwords, 2026-01-01\n\n## B\nmore"), "## B")).toBeNull();
  });
});
