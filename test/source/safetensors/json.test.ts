import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/source/input-error.js";
import { JsonReader } from "../../../src/source/safetensors/json.js";
import { sized } from "../../support/tier.js";
import { seeded } from "../support.js";

function accepts(text: string): boolean {
  try {
    const reader = new JsonReader(new TextEncoder().encode(text), "t.json");
    reader.skip();
    reader.end();
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return false;
  }
}

function jsonParses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("takes what JSON.parse takes", () => {
  test("any value", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), (text) => accepts(text)));
  });

  test("damaged values", () => {
    const random = seeded(7);
    const alphabet = '{}[],:"\\ \n\t0123456789.eE+-truefalsnu\u0001\u001fé';
    let taken = 0;
    const tries = sized({ quick: 6000, full: 20_000 });
    for (let i = 0; i < tries; i++) {
      // No key can become its twin by a change of one or two places.
      const text = '{"one":[1,-2.5e+3,"a\\u00e9\\n"],"three":{"x":null,"yyyy":[true,false]}, "sixsix" : 0}';
      const units = [...text];
      for (let edits = 1 + random(2); edits > 0; edits--) {
        units.splice(random(units.length), random(2), alphabet[random(alphabet.length)]);
      }
      const damaged = units.join("");
      const parses = jsonParses(damaged);
      if (parses) taken++;
      if (accepts(damaged) !== parses) expect.fail(`JSON.parse ${parses ? "takes" : "refuses"} ${damaged}`);
    }
    expect(taken).toBeGreaterThan(tries / 20);
  });
});

test.each([
  ["a key twice", '{"a":1,"a":1}'],
  ["a key twice, once escaped", '{"a":1,"\\u0061":1}'],
  ["a key twice, deep inside", '{"a":[{"b":{"c":1,"c":2}}]}'],
  ["65 levels and more", "[".repeat(66) + "]".repeat(66)],
])("refuses what JSON.parse takes: %s", (_, text) => {
  expect(jsonParses(text)).toBe(true);
  expect(accepts(text)).toBe(false);
});

test("takes 64 levels, and keys of other objects again", () => {
  expect(accepts("[".repeat(65) + "]".repeat(65))).toBe(true);
  expect(accepts('{"a":{"a":{"a":1}},"b":{"a":1}}')).toBe(true);
});
