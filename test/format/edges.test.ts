/** What the functions on numbers take at the edge of the library, and what they refuse. */
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { decode, decodeTable, encode } from "../../src/format/encode.js";
import { nextDown, nextUp, ulp } from "../../src/format/neighbours.js";
import { add, div, fma, mul, sqrt, sub } from "../../src/format/operations.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { expectEqual } from "../support/mismatches.js";

type Of = Parameters<typeof round>[1];
type Options = Parameters<typeof round>[2];

const byFormat: Readonly<Record<string, (formatOrName: Of) => unknown>> = {
  round: (formatOrName) => round(0.3, formatOrName),
  encode: (formatOrName) => encode(0.3, formatOrName),
  decode: (formatOrName) => decode(7, formatOrName),
  decodeTable: (formatOrName) => decodeTable(formatOrName),
  ulp: (formatOrName) => ulp(0.3, formatOrName),
  nextUp: (formatOrName) => nextUp(0.3, formatOrName),
  nextDown: (formatOrName) => nextDown(0.3, formatOrName),
  add: (formatOrName) => add(0.3, 0.5, formatOrName),
  sub: (formatOrName) => sub(0.3, 0.5, formatOrName),
  mul: (formatOrName) => mul(0.25, 0.3, formatOrName),
  div: (formatOrName) => div(1, 3, formatOrName),
  sqrt: (formatOrName) => sqrt(2, formatOrName),
  fma: (formatOrName) => fma(0.3, 0.3, 1, formatOrName),
};

describe.each(Object.entries(byFormat))("%s", (_, call) => {
  test("takes a format by its record or by any of its names", () => {
    const expected = call(format("bf16"));
    for (const name of ["bf16", "bfloat16", "torch.bfloat16", "BF16"]) expectEqual(call(name), expected);
    expectEqual(call("e4m3"), call(format("e4m3fn")));
    expect(isDeepStrictEqual(call("e5m2"), expected)).toBe(false);
  });

  test("refuses a name that is unknown or says too little, and what is neither name nor format", () => {
    expect(() => call("bf61")).toThrow('unknown format "bf61": did you mean bf16');
    expect(() => call("fp8")).toThrow("does not say which format is meant");
    for (const none of [undefined, null, 16, {}] as unknown as Of[]) {
      expect(() => call(none)).toThrow(TypeError);
      expect(() => call(none)).toThrow("expected a format or its name");
    }
  });
});

const byOptions: Readonly<Record<string, (options: Options) => unknown>> = {
  round: (options) => round(0.3, "bf16", options),
  encode: (options) => encode(0.3, "bf16", options),
  add: (options) => add(0.3, 0.5, "bf16", options),
  sub: (options) => sub(0.3, 0.5, "bf16", options),
  mul: (options) => mul(0.3, 0.5, "bf16", options),
  div: (options) => div(1, 3, "bf16", options),
  sqrt: (options) => sqrt(2, "bf16", options),
  fma: (options) => fma(0.3, 0.3, 1, "bf16", options),
};

describe.each(Object.entries(byOptions))("the options of %s", (_, call) => {
  test("an unknown rounding or overflow is refused, with those that are known", () => {
    const unknown = (options: object) => () => call(options as Options);
    expect(unknown({ rounding: "nearest" })).toThrow('unknown rounding "nearest"');
    expect(unknown({ rounding: "up" })).toThrow(RangeError);
    expect(unknown({ overflow: "clamp" })).toThrow('unknown overflow "clamp": expected ieee, saturate');
    expect(unknown({ overflow: "toString" })).toThrow(RangeError);
    expect(unknown({ overflow: null })).toThrow(RangeError);
  });

  test("random bits are an unsigned integer of 32 bits, and needed where they are used", () => {
    for (const randomBits of [-1, 2 ** 32, 0.5, Number.NaN]) {
      expect(() => call({ rounding: "stochastic", randomBits })).toThrow(
        "randomBits: expected an unsigned integer",
      );
    }
    expect(() => call({ rounding: "stochastic" })).toThrow("needs randomBits");
    expect(() => call({ rounding: "sr", randomBits: 2 ** 32 - 1 })).not.toThrow();
  });
});

test("an unknown opmath is refused", () => {
  expect(() => add(1, 1, "bf16", { opmath: "fp64" as never })).toThrow(
    'unknown opmath "fp64": expected fp32, exact',
  );
});

test("a table of more than 2^16 codes is refused", () => {
  expect(() => decodeTable("tf32")).toThrow("tf32: expected a format of at most 16 bits, found 19");
});
