import { expect, it } from "vitest";
import { plural } from "../../src/format/plural.js";

it("one of a thing is singular, and any other number of it plural", () => {
  expect([0, 1, 2, 4096].map((n) => plural(n, "byte"))).toEqual([
    "0 bytes",
    "1 byte",
    "2 bytes",
    "4096 bytes",
  ]);
});
