import { expect, it } from "vitest";
import { add } from "../../src/format/operations.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";

it.each(["e5m1x", "e5m1 ", "e5m24", "e1m2", "e5m0"])(
  "there is no format %j, and the built-in ones are told",
  (name) => {
    expect(() => format(name)).toThrow(
      new RegExp(
        `unknown format "${name}": (did you mean .*\\? E|e)xpected fp32, tf32, bf16, fp16, e5m2, e4m3fn, `,
      ),
    );
    expect(() => format(name)).toThrow("or eXmY with X from 2 to 8 and Y from 1 to 23");
  },
);

it("stochastic rounding says what it needs", () => {
  const stochastic = { rounding: "stochastic" } as const;
  expect(() => add(1, 1, format("bf16"), stochastic)).toThrow("needs randomBits, 32 random bits");
  expect(() => round(1, format("bf16"), stochastic)).toThrow("needs randomBits, 32 random bits");
});
