import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { complaintOf } from "../../src/cli/schema-complaint.js";

const count = { type: "integer", minimum: 0, maximum: 9 };
const schema = {
  type: "object",
  required: ["name"],
  additionalProperties: false,
  properties: {
    name: { enum: ["bf16", "fp16", 3] },
    version: { const: 2 },
    count,
    share: { type: ["number", "null"], exclusiveMinimum: 0, exclusiveMaximum: 1 },
    list: { type: "array", minItems: 1, maxItems: 2, items: { type: "string" } },
    either: {
      anyOf: [{ type: "null" }, { type: "object", required: ["count"], properties: { count } }],
    },
    word: { pattern: "^a" },
  },
};
const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);

const name = "bf16";
test.each<[unknown, string]>([
  [[1], "JSON that is a list, not an object"],
  [null, "JSON that is null, not an object"],
  ["x", 'JSON that is "x", not an object'],
  [{}, 'JSON without "name"'],
  [{ name, colour: 1 }, 'an unknown "colour"'],
  [{ name: "fp8" }, '"/name" that is "fp8", not "bf16" or "fp16" or 3'],
  [{ name, version: { a: 1 } }, '"/version" that is an object, not 2'],
  [{ name, count: 0.5 }, '"/count" that is 0.5, not a whole number'],
  [{ name, count: -1 }, '"/count" that is -1, not >= 0'],
  [{ name, count: 10 }, '"/count" that is 10, not <= 9'],
  [{ name, share: 0 }, '"/share" that is 0, not > 0'],
  [{ name, share: 1 }, '"/share" that is 1, not < 1'],
  [{ name, share: true }, '"/share" that is true, not a number or null'],
  [{ name, list: [] }, '"/list" that has 0 entries, not 1 or more'],
  [{ name, list: ["a", "b", "c"] }, '"/list" that has 3 entries, not 2 or fewer'],
  [{ name, list: ["a", 1] }, '"/list/1" that is 1, not a text'],
  [{ name, either: 1 }, '"/either" that is 1, which a result does not have there'],
  [{ name, either: { count: -1 } }, '"/either/count" that is -1, not >= 0'],
  [{ name, word: "b\u001b[2J" }, '"/word" that is "b\\u001b[2J", which a result does not have there'],
])("%j: %s", (value, complaint) => {
  expect(validate(value)).toBe(false);
  expect(complaintOf(value, validate.errors!)).toBe(complaint);
});
