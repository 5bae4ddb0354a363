import type { ErrorObject } from "ajv/dist/2020.js";
import { quote } from "../source/input-error.js";

/** Where a value does not follow its schema, in words: `no "kept" in "/cases/0/totals"`. */
export function complaintOf(value: unknown, errors: readonly ErrorObject[]): string {
  // Of alternatives the one that went furthest: what is wrong there, not that it is none of the others.
  const [deepest] = errors.toSorted((a, b) => stepsOf(b).length - stepsOf(a).length);
  const isOneOfSeveral = errors.some(
    ({ keyword, instancePath }) => alternatives.has(keyword) && instancePath === deepest.instancePath,
  );
  const steps = stepsOf(deepest);
  const at = steps.reduce<unknown>((inside, step) => (inside as Record<string, unknown>)[step], value);
  const where = steps.length === 0 ? null : quote(deepest.instancePath);
  return isOneOfSeveral
    ? `${where ?? "JSON"} that is ${shown(at)}, which a result does not have there`
    : wrongOf(deepest, where, at);
}

const alternatives = new Set(["anyOf", "oneOf"]);

function wrongOf({ keyword, params }: ErrorObject, where: string | null, at: unknown): string {
  const inside = where === null ? "" : ` in ${where}`;
  const it = where ?? "JSON";
  switch (keyword) {
    case "required":
      return where === null
        ? `JSON without ${quote(params.missingProperty)}`
        : `no ${quote(params.missingProperty)}${inside}`;
    case "additionalProperties":
      return `an unknown ${quote(params.additionalProperty)}${inside}`;
    case "type":
      return `${it} that is ${shown(at)}, not ${[params.type].flat().map(typeWords).join(" or ")}`;
    case "const":
      return `${it} that is ${shown(at)}, not ${shown(params.allowedValue)}`;
    case "enum":
      return `${it} that is ${shown(at)}, not ${params.allowedValues.map(shown).join(" or ")}`;
    case "minimum":
    case "exclusiveMinimum":
    case "maximum":
    case "exclusiveMaximum":
      return `${it} that is ${shown(at)}, not ${params.comparison} ${params.limit}`;
    case "minItems":
      return `${it} that has ${(at as unknown[]).length} entries, not ${params.limit} or more`;
    case "maxItems":
      return `${it} that has ${(at as unknown[]).length} entries, not ${params.limit} or fewer`;
    default:
      return `${it} that is ${shown(at)}, which a result does not have there`;
  }
}

/** The names and indices of a JSON pointer. */
function stepsOf({ instancePath }: ErrorObject): string[] {
  const steps = instancePath.split("/").slice(1);
  return steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function shown(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return typeWords("array");
  return typeof value === "object" && value !== null ? typeWords("object") : String(value);
}

function typeWords(type: string): string {
  const words: Readonly<Record<string, string>> = {
    object: "an object",
    array: "a list",
    string: "a text",
    number: "a number",
    integer: "a whole number",
    boolean: "true or false",
  };
  return words[type] ?? type;
}
