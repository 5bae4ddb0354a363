import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect } from "vitest";

type SchemaName =
  | "result"
  | "explanation"
  | "doctor"
  | "diff"
  | "series"
  | "block-explanation"
  | "sweep"
  | "prediction"
  | "inspect"
  | "learn"
  | "compare"
  | "vectors"
  | "recipes"
  | "framework"
  | "framework-verification"
  | "verification"
  | "check"
  | "counts"
  | "plan";

const compiled = new Map<SchemaName, ValidateFunction>();

/** Expects a value to follow `docs/<name>.schema.json`. */
export function expectValid(name: SchemaName, value: unknown): void {
  const validate = compiled.get(name) ?? compile(name);
  compiled.set(name, validate);
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

function compile(name: SchemaName): ValidateFunction {
  const ajv = new Ajv2020({ allowUnionTypes: true, allErrors: true });
  // The schemas of sweeps and predictions refer to it.
  if (name !== "result") ajv.addSchema(schemaIn("result"), "result.schema.json");
  if (name === "series") ajv.addSchema(schemaIn("diff"), "diff.schema.json");
  return ajv.compile(schemaIn(name));
}

function schemaIn(name: SchemaName): object {
  return JSON.parse(readFileSync(new URL(`../../docs/${name}.schema.json`, import.meta.url), "utf8"));
}
