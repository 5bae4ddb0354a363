/** What the entries of the library export, read from the sources: functions with their docstrings, and all other names. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

export interface Documented {
  readonly name: string;
  /** As it is declared: type parameters, parameters, what it gives. */
  readonly signature: string;
  readonly parameters: readonly string[];
  /** What is said before the first tag. */
  readonly text: string;
  /** Texts by the names of tags. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
}

/** A file that an entry exports names of. */
export interface ExportedFile {
  /** Below src/, without its ending. */
  readonly file: string;
  readonly functions: readonly Documented[];
  /** Values that are no functions, with what is said of them. */
  readonly values: readonly Named[];
  readonly types: readonly Named[];
}

export interface Named {
  readonly name: string;
  readonly text: string;
}

/** The entries of package.json by the name they are imported by. */
export const entries = [
  ["precision-lens", "index.ts"],
  ["precision-lens/node", "node.ts"],
  ["precision-lens/testing", "testing/index.ts"],
  ["precision-lens/testing/fast-check", "testing/fast-check.ts"],
] as const;

/** Every function that an entry exports, once. */
export function exportedFunctions(): Documented[] {
  return entries.flatMap(([, entry]) => exportedFiles(entry).flatMap(({ functions }) => functions));
}

/** The files of which an entry exports names, in its order; of an entry that declares them itself, that one. */
export function exportedFiles(entry: string): ExportedFile[] {
  const text = readFileSync(join(source, entry), "utf8");
  const reExports = [...text.matchAll(/^export (type )?(?:\{([^}]*)\}|\*) from "\.\.?\/(.*)\.js";$/gm)];
  if (reExports.length === 0) {
    const names = [...text.matchAll(/^export (?:type|interface|const|class|(?:async )?function) (\w+)/gm)];
    return [
      exportedFile(
        entry.replace(/\.ts$/, ""),
        text,
        names.map(([, name]) => name),
      ),
    ];
  }
  return reExports.flatMap(([statement, , names]) => {
    const file = join(dirname(entry), /from "(.*)\.js"/.exec(statement)![1]);
    // All of another entry: that one lists it.
    if (file === "index") return [];
    const declared = readFileSync(join(source, `${file}.ts`), "utf8");
    const all = [...declared.matchAll(/^export (?:type|interface) (\w+)/gm)].map(([, name]) => name);
    const listed = names?.split(",").map(
      (name) =>
        name
          .trim()
          .replace(/^type /, "")
          .split(" as ")
          .at(-1)!,
    );
    return [
      exportedFile(
        file,
        declared,
        (listed ?? all).filter((name) => name !== ""),
      ),
    ];
  });
}

function exportedFile(file: string, text: string, names: readonly string[]): ExportedFile {
  const isType = (name: string) => new RegExp(`^export (?:type|interface) ${name}\\b`, "m").test(text);
  const functions = names.flatMap((name) => documentedIn(text, name) ?? []);
  const others = names.filter((name) => !functions.some((known) => known.name === name));
  const named = (name: string) => ({ name, text: summaryOf(commentBefore(text, name)) });
  return {
    file,
    functions,
    values: others.filter((name) => !isType(name)).map(named),
    types: others.filter(isType).map(named),
  };
}

function commentBefore(text: string, name: string): string {
  const declared = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:type|interface|class|const) ${name}\\b`,
    "m",
  ).exec(text);
  return declared ? docstringBefore(text, declared.index) : "";
}

function docstringBefore(text: string, index: number): string {
  const before = text.slice(0, index);
  return before.endsWith("*/\n") ? before.slice(before.lastIndexOf("/**")) : "";
}

/** Null for what is no function. */
function documentedIn(text: string, name: string): Documented | null {
  const declared = new RegExp(`^export (?:async )?function ${name}(?:<[^>]*>)?\\(`, "m").exec(text);
  if (!declared) return null;
  const comment = docstringBefore(text, declared.index);
  const parameters = topLevel(text.slice(declared.index + declared[0].length));
  const signature = signatureOf(text.slice(declared.index));
  return { name, signature, parameters, text: summaryOf(comment), tags: tagsOf(comment) };
}

/** A declaration up to its body, or to the semicolon of an overload. */
function signatureOf(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const rest = text.slice(i);
    if (depth === 0 && (rest.startsWith(" {\n") || rest.startsWith(";"))) {
      const declared = text.slice(0, i).replace(/^export (?:async )?function /, "");
      return declared
        .replace(/\s*\n\s*/g, " ")
        .replace(/\( /g, "(")
        .replace(/, ?\)/g, ")");
    }
    if (/[({[]/.test(text[i])) depth += 1;
    else if (/[)}\]]/.test(text[i])) depth -= 1;
  }
  throw new Error(`no end of ${text.slice(0, 60)}`);
}

/** The names of parameters: what is before the colon of each, up to the parenthesis that closes them. */
function topLevel(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const [i, sign] of [...text].entries()) {
    if (/[({[<]/.test(sign)) depth += 1;
    else if (/[)}\]]/.test(sign) || (sign === ">" && text[i - 1] !== "=")) depth -= 1;
    if (depth < 0) break;
    if (sign === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += sign;
  }
  return parts.map((part) => part.trim().split(/[?:=]/)[0].trim()).filter((name) => name !== "");
}

/** The lines of a comment without what makes them one. */
function linesOf(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*(?!\/)) ?/, "").replace(/\s*\*\/$/, ""))
    .join("\n");
}

function summaryOf(comment: string): string {
  return linesOf(comment).split(/^@/m)[0].trim();
}

function tagsOf(comment: string): Map<string, string[]> {
  const tags = new Map<string, string[]>();
  for (const [, tag, said] of linesOf(comment).matchAll(/^@(\w+)((?:(?!^@)[\s\S])*)/gm)) {
    tags.set(tag, [...(tags.get(tag) ?? []), said.trim()]);
  }
  return tags;
}
