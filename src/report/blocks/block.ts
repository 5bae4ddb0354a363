import type { SkippedTensor } from "../../lens/input.js";
import { printable } from "../../lens/printable.js";
import type { Figure, NumberTable } from "../charts/figure.js";
import type { TensorData } from "../tensor-data.js";
import type { Terminal } from "../terminal.js";

/**
 * What there is to say of a result, in pieces that every form can show. One function for each kind of result makes a
 * {@link Report}; `terminal.ts`, `markdown.ts` and `html/page.ts` render any.
 */
export interface Report {
  readonly tool: { readonly name: string; readonly version: string };
  /** The heading of Markdown. */
  readonly title: string;
  /** The answer in sentences. The first heads a page, the others stand below it. */
  readonly headline: readonly string[];
  /** What heads a page, in one sentence, where that is not the first of the answer. */
  readonly verdict?: string;
  /** A ring for each of what is compared, and what it stands for. */
  readonly scores?: { readonly of: readonly Score[]; readonly note: string };
  /** What a page says below the answer: what was counted. */
  readonly lede: readonly string[];
  /** A page's numbers to see at a glance: what they are, and as they are shown. */
  readonly tiles: readonly Fact[];
  readonly blocks: readonly (Block | null)[];
  readonly skipped: readonly SkippedTensor[];
  /** The settings of the count, shown on a page, which adds the tool. */
  readonly settings: () => readonly Fact[];
  /** A heading, and the commands that count it again; none where the input was not read from files. */
  readonly again: () => { readonly heading: string; readonly commands: readonly string[] };
  /** What the words mean, at the foot of a page. */
  readonly meaning: readonly string[];
  /** What figures are of, at the foot of a slide, after the tool. */
  readonly source: string;
}

/** A share of what there was to keep or to gain, on a page. */
export interface Score {
  readonly label: string;
  /** null where it is not known; more than all is drawn as all. */
  readonly share: number | null;
  readonly shown: string;
  /** What it comes to, in a few words. */
  readonly said: string;
  readonly tone: "good" | "bad" | "plain";
}

/** A name, and what it stands for. */
export type Fact = readonly [name: string, value: string];

export type Form = "terminal" | "markdown" | "page";

export type Block =
  /** Paragraphs. A note is of what stands above it, and quieter. */
  | {
      readonly kind: "text";
      readonly paragraphs: readonly string[];
      readonly as: "strong" | "plain" | "note";
    }
  | ({ readonly kind: "table" } & Table)
  /** A heading and what is below it, in Markdown and on a page; inside another one, a smaller heading. */
  | {
      readonly kind: "section";
      readonly heading: string;
      readonly blocks: readonly (Block | null)[];
    }
  /** On a page: figures one below the other, or two beside each other. */
  | { readonly kind: "figures"; readonly figures: readonly Figure[]; readonly beside: boolean }
  /** On a page: one of several, whichever the reader chooses; the choice is the same everywhere. */
  | {
      readonly kind: "choice";
      readonly labels: readonly string[];
      readonly choices: readonly (readonly (Block | null)[])[];
    }
  | { readonly kind: "facts"; readonly rows: readonly Fact[] }
  /** On a page: tensors that can be sorted and searched; a row of numbers for each case of these labels. */
  | {
      readonly kind: "tensors";
      readonly data: TensorData;
      readonly labels: readonly string[];
      readonly note: string;
    }
  /** On a terminal: what only characters draw. */
  | { readonly kind: "lines"; readonly draw: (terminal: Terminal) => readonly string[] }
  | {
      readonly kind: "only";
      readonly forms: readonly Form[];
      readonly blocks: () => readonly (Block | null)[];
    };

export type BlockOf<Kind extends Block["kind"]> = Extract<Block, { readonly kind: Kind }>;

/** A table of texts, the first column the names of the rows. */
export interface Table extends NumberTable {
  /** How columns are set on a terminal, "l" or "r" for each; to the right where that is not told, the first to the left. */
  readonly align?: string;
  /** Headings of columns that stay beside the one before them where a terminal has no room for all. */
  readonly joined?: readonly string[];
  /** Whether a terminal that has no room for all columns shows as many in each part. */
  readonly even?: boolean;
  /** What the columns are: right below the table. */
  readonly notes?: readonly string[];
}

export function text(paragraphs: readonly string[], as: BlockOf<"text">["as"] = "plain"): Block {
  return { kind: "text", paragraphs, as };
}

export function note(...paragraphs: readonly string[]): Block {
  return text(paragraphs, "note");
}

/** A table, or nothing where there is none. */
export function table(
  content: NumberTable | null,
  layout: Omit<Table, keyof NumberTable> = {},
): Block | null {
  return content === null ? null : { kind: "table", ...content, ...layout };
}

/** A table of rows, from what each column is called and what it shows of a row. */
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

/** What only a terminal draws. */
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

/** What one form alone shows; made when it is asked for. */
export const onTerminal = only("terminal");
export const inMarkdown = only("markdown");
export const onPage = only("page");
/** Terminal and Markdown, where a page has a heading or a figure. */
export const inText = only("terminal", "markdown");
/** Markdown and pages, which have room for every table. */
export const inDocument = only("markdown", "page");

/** The blocks that a form shows, of those that have anything to show. */
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

/** The figures of a page, in its order. */
export function figuresOf({ blocks }: Pick<Report, "blocks">): Figure[] {
  return shownIn("page", blocks).flatMap((block): readonly Figure[] => {
    if (block.kind === "figures") return block.figures;
    if (block.kind === "section") return figuresOf(block);
    return block.kind === "choice" ? block.choices.flatMap((choice) => figuresOf({ blocks: choice })) : [];
  });
}

/** What figures are of, at the foot of a slide. */
export function sourceOf({ tool, source }: Report): string {
  return printable(`${tool.name} ${tool.version}: ${source}`);
}
