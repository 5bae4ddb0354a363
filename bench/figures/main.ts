/**
 * Lists every measured or computed figure of the README and the documents: its date, the command that reproduces it,
 * and whether its sources have changed since, by git. Usage: npm run figures
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Column, layOut } from "../../src/report/columns.js";
import { measured } from "./manifest.js";
import { dateIn, sectionsOf } from "./sections.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

const rows = measured.map(({ doc, heading, row, command, sources }) => {
  const date = dateIn(sectionsOf(readFileSync(`${root}${doc}`, "utf8")), heading, row);
  const changed = sources.length === 0 ? null : lastChange(sources);
  return {
    where: `${doc}: ${row ?? heading.replace(/^#+ /, "")}`,
    date: date ?? "undated",
    changed: changed ?? "–",
    isOlder: date !== null && changed !== null && date < changed,
    command: command ?? "none here: measured elsewhere, once",
  };
});

const column = (heading: string, cells: readonly string[]): Column => ({ heading, align: "left", cells });
const table = layOut([
  column(
    "figure",
    rows.map(({ where }) => cut(where, 70)),
  ),
  column(
    "made",
    rows.map(({ date }) => date),
  ),
  column(
    "sources changed",
    rows.map(({ changed }) => changed),
  ),
  column(
    "",
    rows.map(({ isOlder }) => (isOlder ? "older" : "")),
  ),
  column(
    "command",
    rows.map(({ command }) => command),
  ),
]);
const older = rows.filter(({ isOlder }) => isOlder).length;
process.stdout.write(`${table.join("\n")}\n\n`);
process.stdout.write(
  rows.some(({ changed }) => changed !== "–")
    ? `${older} of ${rows.length} are older than the last change of their sources. One that was made on the day of the change is not.\n`
    : "There is no git history here: whether the sources have changed since is not known.\n",
);

/** The day of the last commit of any of them; null without history. */
function lastChange(sources: readonly string[]): string | null {
  const { stdout, status } = spawnSync("git", ["log", "-1", "--format=%cs", "--", ...sources], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 && stdout !== "" ? stdout.trim() : null;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
