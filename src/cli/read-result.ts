import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { Result } from "../lens/result.js";
import { InputError, quote } from "../source/input-error.js";
import { systemError } from "../source/system-error.js";

/**
 * Reads a saved result.
 *
 * @throws InputError if it cannot be read, is not JSON, or is not a result of schema precision-lens/1.
 */
export async function readResult(path: string): Promise<Result> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw systemError(path, "a saved result", error);
  });
  const value = parse(path, text);
  // The same distance from src/cli and from dist/cli.
  const schema = JSON.parse(readFileSync(new URL("../../docs/result.schema.json", import.meta.url), "utf8"));
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);
  if (!validate(value)) {
    throw new InputError(path, "a result of schema precision-lens/1", complaint(value, validate.errors![0]));
  }
  return value as Result;
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
