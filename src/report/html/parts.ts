import type { SkippedTensor } from "../../lens/input.js";
import { printable } from "../../lens/printable.js";
import type { Report } from "../blocks/block.js";
import { type Figure, figureName, inlineOf, type NumberTable } from "../charts/figure.js";
import { pageInks } from "../charts/inks.js";
import { at, escapeXml } from "../charts/svg.js";
import { count } from "../numbers.js";

/** Parts of a report as HTML. Text from files goes through `safe`. */

/** Escapes text from a file: no markup, no control characters, no change of direction. */
export function safe(text: string): string {
  return escapeXml(printable(text));
}

/** A heading in which numbers such as 1e-5 are not broken. */
function headingHtml(text: string): string {
  return safe(text).replace(/\b[\d.]+e-\d+\b/g, '<span class="number">$&</span>');
}

/** The top of a page: verdict, further sentences, and key figures. */
export function pageHeader(
  { tool, scores, tiles }: Pick<Report, "tool" | "scores" | "tiles">,
  verdict: string,
  lede: readonly string[],
): string {
  return `<header>
<div class="bar"><span><strong>${safe(tool.name)}</strong> ${safe(tool.version)}</span><button id="theme" type="button" hidden></button></div>
<h1>${headingHtml(verdict)}</h1>
${scores ? scoresHtml(scores) : ""}
${lede.map((sentence) => `<p class="lede">${safe(sentence)}</p>`).join("\n")}
<dl class="tiles">${tiles
    .map(([name, value]) => `<div class="tile"><dt>${safe(name)}</dt><dd>${safe(value)}</dd></div>`)
    .join("")}</dl>
</header>`;
}

/** The maximum number of rings; more cases are shown by a figure. */
const mostScores = 8;

/** The circumference of a ring. */
const around = 100;

function scoresHtml({ of: all, note }: NonNullable<Report["scores"]>): string {
  const rings = all.slice(0, mostScores).map(({ label, share, shown, said, tone }) => {
    const part = around * Math.min(1, Math.max(0, share ?? 0));
    const circle = (name: string, dashes: string) =>
      `<circle class="${name}" cx="20" cy="20" r="${at(around / 2 / Math.PI)}" pathLength="${around}"${dashes}/>`;
    const drawn = part > 0 ? circle("part", ` stroke-dasharray="${at(part)} ${around}"`) : "";
    return (
      `<div class="score ${tone}"><dt>${safe(label)}</dt><dd>${safe(said)}</dd>` +
      `<dd class="ring"><svg viewBox="0 0 40 40" aria-hidden="true">${circle("all", "")}${drawn}</svg><span>${safe(shown)}</span></dd></div>`
    );
  });
  return `<dl class="scores">${rings.join("")}</dl>\n<p class="scored">${safe(note)}</p>`;
}

/** A figure with title and caption above and its numbers below. */
export function figureHtml(figure: Figure, heading: "h2" | "h3" = "h3"): string {
  const { title, caption, name, numbers } = figure;
  return `<figure id="${name}">
<figcaption><${heading}>${headingHtml(title)}</${heading}><p>${safe(caption)}</p></figcaption>
<div class="picture" tabindex="0" role="group" aria-label="${safe(title)}">${inlineOf(figure, pageInks)}</div>
<details><summary>The numbers</summary>${scrolling(`Numbers: ${title}`, numberTable(numbers))}</details>
</figure>`;
}

/** A table of numbers with a heading per row. */
export function numberTable({ headings, rows }: NumberTable): string {
  const head = headings.map((heading) => `<th scope="col">${safe(heading)}</th>`).join("");
  const body = rows
    .map(
      ([name, ...cells]) =>
        `<tr><th scope="row">${safe(name)}</th>${cells.map((cell) => `<td>${safe(cell)}</td>`).join("")}</tr>`,
    )
    .join("\n");
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}

/** A scrollable region, focusable and labelled. */
export function scrolling(label: string, content: string): string {
  return `<div class="scroll" tabindex="0" role="region" aria-label="${safe(label)}">${content}</div>`;
}

export function section(heading: string, ...content: readonly string[]): string {
  const id = figureName("section", heading);
  return `<section aria-labelledby="${id}"><h2 id="${id}">${safe(heading)}</h2>\n${content.join("\n")}\n</section>`;
}

/** A list of names and values. */
export function facts(rows: readonly (readonly [string, string])[]): string {
  const body = rows.map(
    ([name, value]) => `<tr><th scope="row">${safe(name)}</th><td>${safe(value)}</td></tr>`,
  );
  return `<table class="plain"><tbody>${body.join("\n")}</tbody></table>`;
}

/** Commands, one per line; a longer one is broken before an option, not within its name. */
export function commands(lines: readonly string[]): string {
  const broken = lines.map((command) =>
    command
      .split(/ (?=--[a-z])/)
      .map((part) => `<span>${escapeXml(part)}</span>`)
      .join(" "),
  );
  return `<pre tabindex="0"><code>${broken.join("\n")}</code></pre>`;
}

/** Excluded tensors with their reasons; only the first ones if there are many. */
export function skippedSection(skipped: readonly SkippedTensor[]): string {
  if (skipped.length === 0) return "";
  const most = 500;
  const rows = skipped
    .slice(0, most)
    .map(({ name, reason }) => [printable(name, 200), printable(reason, 300)] as const);
  const more = skipped.length > most ? `<p>And ${count(skipped.length - most)} more.</p>` : "";
  const heading = `${count(skipped.length)} ${skipped.length === 1 ? "tensor was" : "tensors were"} not counted`;
  return section(heading, scrolling("Tensors that were not counted", facts(rows)), more);
}
