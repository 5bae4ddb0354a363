import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DifferenceResult } from "../../src/lens/difference/difference-result.js";
import type { Result } from "../../src/lens/run/result.js";
import type { SweepResult } from "../../src/lens/study/sweep.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, output, run } from "../support/cli.js";
import { float32, writeRun } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

/**
 * What the tool says of inputs on which a number that is right by itself misleads: codes without their scales, most of a
 * model left out, bytes that differ where numbers do not, tensors of nothing, formats that do not hold each other.
 */

const folder = temporaryFolder();

function checkpoint(name: string, tensors: readonly TensorToWrite[]): string {
  mkdirSync(join(folder, name), { recursive: true });
  put(join(folder, name), "model.safetensors", encodeSafetensors(tensors));
  return join(folder, name);
}

const bytes = (
  name: string,
  dtype: string,
  data: readonly number[],
  shape = [data.length],
): TensorToWrite => ({
  name,
  dtype,
  shape,
  data: Uint8Array.from(data),
});
const words = (
  name: string,
  dtype: string,
  data: readonly number[],
  shape = [data.length],
): TensorToWrite => ({
  name,
  dtype,
  shape,
  data: Uint16Array.from(data),
});
const bf16 = (name: string, data: readonly number[], shape?: number[]) => words(name, "BF16", data, shape);

async function differenceOf(...args: string[]): Promise<DifferenceResult> {
  const result = JSON.parse(await output("diff", ...args, "--json", "-"));
  expectValid("diff", result);
  return result;
}

const flat = (text: string) => text.replaceAll(/\s+/g, " ");

describe("codes with scales", () => {
  const codes = Array.from({ length: 64 }, (_, i) => 0x30 + (i % 16));
  const scaled = (scale: number) => [
    bytes("layers.0.mlp.up_proj.weight", "F8_E4M3", codes, [8, 8]),
    { ...float32("layers.0.mlp.up_proj.weight_scale_inv", [scale]), shape: [1, 1] },
  ];
  test("equal codes whose scales doubled are not called unchanged", async () => {
    const [before, after] = [checkpoint("scale-1", scaled(0.01)), checkpoint("scale-2", scaled(0.02))];
    const { totals } = await differenceOf(before, after);
    expect(totals).toMatchObject({ unchanged: 0, changed: 64 });
    expect(totals.codes).toMatchObject({ changed: 0, changedByScale: 64, scalesChanged: 1 });
    expect(flat(await output("diff", before, after))).toContain("0.0% of the weights are the same number");
  });

  test("codes are compared with bf16 weights by what they stand for", async () => {
    const before = checkpoint("codes", scaled(0.01));
    // 0x30 to 0x3f are 0.5 to 0.9375 in steps of 1/16, and 1 to 1.875 in steps of 1/8.
    const numbers = codes.map((code) => (1 + (code % 8) / 8) * (code < 0x38 ? 0.5 : 1) * Math.fround(0.01));
    const words = new Uint32Array(Float32Array.from(numbers).buffer);
    const decoded = Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
    const after = checkpoint("decoded", [bf16("layers.0.mlp.up_proj.weight", decoded, [8, 8])]);
    const raw = checkpoint("raw", [bf16("layers.0.mlp.up_proj.weight", codes, [8, 8])]);
    expect((await differenceOf(before, after)).totals).toMatchObject({ unchanged: 64, changed: 0 });
    expect((await differenceOf(before, raw)).totals).toMatchObject({ unchanged: 0, changed: 64 });
  });

  test("where most of a model is left out, that is said before anything of the rest", async () => {
    const experts = (byte: number) => [
      bytes("layers.0.mlp.experts.down_proj_blocks", "U8", Array(450).fill(byte)),
      bytes("layers.0.mlp.experts.down_proj_scales", "U8", Array(30).fill(120)),
      bf16("layers.0.mlp.experts.down_proj_bias", Array(60).fill(0x3c00)),
      bf16("layers.0.self_attn.q_proj.weight", Array(40).fill(0x3c00)),
    ];
    const [before, after] = [checkpoint("experts-1", experts(0x21)), checkpoint("experts-2", experts(0x22))];
    const text = flat(await output("diff", before, after));
    // Two codes a byte: 900 of 1,000 weights.
    const left = text.indexOf("90.0% of the weights are not counted");
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(text.indexOf("same number"));
    const { totals, skipped } = await differenceOf(before, after);
    expect(totals.elements).toBe(100);
    expect(skipped.map(({ name, elements }) => [name, elements])).toEqual([
      ["layers.0.mlp.experts.down_proj_blocks", 900],
      ["layers.0.mlp.experts.down_proj_scales", undefined],
    ]);
  });
});

