import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";

type SchemaName = "result" | "explanation" | "doctor" | "diff" | "sweep" | "prediction";

/** Expects a value that keeps to `docs/<name>.schema.json`. */
export function expectValid(name: SchemaName, value: unknown): void {
  const ajv = new Ajv2020({ allowUnionTypes: true, allErrors: true });
  // Those of sweeps and predictions refer to it.
  if (name !== "result") ajv.addSchema(schemaIn("result"), "result.schema.json");
  ajv.validate(schemaIn(name), value);
  expect(ajv.errors ?? []).toEqual([]);
}

function schemaIn(name: SchemaName): object {
  return JSON.parse(readFileSync(new URL(`../../docs/${name}.schema.json`, import.meta.url), "utf8"));
}
