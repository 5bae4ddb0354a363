import { describe, expect, it } from "vitest";
import { Count } from "./count.js";
import { rowOf, withRow } from "./document.js";

function count(cases: number, mismatches = 0): Count {
  return Object.assign(new Count(), { cases, mismatches });
}

describe("docs/verification.md", () => {
  const first = withRow("", rowOf("add-bf16", count(2 ** 33), 600, 1));
  const second = withRow(first, rowOf("sweep-bf16", count(6 * 2 ** 32, 3), 12.4, 2));
  const rows = (document: string) => document.split("\n").filter((line) => line.startsWith("| `"));

  it("has a row for each check that was run, in the order of the checks", () => {
    expect(rows(first)).toEqual([
      expect.stringMatching(/^\| `add-bf16` +\| 8,589,934,592 +\| 0 +\| 10 min /),
    ]);
    expect(rows(second)).toEqual([
      expect.stringMatching(/^\| `sweep-bf16` +\| 25,769,803,776 +\| 3 +\| 12 s +\| 2 /),
      expect.stringMatching(/^\| `add-bf16` +\| 8,589,934,592 +\| 0 +\| 10 min +\| 1 /),
    ]);
  });

  it("keeps the rows of checks that were not run, and replaces that of one that was", () => {
    const third = withRow(second, rowOf("sweep-bf16", count(6 * 2 ** 32), 11, 2));
    expect(rows(third)).toEqual([expect.stringMatching(/^\| `sweep-bf16` .*\| 0 +\| 11 s/), rows(second)[1]]);
  });

  it("does not change when the same row is written again", () => {
    expect(withRow(second, rowOf("sweep-bf16", count(6 * 2 ** 32, 3), 12.4, 2))).toBe(second);
  });

  it("tells the command of every check", () => {
    expect(first).toContain("- `npm run verify -- sweep-e5m2`: Every fp32 bit pattern rounded to e5m2");
  });
});