test("zeros of both signs are the same number and other bytes, for a delta too", async () => {
  const before = checkpoint("zeros-1", [bf16("w", [0, 0x8000, 0, 0x3f80, 0x3f80])]);
  const after = checkpoint("zeros-2", [bf16("w", [0x8000, 0, 0, 0x3f80, 0x3f81])]);
  const { totals, delta } = await differenceOf(before, after);
  expect(totals).toMatchObject({ unchanged: 4, changed: 1, bytesChanged: 3, tensorsUnchanged: 0 });
  // Three indices of four bytes and three values of two.
  expect(delta).toMatchObject({ changed: 3, indexValueBytes: 18 });
  expect(flat(await output("diff", before, after))).toContain(
    "By bytes 3 weights changed, by number 1 (+0 and -0).",
  );
});

test("seen in a format that shares scales, what stays beside bytes is the code, and not the number", async () => {
  // A block whose largest weight doubles: its scale doubles, so that its code stays and that of 1.0 is another, of the same number.
  // 2^-10 is a zero in both, of another sign.
  const rest = (code: number) => [...Array<number>(29).fill(0), code];
  const before = checkpoint("shared-1", [bf16("w", [0x4080, 0x3f80, ...rest(0x3a80)])]);
  const after = checkpoint("shared-2", [bf16("w", [0x4100, 0x3f80, ...rest(0xba80)])]);
  const text = flat(await output("diff", before, after, "--view", "mxfp4"));
  expect(text).toContain(
    "96.9% of the weights have the same code, 96.9% the same number: the scales of 100.0%",
  );
  expect(text).toContain("By bytes 2 weights changed, by code 1 (+0 and -0).");
});

test("seen in a format that shares scales, codes bound nothing: an update of one weight changes those of others", async () => {
  // The first weight becomes eight times the largest; the others are bit for bit what they were.
  const others = Array.from({ length: 31 }, (_, i) => 0x3f80 + i);
  const before = checkpoint("bound-1", [bf16("w", [0x3f80, ...others])]);
  const after = checkpoint("bound-2", [bf16("w", [0x4100, ...others])]);
  const { totals, unknown } = await differenceOf(before, after, "--view", "mxfp4");
  expect(totals.unchanged).toBeLessThan(31);
  expect(totals.realSparsityAtMost).toBeNull();
  expect(unknown.realSparsity).toBe(
    "weights of mxfp4 share scales: the update of one changes the codes and numbers of others",
  );
  const text = flat(await output("diff", before, after, "--view", "mxfp4"));
  expect(text).toContain("How many were never updated is unknown: weights of mxfp4 share scales");
  expect((await differenceOf(before, after)).totals.realSparsityAtMost).toBe(31 / 32);
});

describe("tensors of next to nothing", () => {
  const empty = checkpoint("empty", [bf16("layers.0.self_attn.k_proj.weight", [])]);

  test("shards that were not gathered are left out with their shapes", async () => {
    const whole = checkpoint("whole", [bf16("layers.0.self_attn.k_proj.weight", Array(6).fill(1), [2, 3])]);
    await expectRefusal(
      ["diff", whole, empty],
      empty,
      `tensors that can be compared with those of ${JSON.stringify(whole)}`,
      'none; the first left out is "layers.0.self_attn.k_proj.weight": its shape is [2, 3] in BEFORE and [0] in AFTER',
    );
  });

  test("of no weights no share is told", async () => {
    const text = await output("diff", empty, empty);
    expect(text).toContain("There are no weights to compare.");
    expect(text).not.toMatch(/NaN|Infinity|\d%|wholly unchanged/);
  });

  test("a 0-d tensor is one weight", async () => {
    const scalars = (second: number) => [
      { ...float32("logit_scale", [2.5]), shape: [] },
      { ...float32("alpha", [second]), shape: [] },
    ];
    const [before, after] = [checkpoint("scalars-1", scalars(16)), checkpoint("scalars-2", scalars(17))];
    const { totals } = await differenceOf(before, after);
    expect(totals).toMatchObject({ elements: 2, unchanged: 1, changed: 1, apparentSparsity: 0.5 });
  });
});

