import { expect, it } from "vitest";
import { parseAssignment } from "../../../src/update/recipe/expression.js";

it.each(["0", "125", "3.25", "10.5e12", "7e-10", "2e3"])("%s is one number", (text) => {
  const { target, value } = parseAssignment(`total = ${text}`);
  expect(target).toBe("total");
  expect(value).toEqual({ kind: "number", value: Number(text) });
});

it("a number is no name, though a letter may be in it", () => {
  expect(() => parseAssignment("1e5 = 2")).toThrow("expected a name, found 1e5");
});
