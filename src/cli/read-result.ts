import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { ErrorObject } from "ajv/dist/2020.js";
import type { DifferenceResult } from "../lens/difference-result.js";
import type { Result } from "../lens/result.js";
import { InputError, quote } from "../source/input-error.js";
import { systemError } from "../source/system-error.js";

/** The schemas of saved results, and the files in docs/ that hold them. */
const schemas = { "precision-lens/1": "result", "precision-lens-diff/1": "diff" } as const;

/**
 * Reads a saved result, of a run or of a comparison.
 *
 * @throws InputError if it cannot be read, is not JSON, or is not a result of a schema known here.
 */
export async function readResult(path: string): Promise<Result | DifferenceResult> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw systemError(path, "a saved result", error);
  });
  const value = parse(path, text);
  const named = (value as Partial<Result> | null)?.schema as keyof typeof schemas;
  const name = Object.hasOwn(schemas, named ?? "") ? named : "precision-lens/1";
  // The same distance from src/cli and from dist/cli.
  const url = new URL(`../../docs/${schemas[name]}.schema.json`, import.meta.url);
  const schema = JSON.parse(readFileSync(url, "utf8"));
  // Not above: it takes a third of the start of every command (measured).
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);
  if (!validate(value)) {
    throw new InputError(path, `a result of schema ${name}`, complaint(value, validate.errors![0]));
  }
  return value as Result | DifferenceResult;
}

/** What is wrong with it: another schema, or where it breaks this one. */
function complaint(value: unknown, { instancePath, message }: ErrorObject): string {
  if (instancePath === "/schema") return `schema ${quote(String((value as Result).schema))}`;
  if (instancePath === "") return `JSON that ${message}`;
  return `${quote(instancePath)}, which ${message}`;
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(path, "a saved result", "no valid JSON");
  }
}
