import { describe, expect, it } from "vitest";
import { format } from "../../../src/format/registry.js";
import { round } from "../../../src/format/round.js";
import { compile, Names } from "../../../src/update/recipe/compile.js";
import { power, scalarDialect, weightDialect } from "../../../src/update/recipe/dialects.js";
import { parseAssignment } from "../../../src/update/recipe/expression.js";

const bf16 = format("bf16");
const store = (x: number) => round(x, bf16);

/** Runs lines in a dialect on given names and tells what they assign. */
function run(
  lines: readonly string[],
  given: Readonly<Record<string, number>>,
  dialect = weightDialect(store),
) {
  const names = new Names();
  for (const name of Object.keys(given)) names.of(name);
  const evaluate = compile(lines, names, dialect);
  const registers = new Float64Array(names.size);
  for (const [name, value] of Object.entries(given)) registers[names.of(name)] = value;
  evaluate(registers);
  return (name: string) => registers[names.of(name)];
}

describe("the language of recipes", () => {
  it("has the usual precedence", () => {
    const scalars = scalarDialect(store);
    expect(run(["x = 1 - 2 - 3"], {}, scalars)("x")).toBe(-4);
    expect(run(["x = 1 + 2 * 3 ^ 2"], {}, scalars)("x")).toBe(19);
    expect(run(["x = (1 + 2) * 3 / 9"], {}, scalars)("x")).toBe(1);
    expect(run(["x = -a * -(b + 1)"], { a: 2, b: 3 }, scalars)("x")).toBe(8);
    expect(run(["x = 1.5e-3 * 2"], {}, scalars)("x")).toBe(0.003);
  });

  it("assigns under conditions, in order, and reads what earlier lines assigned", () => {
    const lines = ["a < 0.5: x = 1", "a >= 0.5: x = 2", "a != 0: y = x + 1"];
    expect(run(lines, { a: 0.25, y: 9 })("y")).toBe(2);
    expect(run(lines, { a: 0.5, y: 9 })("y")).toBe(3);
    expect(run(lines, { a: 0, y: 9 })("y")).toBe(9);
  });

  it.each([
    ["x =", "expected more, found the end"],
    ["x = 1 +", "expected more, found the end"],
    ["= 1", "expected a name, found ="],
    ["x 1", "expected =, found 1"],
    ["x = 1 2", "expected the end, found 2"],
    ["x = (1", "expected more, found the end"],
    ["x = (1,", "expected ), found ,"],
    ["x = )", "expected a number, a name or (, found )"],
    ["a + b: x = 1", "expected < or >= or !=, found :"],
    ["x = 1 # 2", "unexpected character"],
  ])("refuses %s", (line, message) => {
    expect(() => parseAssignment(line)).toThrow(SyntaxError);
    expect(() => parseAssignment(line)).toThrow(`recipe line "${line}": ${message}`);
  });

  it("refuses unknown names and calls, and calls of another arity", () => {
    expect(() => run(["x = y"], {})).toThrow("unknown name y");
    expect(() => run(["x = tan(1)"], {})).toThrow("no tan of 1");
    expect(() => run(["x = fma(1, 2)"], {})).toThrow("no fma of 2");
    expect(() => run(["x = 2 ^ 3"], {})("x")).toThrow("no ^ for each weight");
  });
});

describe("arithmetic for each weight", () => {
  const [a, b, c] = [0.1, 0.7, -0.07].map(Math.fround);

  it("rounds every operation to fp32 once", () => {
    expect(run(["x = a * b + c"], { a, b, c })("x")).toBe(Math.fround(Math.fround(a * b) + c));
    expect(run(["x = a / b - c"], { a, b, c })("x")).toBe(Math.fround(Math.fround(a / b) - c));
    expect(run(["x = sqrt(a)"], { a })("x")).toBe(Math.fround(Math.sqrt(a)));
    expect(run(["x = R(a)"], { a })("x")).toBe(round(a, bf16));
    expect(run(["x = sign(c)"], { c })("x")).toBe(-1);
  });

  it("fma has one rounding, which tells", () => {
    const exact = run(["x = fma(a, b, c)"], { a, b, c })("x");
    expect(exact).not.toBe(Math.fround(Math.fround(a * b) + c));
    // a b is exact in fp64, and so is its sum with c here.
    expect(exact).toBe(Math.fround(a * b + c));
    // Through fp64 this would be a tie and go to 1.
    expect(run(["x = fma(a, b, c)"], { a: 2 ** -24, b: 1, c: 1 })("x")).toBe(1);
    const [d, e] = [1 + 2 ** -23, 1 + 2 ** -23];
    expect(run(["x = fma(d, e, f)"], { d, e, f: 2 ** -70 })("x")).toBe(1 + 2 ** -22);
    expect(run(["x = fma(d, e, f)"], { d: 2 ** -24 * d, e: 1, f: 1 })("x")).toBe(1 + 2 ** -23);
  });
});

describe("power", () => {
  it("is base^n rounded once, as exact integers tell", () => {
    for (const base of [0.9, 0.95, 0.98, 0.99, 0.999, 0.9999]) {
      const mantissa = BigInt(base * 2 ** 60);
      for (const n of [1, 2, 3, 7, 10, 100, 300, 1000]) {
        const found = power(base, n);
        const exponent = Math.floor(Math.log2(found)) - 52;
        // Both in units of 2^-40 of an ulp; the exact power is rounded down there.
        const exact = (mantissa ** BigInt(n)) >> BigInt(60 * n + exponent - 40);
        const units = BigInt(found / 2 ** exponent) << 40n;
        const error = units > exact ? units - exact : exact - units;
        expect(error, `${base}^${n}`).toBeLessThanOrEqual(2n ** 39n);
      }
    }
    expect(power(0.9, 0)).toBe(1);
    expect(power(2, -1)).toBe(0.5);
  });
});
