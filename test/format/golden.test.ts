import { describe, expect, it } from "vitest";
import { decode, encode } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { Mismatches } from "../support/mismatches.js";
import { deterministicRoundings } from "../support/oracle.js";
import { readGolden } from "../support/safetensors.js";

const names = ["bf16", "fp16", "e5m2", "e4m3fn", "e3m2fn", "e2m3fn", "e2m1fn"];

describe.each(names)("golden vectors of %s", (name) => {
  const golden = readGolden(`round/round-${name}.safetensors`);
  const record = format(name);
  const input = golden.float32("input");

  it("holds what its header says", () => {
    expect(golden.metadata.format).toBe(name);
    expect(golden.metadata.bits).toBe(String(record.bits));
    expect(golden.metadata.precision).toBe(String(record.precision));
    expect([...golden.names].sort()).toEqual(["input", ...deterministicRoundings].sort());
    expect(input.length).toBe(3000);
  });

  it.each(deterministicRoundings)("%s", (rounding) => {
    const expected = golden.float32(rounding);
    const wrong = new Mismatches();
    for (let i = 0; i < input.length; i++) {
      wrong.compare(round(input[i]!, record, { rounding }), expected[i]!, () => `round(${input[i]})`);
    }
    wrong.expectNone();
  });

  it("encodes and decodes every result", () => {
    const wrong = new Mismatches();
    for (const rounding of deterministicRoundings) {
      for (const value of golden.float32(rounding)) {
        if (Number.isNaN(value) && !record.hasNaN) continue;
        wrong.compare(decode(encode(value, record), record), value, () => `decode(encode(${value}))`);
      }
    }
    wrong.expectNone();
  });
});
