import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, seeded, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { loraPath } from "../support/lora.js";
import { readTensors } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** 4.5% of the weights changed; of some of these the low byte is what it was, which a delta of bytes would miss. */
const below = seeded(31);
const elements = 20_000;
const codes = Uint16Array.from({ length: elements }, () => 0x3c00 + below(512));
const places = new Set<number>();
while (places.size < 900) places.add(below(elements));
const later = Uint16Array.from(codes);
for (const [n, place] of [...places].entries()) later[place] ^= n < 7 ? 0x0100 : 1 + below(100);
const [before, after] = [codes, later].map((data, i) =>
  put(folder, `${i}.safetensors`, encodeSafetensors([{ name: "w", dtype: "BF16", shape: [elements], data }])),
);

async function diff(...args: string[]): Promise<DifferenceResult> {
  const result = JSON.parse(await output("diff", ...args, "--quiet", "--json", "-"));
  expectValid("diff", result);
  return result;
}

describe("diff --write-delta and --apply-delta", () => {
  test("what is written makes AFTER, and is beside what was estimated", async () => {
    const delta = at("w.delta");
    const { delta: written } = await diff(before, after, "--write-delta", delta);
    // An index of four bytes and a value of two.
    expect(written).toMatchObject({
      changed: 900,
      indexValueBytes: 5400,
      file: { changes: 900, changed: 1 },
    });
    expect(written.file!.bytes).toBe(readFileSync(delta).length);
    // Gaps of this density are a byte each: the sample, which is all of it, says as much.
    const { gapValue } = written.sample.plain;
    expect(written.file!.bytes - gapValue).toBeGreaterThan(0);
    expect(written.file!.bytes - gapValue).toBeLessThan(1500);
    const made = at("made.safetensors");
    const applied = await diff(before, made, "--apply-delta", delta);
    expect(applied.delta).toEqual(written);
    expect(readFileSync(made)).toEqual(readFileSync(after));
    expect(applied.totals).toEqual((await diff(before, after)).totals);
  });

  test("the table, Markdown and report tell of it", async () => {
    const saved = at("saved.json");
    const table = await output("diff", before, after, "--write-delta", at("t.delta"), "--json", saved);
    expect(table).toMatch(/^the delta, as a file +\d\.\d\d kB +\d+\.\d%$/m);
    const words = table.replace(/\s+/g, " ");
    expect(words).toMatch(
      /The delta, \S+ kB, makes AFTER byte for byte \(40\.1 kB; SHA-256 [0-9a-f]{64}\): 900 changes in 1 tensor, 0 whole, 0 as in BEFORE\./,
    );
    expect(await output("report", saved)).toBe(table);
    expect(await output("report", saved, "--markdown", "-")).toContain("| the delta, as a file |");
  });

  test("another base, a result that is there, and outputs that are inputs are refused; nothing is left", async () => {
    const delta = at("r.delta");
    await output("diff", before, after, "--quiet", "--write-delta", delta);
    const names = readdirSync(folder).sort();
    const never = at("never.safetensors");
    const wrong = await run(["diff", after, never, "--apply-delta", delta]);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/expected the base of the delta .* found another checkpoint/);
    await expectRefusal(
      ["diff", before, after, "--apply-delta", delta],
      after,
      "a new path for the delta's result",
      "something there",
    );
    const over = await run(["diff", before, after, "--write-delta", after]);
    expect(over.status).toBe(2);
    expect(over.stderr).toContain("expected another file than the inputs");
    const far = at("nowhere/x.delta");
    const there = `its folder ${at("nowhere")} to exist`;
    await expectRefusal(["diff", before, after, "--write-delta", far], far, there, "no such folder");
    expect(readdirSync(folder).sort()).toEqual(names);
    expect(existsSync(never)).toBe(false);
  });

  test("of an adapter's file, which is a checkpoint too", async () => {
    const one = loraPath("adapter/adapter_model.safetensors");
    const tensors = readTensors(one);
    // In another order, one of them in another shape.
    const [first, ...others] = tensors;
    const two = put(
      folder,
      "two.safetensors",
      encodeSafetensors([...others.reverse(), { ...first, shape: [32, 8] }]),
    );
    const delta = at("adapter.delta");
    const { file } = (await diff(one, two, "--write-delta", delta)).delta;
    expect(file).toMatchObject({ same: tensors.length - 1, changed: 0, whole: 1 });
    const made = at("adapter.safetensors");
    await diff(one, made, "--apply-delta", delta);
    expect(readFileSync(made)).toEqual(readFileSync(two));
  });

  test("wrong usage", async () => {
    const [one, two] = ["--write-delta", "--apply-delta"];
    await expectUsageError(
      ["diff", before, after, one, at("x"), two, at("x")],
      /only one of --write-delta and --apply-delta/,
    );
    await expectUsageError(
      ["diff", before, after, before, one, at("x")],
      /--write-delta is for two checkpoints/,
    );
  });
});
