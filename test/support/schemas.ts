import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";

/** Expects a value that keeps to `docs/<name>.schema.json`. */
export function expectValid(name: "result" | "explanation" | "doctor" | "diff", value: unknown): void {
  const url = new URL(`../../docs/${name}.schema.json`, import.meta.url);
  const ajv = new Ajv2020({ allowUnionTypes: true, allErrors: true });
  ajv.validate(JSON.parse(readFileSync(url, "utf8")), value);
  expect(ajv.errors ?? []).toEqual([]);
}
