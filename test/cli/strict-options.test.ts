import { Command, CommanderError, Option } from "commander";
import { describe, expect, test } from "vitest";
import { formatName, wholeNumber } from "../../src/cli/common-options.js";
import { tellNotices } from "../../src/cli/notices.js";
import { ListOption, strict } from "../../src/cli/strict-options.js";

/** What a command makes of its arguments, or the sentence with which it refuses them. */
function parsed(...args: string[]): unknown {
  let told = "";
  const command = new Command("test")
    .option("--seed <n>", "", wholeNumber, 7)
    .option("--json <file>", "")
    .option("--quiet", "")
    .addOption(new Option("--engine <name>", "").choices(["auto", "wasm"]).default("auto"))
    .addOption(
      new ListOption("--format <names>", "", (text) => text.split(",").map(formatName)).default(["fp32"]),
    )
    .addOption(
      new ListOption(
        "--lr <rates>",
        "",
        (text) => text.split(",").map(Number),
        (rates) => [...rates].sort((a, b) => a - b),
      ),
    )
    .configureOutput({
      writeErr: (text) => {
        told += text;
      },
    })
    .exitOverride();
  try {
    return strict(command).parse(args, { from: "user" }).opts();
  } catch (error) {
    if (error instanceof CommanderError) return told.trim();
    throw error;
  }
}

describe("a name", () => {
  test("does not begin with a dash, but for that of stdout and in a folder", () => {
    expect(parsed("--json", "-x")).toBe(
      "error: option '--json <file>' expects a name, found '-x' (./-x is a file of that name)",
    );
    expect(parsed("--json", "--quiet")).toMatch(/expects a name, found '--quiet'/);
    expect(parsed("--json", "-")).toMatchObject({ json: "-" });
    expect(parsed("--json", "./-x")).toMatchObject({ json: "./-x" });
    expect(parsed("--lr", "-1")).toMatchObject({ lr: [-1] });
  });
});

test("a parser must give a value: of null, commander makes an empty text", () => {
  const command = new Command("test").option("--sample <n>", "", () => null).exitOverride();
  expect(() => strict(command).parse(["--sample", "all"], { from: "user" })).toThrow(
    "the parser of '--sample <n>' gives no value for 'all'",
  );
});

describe("an option given twice", () => {
  test("is refused where it takes one value, the same or another", () => {
    expect(parsed("--seed", "1", "--seed", "2")).toBe(
      "error: option '--seed <n>' was given twice, '1' and '2': expected it once",
    );
    expect(parsed("--json", "a", "--quiet", "--json", "a")).toMatch(
      /'--json <file>' was given twice, 'a' and 'a'/,
    );
    expect(parsed("--engine", "wasm", "--engine", "auto")).toMatch(/'--engine <name>' was given twice/);
  });

  test("adds up where it takes a list, in order and each value once; its default does not", () => {
    expect(parsed("--format", "bf16", "--format", "fp16,bfloat16")).toMatchObject({
      format: ["bf16", "fp16"],
    });
    expect(parsed("--lr", "3,1", "--lr", "2")).toMatchObject({ lr: [1, 2, 3] });
    expect(parsed("--format", "bf16")).toMatchObject({ format: ["bf16"] });
    expect(parsed()).toEqual({ seed: 7, engine: "auto", format: ["fp32"] });
  });

  test("says the same where it takes none", () => {
    expect(parsed("--quiet", "--quiet")).toMatchObject({ quiet: true });
  });

  test("is two options in two command lines", () => {
    expect(parsed("--seed", "1")).toMatchObject({ seed: 1 });
    expect(parsed("--seed", "2")).toMatchObject({ seed: 2 });
  });
});

test("an unknown choice is told the nearest", () => {
  expect(parsed("--engine", "wsam")).toBe(
    "error: option '--engine <name>' argument 'wsam' is invalid. " +
      'unknown engine "wsam": did you mean wasm? Expected auto, wasm',
  );
});

describe("whole numbers", () => {
  test.each([
    ["0", 0],
    ["007", 7],
    ["1000000", 1e6],
    ["1e6", 1e6],
    ["1E+6", 1e6],
    ["1.5e3", 1500],
    ["1.50e1", 15],
    ["2.0", 2],
    ["2^20", 2 ** 20],
    ["10^3", 1000],
    ["3^33", 5559060566555523],
    ["1^99", 1],
    ["9007199254740991", 2 ** 53 - 1],
  ])("%s is %i", (text, n) => {
    expect(wholeNumber(text)).toBe(n);
  });

  test.each(
    [
      "",
      "-1",
      "+1",
      "1e-1",
      "10e-1",
      "1.5",
      "1.5e0",
      "1.00000000000000000001e3",
      "0x10",
      "1e",
      "2^",
      "^2",
      "2^-1",
    ].concat([
      "2^53",
      "9007199254740993",
      "1e16",
      "1e999999999",
      "99^99",
      "2^2^2",
      "1_000",
      "1 000",
      "NaN",
      "Infinity",
    ]),
  )("%j is refused", (text) => {
    expect(() => wholeNumber(text)).toThrow("expected a whole number from 0 to 2^53 - 1, such as");
  });
});

describe("a format whose name has two meanings", () => {
  const told = () => {
    const lines: string[] = [];
    tellNotices((line) => lines.push(line));
    return lines;
  };

  test("is told once", () => {
    expect([formatName("e4m3"), formatName("e4m3"), formatName("bf16")]).toEqual([
      "e4m3fn",
      "e4m3fn",
      "bf16",
    ]);
    expect(told()).toEqual([
      "precision-lens: e4m3 is taken as e4m3fn (OCP), with 448 the largest number; the IEEE-like one is e4m3-ieee, with 240\n",
    ]);
    expect(told()).toEqual([]);
  });

  test("is not told to who wants quiet, nor later", () => {
    formatName("e2m1");
    tellNotices(null);
    expect(told()).toEqual([]);
  });

  test.each(["e4m3fn", "e4m3-ieee", "F8_E4M3", "float8_e4m3fn", "e5m2"])("%s says which", (name) => {
    formatName(name);
    expect(told()).toEqual([]);
  });
});
