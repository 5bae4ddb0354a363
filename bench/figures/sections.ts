/** A section of a document: from one heading to the next, of any level. */
export interface Section {
  /** The heading with its level, `## Result`; empty before the first. */
  readonly heading: string;
  readonly text: string;
}

export function sectionsOf(markdown: string): Section[] {
  const sections: { heading: string; lines: string[] }[] = [{ heading: "", lines: [] }];
  let isCode = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("```")) isCode = !isCode;
    if (!isCode && /^#{1,6} /.test(line)) sections.push({ heading: line.trim(), lines: [] });
    else sections.at(-1)!.lines.push(line);
  }
  return sections.map(({ heading, lines }) => ({ heading, text: lines.join("\n") }));
}

/** Whether a section has a Markdown table. */
export function hasTable({ text }: Section): boolean {
  return /^\|[ :|-]*-[ :|-]*\|$/m.test(text);
}

/**
 * The date of a section, or of one row of its table: the earliest date in it; for a document written by a command, the
 * date in its first paragraph. Null if there is none.
 */
export function dateIn(sections: readonly Section[], heading: string, row?: string): string | null {
  const section = sections.find((candidate) => candidate.heading === heading);
  if (section === undefined) return null;
  const text = row === undefined ? section.text : rowIn(section, row);
  return earliest(text) ?? (row === undefined ? earliest(writtenBy(sections)) : null);
}

function rowIn({ text }: Section, row: string): string {
  return text.split("\n").find((line) => line.startsWith(`| ${row}`)) ?? "";
}

function writtenBy(sections: readonly Section[]): string {
  const [first = ""] = sections
    .slice(0, 2)
    .flatMap(({ text }) => text.split("\n\n"))
    .filter((paragraph) => /^\s*(Written|Generated) by /.test(paragraph));
  return first;
}

function earliest(text: string): string | null {
  return text.match(/\b20\d\d-\d\d-\d\d\b/g)?.toSorted()[0] ?? null;
}
