import { describe, expect, test } from "vitest";
import { terminal } from "../../src/cli/streams.js";
import { visibleWidth } from "../../src/report/columns.js";
import { Captured, call } from "../support/cli.js";

const err = new Captured();
const pipe = { columns: 80, colour: false, unicode: true };
const wide = { columns: 120, colour: true, unicode: true };

describe("what stdout can show", () => {
  test.each<[string, number, Record<string, string>, object]>([
    ["a pipe", 0, {}, pipe],
    ["a terminal", 120, {}, wide],
    ["a terminal, told of none", 120, { NO_COLOR: "1" }, { ...wide, colour: false }],
    ["a terminal, colours off", 120, { FORCE_COLOR: "0" }, { ...wide, colour: false }],
    ["a terminal that shows none", 120, { TERM: "dumb" }, { columns: 120, colour: false, unicode: false }],
    ["a console", 120, { TERM: "linux" }, { ...wide, unicode: false }],
    ["a terminal in the C locale", 120, { LANG: "C" }, { ...wide, unicode: false }],
    ["a terminal, LC_ALL first", 120, { LANG: "C", LC_ALL: "C.UTF-8" }, wide],
    ["a pipe, told of colours", 0, { FORCE_COLOR: "1" }, { ...pipe, colour: true }],
    ["a pipe, told both", 0, { FORCE_COLOR: "1", NO_COLOR: "1" }, pipe],
    ["a pipe in the C locale", 0, { LANG: "C" }, pipe],
  ])("%s", (_, columns, env, expected) => {
    expect(terminal({ out: new Captured(columns), err, env })).toEqual(expected);
  });
});

test("on a terminal a table has colours and no line is wider, and help wraps as wide as it", async () => {
  const shown = async (columns: number, ...args: string[]) => {
    const out = new Captured(columns);
    expect(await call(args, { out, err, env: {} })).toBe(0);
    return out.text;
  };
  const widest = (text: string) => Math.max(...text.split("\n").map(visibleWidth));
  const table = await shown(100, "demo");
  expect(table).toContain("\u001b[32m");
  expect(widest(table)).toBeLessThanOrEqual(100);
  const help = await shown(140, "run", "--help");
  expect(widest(help)).toBeGreaterThan(100);
  expect(widest(help)).toBeLessThanOrEqual(140);
  expect(err.text).toBe("");
});
