import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";

const reports = new URL("../../reports/mutation/", import.meta.url);

interface Mutant {
  readonly status:
    | "Killed"
    | "Timeout"
    | "Survived"
    | "NoCoverage"
    | "RuntimeError"
    | "CompileError"
    | "Ignored";
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number } };
}

/** The mutants of each file of src that Stryker's reports have, by path from src: of the newest report that has it. */
function mutantsByFile(): Map<string, readonly Mutant[]> {
  const files = new Map<string, readonly Mutant[]>();
  const names = existsSync(reports) ? readdirSync(reports) : [];
  const writtenAt = (name: string) => statSync(new URL(name, reports)).mtimeMs;
  names.sort((a, b) => writtenAt(a) - writtenAt(b));
  for (const name of names) {
    if (!name.endsWith(".json") || name.endsWith(".incremental.json")) continue;
    const report = JSON.parse(readFileSync(new URL(name, reports), "utf8"));
    for (const [path, { mutants }] of Object.entries<{ mutants: Mutant[] }>(report.files)) {
      files.set(path.replace("src/", ""), mutants);
    }
  }
  return new Map([...files].sort());
}

function row(name: string, mutants: readonly Mutant[], strong = ""): string {
  const count = (status: Mutant["status"]) => mutants.filter((mutant) => mutant.status === status).length;
  const [killed, late, survived, unseen] = [
    count("Killed"),
    count("Timeout"),
    count("Survived"),
    count("NoCoverage"),
  ];
  if (mutants.length === 0) return `| ${name} | 0 | 0 | 0 | 0 | 0 | none |`;
  const score = ((100 * (killed + late)) / (killed + late + survived + unseen)).toFixed(1);
  const cells = [
    name,
    killed + late + survived + unseen,
    killed,
    late,
    survived,
    unseen,
    `${strong}${score} %${strong}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The table of docs/mutation.md: each folder of src, its files, and all. */
export function table(): string {
  const files = [...mutantsByFile()];
  const lines = [
    "| folder, file | mutants | killed | timed out | survived | not run | score |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
  ];
  for (const folder of new Set(files.map(([path]) => path.split("/")[0]!))) {
    const inFolder = files.filter(([path]) => path.startsWith(`${folder}/`));
    lines.push(row(`**src/${folder}**`, inFolder.flatMap(([, mutants]) => mutants), "**")); // biome-ignore format: one row
    for (const [path, mutants] of inFolder) lines.push(row(`\`${path.slice(folder.length + 1)}\``, mutants));
  }
  lines.push(row("**all**", files.flatMap(([, mutants]) => mutants), "**")); // biome-ignore format: one row
  return `${lines.join("\n")}\n`;
}

/** One line for each mutant that no test found. */
export function survivors(): string {
  const lines: string[] = [];
  for (const [path, mutants] of mutantsByFile()) {
    for (const { status, mutatorName, replacement, location } of mutants) {
      if (status !== "Survived" && status !== "NoCoverage") continue;
      lines.push(`${path}:${location.start.line} ${mutatorName} ${replacement ?? ""}`.replaceAll("\n", " "));
    }
  }
  return `${lines.join("\n")}\n`;
}
