import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import type { DifferenceResult } from "../lens/difference/difference-result.js";
import type { SeriesResult } from "../lens/difference/series.js";
import type { Inspection } from "../lens/inspect/inspection.js";
import type { LearnResult } from "../lens/learning/learning.js";
import type { RunComparison } from "../lens/learning/run-comparison.js";
import { miscountOf, miscountOfDifference } from "../lens/run/adds-up.js";
import { upgraded } from "../lens/run/old-results.js";
import type { Result } from "../lens/run/result.js";
import type { PredictionResult } from "../lens/study/prediction.js";
import type { SweepResult } from "../lens/study/sweep.js";
import { InputError, quote } from "../source/input-error.js";
import { systemError } from "../source/system-error.js";
import { complaintOf } from "./schema-complaint.js";

export type SavedResult =
  | Result
  | DifferenceResult
  | SeriesResult
  | SweepResult
  | PredictionResult
  | LearnResult
  | RunComparison
  | Inspection;

/** The schemas of saved results, and their files in docs/. */
const schemas: Readonly<Record<SavedResult["schema"], string>> = {
  "precision-lens/2": "result",
  "precision-lens-diff/2": "diff",
  "precision-lens-series/1": "series",
  "precision-lens-sweep/2": "sweep",
  "precision-lens-prediction/1": "prediction",
  "precision-lens-learn/1": "learn",
  "precision-lens-compare/1": "compare",
  "precision-lens-inspect/1": "inspect",
};

/**
 * Reads a saved result; converts earlier schemas to the current one.
 *
 * @throws InputError if it cannot be read, is not JSON, does not follow a known schema, or has inconsistent counts.
 */
export async function readResult(path: string): Promise<SavedResult> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw systemError(path, "a saved result", error);
  });
  const value = upgraded(parse(path, text));
  const named = (value as Partial<SavedResult> | null)?.schema;
  const name = named !== undefined && Object.hasOwn(schemas, named) ? named : "precision-lens/2";
  const validate = await validatorOf(schemas[name]);
  if (!validate(value)) {
    throw new InputError(path, `a result of schema ${name}`, found(value, validate.errors!));
  }
  const result = value as SavedResult;
  const wrong =
    result.schema === "precision-lens/2"
      ? miscountOf(result)
      : result.schema === "precision-lens-diff/2"
        ? miscountOfDifference(result)
        : null;
  if (wrong !== null) throw new InputError(path, "counts that add up", wrong);
  return result;
}

/** By name of schema, because compiling one takes a quarter of a second (measured). */
const validators = new Map<string, Promise<ValidateFunction>>();

function validatorOf(schema: string): Promise<ValidateFunction> {
  const validator = validators.get(schema) ?? compiled(schema);
  validators.set(schema, validator);
  return validator;
}

async function compiled(schema: string): Promise<ValidateFunction> {
  // Not a static import, which takes a third of the start-up time of every command (measured).
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv = new Ajv2020({ allowUnionTypes: true });
  // The schemas of sweeps and predictions refer to it.
  if (schema !== "result") ajv.addSchema(schemaIn("result"), schemaFile("result"));
  if (schema === "series") ajv.addSchema(schemaIn("diff"), schemaFile("diff"));
  return ajv.compile(schemaIn(schema));
}

function schemaFile(name: string): string {
  return `${name}.schema.json`;
}

function schemaIn(name: string): object {
  // The same relative path from src/cli and from dist/cli.
  return JSON.parse(readFileSync(new URL(`../../docs/${schemaFile(name)}`, import.meta.url), "utf8"));
}

/** Another schema, or where it violates this one. */
function found(value: unknown, errors: readonly ErrorObject[]): string {
  const isOther = errors.some(({ instancePath }) => instancePath === "/schema");
  return isOther ? `schema ${quote(String((value as Result).schema))}` : complaintOf(value, errors);
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(path, "a saved result", "no valid JSON");
  }
}
