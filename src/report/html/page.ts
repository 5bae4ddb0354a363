import { type Block, type BlockOf, type Report, shownIn, type Table } from "../blocks/block.js";
import { elided } from "../shareable.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import {
  commands,
  facts,
  figureHtml,
  numberTable,
  pageHeader,
  safe,
  scrolling,
  section,
  skippedSection,
} from "./parts.js";
import { chooser, tensorSection } from "./tensor-table.js";

/** A report as a page in one file. */
export function htmlPage(report: Report, assets: HtmlAssets): string {
  const { tool, headline, verdict, lede, skipped, meaning } = report;
  const [sentence, ...more] = verdict === undefined ? headline : [verdict, ...headline];
  const blocks = shownIn("page", report.blocks);
  const again = report.again();
  const body = [
    pageHeader(report, sentence, [...more, ...lede]),
    "<main>",
    ...blocks.map(topHtml),
    skippedSection(skipped),
    section("Settings", facts([...report.settings(), ["tool", `${tool.name} ${tool.version}`]])),
    section(
      again.heading,
      again.commands.length > 0
        ? againHtml(again.commands)
        : "<p>The input was not read from files: the settings above say how it was made.</p>",
    ),
    "</main>",
    `<footer>${paragraphs(meaning)}</footer>`,
  ];
  const tensors = blocks.find((block): block is BlockOf<"tensors"> => block.kind === "tensors");
  const data = tensors?.data ?? null;
  return htmlDocument(`${sentence} ${tool.name}`, body.filter(Boolean).join("\n"), data, assets);
}

function againHtml(lines: readonly string[]): string {
  const isShortened = lines.some((line) => line.includes(elided));
  const note = `<p>Absolute paths are shortened, as the report may be shared: put the beginning in place of ${elided}</p>`;
  return commands(lines) + (isShortened ? note : "");
}

/** Wraps top-level blocks in a section. */
function topHtml(block: Block): string {
  if (block.kind === "section") return section(block.heading, ...insideHtml(block));
  if (block.kind === "tensors") return tensorSection(block.data, chooser(block.labels), block.note);
  if (block.kind === "figures") {
    return block.figures.map((figure) => `<section>${figureHtml(figure, "h2")}</section>`).join("\n");
  }
  return `<section>${blockHtml(block, "")}</section>`;
}

function insideHtml({ heading, blocks }: Pick<BlockOf<"section">, "heading" | "blocks">): string[] {
  return shownIn("page", blocks).map((block) => blockHtml(block, heading));
}

/** @param heading the heading of its section. */
function blockHtml(block: Block, heading: string): string {
  switch (block.kind) {
    case "text":
      return paragraphs(block.paragraphs);
    case "table":
      return tableHtml(block, heading);
    case "section":
      return [`<h3>${safe(block.heading)}</h3>`, ...insideHtml(block)].join("\n");
    case "figures": {
      const drawn = block.figures.map((figure) => figureHtml(figure)).join("");
      return block.beside ? `<div class="pair">${drawn}</div>` : drawn;
    }
    case "choice":
      return choiceHtml(block, heading);
    case "facts":
      return facts(block.rows);
    default:
      return "";
  }
}

function paragraphs(texts: readonly string[]): string {
  return texts.map((paragraph) => `<p>${safe(paragraph)}</p>`).join("\n");
}

/** A table with a label different from that of its section. */
function tableHtml(shown: Table, heading: string): string {
  const content = scrolling(`Table by ${shown.headings[0]}: ${heading}`, numberTable(shown));
  return [content, paragraphs(shown.notes ?? [])].filter(Boolean).join("\n");
}

function choiceHtml({ labels, choices }: BlockOf<"choice">, heading: string): string {
  const shown = choices.map(
    (blocks, i) =>
      `<div data-case="${i}"${i > 0 ? " hidden" : ""}>${insideHtml({ heading: `${heading}: ${labels[i]}`, blocks }).join("\n")}</div>`,
  );
  return [`<div class="controls">${chooser(labels)}</div>`, ...shown].join("\n");
}
