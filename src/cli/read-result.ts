import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Result } from "../lens/result.js";
import { InputError } from "../source/input-error.js";

/**
 * Reads a saved result.
 *
 * @throws InputError if it cannot be read, is not JSON, or is not a result of schema precision-lens/1.
 */
export async function readResult(path: string): Promise<Result> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      path,
      "a saved result",
      error.code === "ENOENT" ? "no such file" : String(error.code),
    );
  });
  const value = parse(path, text);
  // The same distance from src/cli and from dist/cli.
  const schema = JSON.parse(readFileSync(new URL("../../docs/result.schema.json", import.meta.url), "utf8"));
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);
  if (!validate(value)) {
    const [first] = validate.errors ?? [];
    throw new InputError(
      path,
      "a result of schema precision-lens/1",
      `at ${first?.instancePath || "its top"} what ${first?.message}`,
    );
  }
  return value as Result;
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(path, "a saved result", "no valid JSON");
  }
}
