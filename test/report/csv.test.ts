import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderCsv } from "../../src/report/csv.js";
import { csv } from "../../src/report/csv-text.js";
import { caseOf, renamed, resultOf } from "../support/results.js";
import { anyText } from "../support/text.js";

/** The records of a text after RFC 4180; throws for what it does not allow. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  let record: string[] = [];
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const match = field.exec(text);
    if (match === null) throw new Error(`no field of RFC 4180 at ${at}: ${text.slice(at, at + 40)}`);
    const [, quoted, plain, end] = match;
    record.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ",") continue;
    records.push(record);
    record = [];
  }
  return records;
}

const counted = await caseOf([1, 0.5, -2, 3], [1e-4, 0, 0.5, Number.NaN]);

/** Rows by the names of their columns. */
function rows(text: string): Record<string, string>[] {
  const [heading, ...records] = parseCsv(text);
  return records.map((record) => {
    expect(record).toHaveLength(heading.length);
    return Object.fromEntries(record.map((cell, i) => [heading[i], cell]));
  });
}

describe("renderCsv", () => {
  test("a name that a spreadsheet would take for a formula is a text; numbers stay numbers", () => {
    const names = ["=1+1", "+x", "-x", "@x", "\t=x", "=cmd|'/c calc'!A0", '-"', "-1", "a=b", "'=x"];
    const read = names.map((name) => rows(renderCsv(resultOf([renamed(counted, name)])))[1]);
    expect(read.map(({ tensor }) => tensor)).toEqual([
      "'=1+1",
      "'+x",
      "'-x",
      "'@x",
      "'\t=x",
      "'=cmd|'/c calc'!A0",
      "'-\"",
      "-1",
      "a=b",
      "''=x",
    ]);
    expect(csv([["-1.5e-7", "-0", "+3", ""]])).toBe("-1.5e-7,-0,+3,\r\n");
  });

  test("has one row over all tensors and one for each", () => {
    const [all, tensor] = rows(renderCsv(resultOf([renamed(counted, "w")])));
    expect(all).toMatchObject({ format: "bf16", scheme: "in-place", tensor: "", shape: "" });
    expect(tensor).toMatchObject({ tensor: "w", shape: "4", opmath: "fp32", rounding: "nearest-even" });
    const counts = { elements: "4", steps: "1", none: "1", lost: "1", kept: "0", moved: "1", nonfinite: "1" };
    expect(all).toMatchObject({ ...counts, "end.unchanged": "2", "end.nonfinite": "1" });
    expect(tensor).toMatchObject({ ...counts, "end.neverUpdated": "1", "end.hidden": "1" });
  });

  test("has numbers in full", () => {
    const [all] = rows(renderCsv(resultOf([counted])));
    const u = Math.fround(1e-4);
    expect(Number(all.apparentSparsity)).toBe(2 / 3);
    expect(Number(all.updateNorm)).toBe(Math.sqrt(u * u + 0.25));
    expect(Number(all.effectiveDescent)).toBe(0.25 / (u * u + 0.25));
  });

  test("leaves empty what is not known", async () => {
    const [all] = rows(renderCsv(resultOf([await caseOf([1], [Number.NaN])])));
    const { realSparsity, apparentSparsity, hiddenShare, effectiveDescent } = all;
    expect([realSparsity, apparentSparsity, hiddenShare, effectiveDescent]).toEqual(["", "", "", ""]);
    expect(all.nonfinite).toBe("1");
  });

  test("gives any tensor name back, but for one apostrophe before it", () => {
    const name = fc.oneof(anyText, fc.string({ unit: fc.constantFrom(..."\",\r\n\t a='+-@1") }));
    fc.assert(
      fc.property(name, (tensor) => {
        const [, row] = rows(renderCsv(resultOf([renamed(counted, tensor)])));
        expect(row.tensor.replace(/^'/, "")).toBe(tensor);
        expect(row.tensor).not.toMatch(/^[=@\t\r]/);
      }),
    );
  });
});
