import { describe, expect, it } from "vitest";
import { piecesOf } from "../../src/engine/plan-tensor.js";
import { selectEngine } from "../../src/engine/select.js";
import { runThreaded } from "../../src/engine/wasm/threaded.js";
import { mergeCases } from "../../src/lens/run/merge.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { blockLength } from "../../src/lens/sum.js";
import { updateSettings } from "../../src/update/settings.js";
import { syntheticJob, syntheticSettings } from "../support/synthetic.js";

/** Three blocks of sums, and a part of one. */
const elements = 3 * blockLength + 300;
const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", rounding: "stochastic", seed: 1 }),
];
const { tensors, stepNumbers } = syntheticJob(syntheticSettings({ steps: 2 }, { elements }));
const whole = { tensors, stepNumbers, cases };

/** One tensor in pieces that are no multiples of a chunk. */
const pieces = [0, 1, 3].map(
  (from, i, all) => [0, from * blockLength, (all[i + 1] ?? 0) * blockLength || elements] as const,
);

/** Totals over the pieces; a case lists a piece as a tensor, so those are left out. */
function sumOf(parts: readonly ReturnType<typeof summarizeCase>[][]) {
  return cases.map((_, c) => ({ ...mergeCases(parts.map((part) => part[c])), tensors: [] }));
}

describe("pieces of a tensor", () => {
  it.each(["reference", "wasm"])("add up to the whole: %s", async (name) => {
    const { engine } = await selectEngine(name, whole);
    const run = async (ranges: readonly (readonly [number, number, number])[]) =>
      (await engine.run({ ...whole, tensors: piecesOf(tensors, ranges) })).map(summarizeCase);
    const parts = await Promise.all(pieces.map((range) => run([range])));
    expect(sumOf(parts)).toEqual(sumOf([await run([[0, 0, elements]])]));
  });

  it("add up on threads, which draw for themselves", async () => {
    const run = async (own: typeof tensors) =>
      (await runThreaded({ tensors: own, stepNumbers, cases, chunk: 2 ** 15 }, 2)).map(summarizeCase);
    const parts = [];
    for (const range of pieces) parts.push(await run(piecesOf(tensors, [range])));
    expect(sumOf(parts)).toEqual(sumOf([await run(tensors)]));
  });

  it("begin between blocks of sums", async () => {
    const { engine } = await selectEngine("reference", whole);
    const piece = { ...tensors[0], start: 4000 };
    await expect(engine.run({ ...whole, tensors: [piece] })).rejects.toThrow(
      "expected a piece from a multiple of 4096 on, found 4000",
    );
  });
});