test("bf16 against fp16 is refused with the way out, and compared in the format asked for", async () => {
  // 1, 1 + 2^-7, and a tie that rounds to 1 in bf16: 1 + 2^-8.
  const before = checkpoint("as-bf16", [bf16("w", [0x3f80, 0x3f81, 0x3f80])]);
  const after = checkpoint("as-fp16", [words("w", "F16", [0x3c00, 0x3c00, 0x3c04])]);
  const { status, stdout, stderr } = await run(["diff", before, after]);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("--view names a format to compare in");
  const { totals } = await differenceOf(before, after, "--view", "bf16");
  expect(totals).toMatchObject({ elements: 3, unchanged: 2, changed: 1 });
});

describe("formats of few bits without scales", () => {
  // In e4m3fn: 2 zeros (one by a tie), 3 more below 2^-6, 3 normal numbers.
  const numbers = [0, 2 ** -10, 2 ** -9, 3 * 2 ** -9, 2 ** -7, 2 ** -6, 0.5, -1];
  const sentence =
    "In e4m3fn without scales 62.5% of the weights are in the subnormal range, below 0.015625, where it has fewer bits, " +
    "and 25.0% are zero.";
  const blocks =
    "Checkpoints in such formats carry a scale for each block of weights (mxfp8-e4m3, fp8-128x128), which is not applied " +
    "here.";
  const counted = { format: "e4m3fn", minNormal: 2 ** -6, elements: 8, belowNormal: 5, zero: 2 };

  test("a view says how many weights are too small for it, and what is used instead", async () => {
    const file = checkpoint("small", [float32("w", numbers)]);
    expect(flat(await output("diff", file, file, "--view", "e4m3fn"))).toContain(`${sentence} ${blocks}`);
    const result = await differenceOf(file, file, "--view", "e4m3fn");
    expect(result.casts).toEqual([counted]);
    expect(await differenceOf(file, file, "--view", "bf16")).not.toHaveProperty("casts");
    expect(await differenceOf(file, file)).not.toHaveProperty("casts");
  });

  test("so does a run, for each such format once, and a sweep", async () => {
    const updates = [float32("step0001/w", Array(8).fill(1e-3))];
    const recording = await writeRun(join(folder, "run"), [float32("w", numbers)], updates);
    const grid = ["--format", "bf16,e4m3fn,e2m1fn", "--scheme", "in-place,master"];
    const text = flat(await output("run", recording, ...grid));
    expect(text.split(sentence)).toHaveLength(2);
    expect(text).toContain("(mxfp8-e4m3, fp8-128x128, mxfp4, nvfp4)");
    const result: Result = JSON.parse(await output("run", recording, ...grid, "--json", "-"));
    expectValid("result", result);
    expect(result.casts?.map(({ format }) => format)).toEqual(["e4m3fn", "e2m1fn"]);
    expect(result.casts?.[0]).toEqual(counted);
    expect(JSON.parse(await output("run", recording, "--json", "-"))).not.toHaveProperty("casts");
    const swept: SweepResult = JSON.parse(
      await output("sweep", recording, "--format", "e4m3fn", "--scale", "1", "--json", "-"),
    );
    expectValid("sweep", swept);
    expect(swept.casts).toEqual([counted]);
  });

  test("so does a simulation, and what was saved says it again", async () => {
    const saved = join(folder, "simulated.json");
    const args = ["--elements", "3000", "--steps", "2", "--format", "e4m3fn", "--json", saved];
    const text = await output("simulate", ...args);
    expect(flat(text)).toContain("In e4m3fn without scales");
    expect(await output("report", saved)).toBe(text);
  });
});
