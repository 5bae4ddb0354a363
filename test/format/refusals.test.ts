import { expect, it } from "vitest";
import { nextDown, nextUp, ulp } from "../../src/format/neighbours.js";
import { add } from "../../src/format/operations.js";
import { format } from "../../src/format/registry.js";
import { round, rounding } from "../../src/format/round.js";

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

it.each([ulp, nextUp, nextDown])("%o takes a number, and no text", (of) => {
  expect(() => of("x" as unknown as number, "bf16")).toThrow(new TypeError('expected a number, found "x"'));
  expect(() => of("x" as unknown as number, "e8m0fnu")).toThrow(
    new TypeError('expected a number, found "x"'),
  );
});

it("a rounding is suggested by its full name", () => {
  expect(() => rounding("up")).toThrow('unknown rounding "up": did you mean toward-positive? Expected');
  expect(() => rounding("rdd")).toThrow('unknown rounding "rdd": did you mean toward-negative? Expected');
});
