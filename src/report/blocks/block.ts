import type { SkippedTensor } from "../../lens/input.js";
import { printable } from "../../lens/printable.js";
import type { Figure, NumberTable } from "../charts/figure.js";
import type { TensorData } from "../tensor-data.js";
import type { Terminal } from "../terminal.js";

/**
 * The contents of a report, in blocks that every form can show. One function for each kind of result builds a
 * {@link Report}; `terminal.ts`, `markdown.ts` and `html/page.ts` render it.
 */
export interface Report {
  readonly tool: { readonly name: string; readonly version: string };
  /** The heading of Markdown. */
  readonly title: string;
  /** The answer in sentences. The first is the heading of a page, the others are below it. */
  readonly headline: readonly string[];
  /** The heading of a page, if not the first sentence of the answer. */
  readonly verdict?: string;
  /** A ring for each item compared, and its meaning. */
  readonly scores?: { readonly of: readonly Score[]; readonly note: string };
  /** What was counted: on a page, below the answer. */
  readonly lede: readonly string[];
  /** The key figures of a page: name and formatted value. */
  readonly tiles: readonly Fact[];
  readonly blocks: readonly (Block | null)[];
  readonly skipped: readonly SkippedTensor[];
  /** The settings of the count, shown on a page together with the tool's version. */
  readonly settings: () => readonly Fact[];
  /** A heading, and the commands that reproduce the result; none if the input was not read from files. */
  readonly again: () => { readonly heading: string; readonly commands: readonly string[] };
  /** Definitions of terms, at the end of a page. */
  readonly meaning: readonly string[];
  /** The source of figures, at the foot of a slide, after the tool. */
  readonly source: string;
}

/** A share of what could be kept or gained, on a page. */
export interface Score {
  readonly label: string;
  /** null if unknown; more than 1 is drawn as 1. */
  readonly share: number | null;
  readonly shown: string;
  /** The score in a few words. */
  readonly said: string;
  readonly tone: "good" | "bad" | "plain";
}

/** A name and its value. */
export type Fact = readonly [name: string, value: string];

export type Form = "terminal" | "markdown" | "page";

export type Block =
  /** Paragraphs. A note refers to the block above it and is less prominent. */
  | {
      readonly kind: "text";
      readonly paragraphs: readonly string[];
      readonly as: "strong" | "plain" | "note";
    }
  | ({ readonly kind: "table" } & Table)
  /** A heading with its contents, in Markdown and on a page; nested sections have smaller headings. */
  | {
      readonly kind: "section";
      readonly heading: string;
      readonly blocks: readonly (Block | null)[];
    }
  /** On a page: figures below each other, or two side by side. */
  | { readonly kind: "figures"; readonly figures: readonly Figure[]; readonly beside: boolean }
  /** On a page: one of several, chosen by the reader for the whole page. */
  | {
      readonly kind: "choice";
      readonly labels: readonly string[];
      readonly choices: readonly (readonly (Block | null)[])[];
    }
  | { readonly kind: "facts"; readonly rows: readonly Fact[] }
  /** On a page: a table of tensors to sort and search, with one row of numbers for each case of these labels. */
  | {
      readonly kind: "tensors";
      readonly data: TensorData;
      readonly labels: readonly string[];
      readonly note: string;
    }
  /** On a terminal: drawings in characters. */
  | { readonly kind: "lines"; readonly draw: (terminal: Terminal) => readonly string[] }
  | {
      readonly kind: "only";
      readonly forms: readonly Form[];
      readonly blocks: () => readonly (Block | null)[];
    };

export type BlockOf<Kind extends Block["kind"]> = Extract<Block, { readonly kind: Kind }>;

/** A table of texts, the first column the names of the rows. */
export interface Table extends NumberTable {
  /** The alignment of columns on a terminal, "l" or "r" for each; default the first to the left, the others right. */
  readonly align?: string;
  /** Headings of columns that stay next to the one before if a terminal has no room for all. */
  readonly joined?: readonly string[];
  /** Whether a terminal without room for all columns shows equally many in each part. */
  readonly even?: boolean;
  /** The meaning of the columns, directly below the table. */
  readonly notes?: readonly string[];
}

export function text(paragraphs: readonly string[], as: BlockOf<"text">["as"] = "plain"): Block {
  return { kind: "text", paragraphs, as };
}

export function note(...paragraphs: readonly string[]): Block {
  return text(paragraphs, "note");
}

/** A table; null for null. */
export function table(
  content: NumberTable | null,
  layout: Omit<Table, keyof NumberTable> = {},
): Block | null {
  return content === null ? null : { kind: "table", ...content, ...layout };
}

/** A table of rows, from each column's heading and its text for a row. */
export function tableOf<Row>(
  rows: readonly Row[],
  columns: readonly (readonly [heading: string, cell: (row: Row, index: number) => string])[],
): NumberTable {
  return {
    headings: columns.map(([heading]) => heading),
    rows: rows.map((row, i) => columns.map(([, cell]) => cell(row, i))),
  };
}

export function section(heading: string, blocks: readonly (Block | null)[]): Block {
  return { kind: "section", heading, blocks };
}

/** A drawing for terminals only. */
export function lines(draw: BlockOf<"lines">["draw"]): Block {
  return { kind: "lines", draw };
}

export function figures(...shown: readonly Figure[]): Block {
  return { kind: "figures", figures: shown, beside: false };
}

export function beside(...shown: readonly Figure[]): Block {
  return { kind: "figures", figures: shown, beside: true };
}

type Blocks = () => readonly (Block | null)[];
const only =
  (...forms: readonly Form[]) =>
  (blocks: Blocks): Block => ({ kind: "only", forms, blocks });

/** Blocks for one form only, built on demand. */
export const onTerminal = only("terminal");
export const inMarkdown = only("markdown");
export const onPage = only("page");
/** Terminal and Markdown, for contents that a page shows as a heading or a figure. */
export const inText = only("terminal", "markdown");
/** Markdown and pages, which have room for all tables. */
export const inDocument = only("markdown", "page");

/** The nonempty blocks that a form shows. */
export function shownIn(form: Form, blocks: readonly (Block | null)[]): Block[] {
  return blocks.flatMap((block): Block[] => {
    if (block === null) return [];
    if (block.kind === "only") return block.forms.includes(form) ? shownIn(form, block.blocks()) : [];
    if (block.kind === "section") {
      const inside = shownIn(form, block.blocks);
      return inside.length === 0 ? [] : [{ ...block, blocks: inside }];
    }
    if (block.kind === "text" && block.paragraphs.length === 0) return [];
    if (block.kind === "table" && block.rows.length === 0) return [];
    if (block.kind === "figures" && block.figures.length === 0) return [];
    if (block.kind === "facts" && block.rows.length === 0) return [];
    return [block];
  });
}

/** The figures of a page, in order. */
export function figuresOf({ blocks }: Pick<Report, "blocks">): Figure[] {
  return shownIn("page", blocks).flatMap((block): readonly Figure[] => {
    if (block.kind === "figures") return block.figures;
    if (block.kind === "section") return figuresOf(block);
    return block.kind === "choice" ? block.choices.flatMap((choice) => figuresOf({ blocks: choice })) : [];
  });
}

/** The source of figures, at the foot of a slide. */
export function sourceOf({ tool, source }: Report): string {
  return printable(`${tool.name} ${tool.version}: ${source}`);
}
