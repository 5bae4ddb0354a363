import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  anyNumberField,
  choiceField,
  misread,
  numberField,
  parsePlace,
  placeText,
  readState,
  viewNames,
  wholeField,
  writeState,
} from "../../src/page/location.js";

describe("places", () => {
  test("come back from their text", () => {
    const place = fc.record({
      view: fc.constantFrom(...viewNames),
      parameters: fc.dictionary(fc.string(), fc.string()).map((entries) => new Map(Object.entries(entries))),
    });
    fc.assert(
      fc.property(place, (location) => {
        expect(parsePlace(placeText(location))).toEqual({ ...location });
      }),
    );
  });

  test.each(["", "#", "#nowhere", "#nowhere?x=1", "#%", "#?"])("%j is the first view", (fragment) => {
    expect(parsePlace(fragment).view).toBe("tensor");
  });
});

describe("states", () => {
  const fields = {
    format: choiceField(["bf16", "fp16"], "bf16"),
    lr: numberField(1e-6, 0, 1),
    step: wholeField(0, 0, 100),
  };

  test("are read, and written without what is usual", () => {
    const parameters = new Map([
      ["format", "fp16"],
      ["step", "7"],
    ]);
    const state = readState(fields, parameters);
    expect(state).toEqual({ format: "fp16", lr: 1e-6, step: 7 });
    expect(writeState(fields, state)).toEqual(parameters);
  });

  test.each([
    ["format", "<img>"],
    ["lr", ""],
    ["lr", "NaN"],
    ["lr", "Infinity"],
    ["lr", "-1"],
    ["step", "1.5"],
    ["step", "101"],
  ])("%s=%j is not understood", (name, text) => {
    expect(readState(fields, new Map([[name, text]]))).toEqual({ format: "bf16", lr: 1e-6, step: 0 });
    expect(misread(fields, new Map([[name, text]]))).toHaveLength(1);
  });

  test("what is not understood is said, a sentence each", () => {
    const parameters = new Map([
      ["format", "fp16"],
      ["lr", "1e400"],
      ["step", "1.5"],
      ["toString", "1"],
    ]);
    expect(misread(fields, parameters)).toEqual([
      'In the address lr is "1e400", not a number from 0 to 1: the view began with 0.000001.',
      'In the address step is "1.5", not a whole number from 0 to 100: the view began with 0.',
      'The address sets "toString", which this view does not have.',
    ]);
  });
});

describe("any number", () => {
  const { parse } = anyNumberField(0);

  test.each([Number.NaN, Infinity, -Infinity, 1.5, -1e300, 0])("%s comes back from its text", (x) => {
    expect(parse(String(x))).toBe(x);
  });

  test.each(["1e400", "-1e400", "abc", "", " ", "inf", "1,5"])("%j is none", (text) => {
    expect(parse(text)).toBeUndefined();
  });
});
