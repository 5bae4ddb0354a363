import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  choiceField,
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
      parameters: fc.dictionary(fc.string(), fc.string()).map((of) => new Map(Object.entries(of))),
    });
    fc.assert(
      fc.property(place, (of) => {
        expect(parsePlace(placeText(of))).toEqual({ ...of });
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
  });
});
