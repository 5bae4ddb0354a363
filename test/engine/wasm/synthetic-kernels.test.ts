/** Kernels that make synthetic numbers, one by one, where whole runs would not get to. */

import { describe, expect, it } from "vitest";
import { bitsOf } from "../../../src/engine/lane/numbers.js";
import { type ExportedFunction, moduleBytes } from "../../../src/engine/wasm/assembler/module.js";
import { drawParameters, writeDraw, writeDrawnWeights } from "../../../src/engine/wasm/kernel/draws.js";
import { fma } from "../../../src/engine/wasm/kernel/fma.js";
import { layOut } from "../../../src/engine/wasm/layout.js";
import { webAssembly } from "../../../src/engine/wasm/platform.js";
import { fma as specified } from "../../../src/format/operations.js";
import { format } from "../../../src/format/registry.js";
import { student4 } from "../../../src/update/distribution.js";
import { quantileOf } from "../../../src/update/quantiles.js";
import { updateSettings } from "../../../src/update/settings.js";
import { drawnWeight, weightKey } from "../../../src/update/weight-draws.js";
import { float32FromBits, random32 } from "../../support/bits.js";
import { Draw } from "../../support/draw.js";
import { hardOperands } from "../../support/hard-operands.js";
import { Mismatches } from "../../support/mismatches.js";
import { fp32 } from "../../support/oracle-formats.js";

async function instantiate(exported: ExportedFunction) {
  const size = { pages: 16, shared: false };
  const memory = new webAssembly!.Memory({ initial: size.pages, maximum: size.pages });
  const module = await webAssembly!.compile(moduleBytes(size, [exported]));
  const { exports } = await webAssembly!.instantiate(module, { host: { memory } });
  return { kernel: exports[exported.name], buffer: memory.buffer as ArrayBuffer };
}

describe("fma", () => {
  /** Takes rows of four at bytes 0, 16 and 32, and gives one at byte 48. */
  const onRows = async () => {
    const { kernel, buffer } = await instantiate({
      name: "fma",
      parameters: [],
      write: (k) => {
        const zero = k.i32.constant(0);
        const [a, b, c] = [0, 16, 32].map((offset) => k.load("v128", zero, offset));
        k.store("v128", fma(k, a, b, c), zero, 48);
      },
    });
    return { kernel, rows: new Float32Array(buffer, 0, 16) };
  };
  const random = random32(20);
  const draw = new Draw(fp32, random, [fp32]);
  const three = (next: () => number) => [next(), next(), next()];
  const operands: readonly (readonly [string, () => readonly number[]])[] = [
    ["whose results are on a number, a midpoint, or a hair from them", () => hardOperands("fma", draw)],
    ["of any bits", () => three(() => float32FromBits(random()))],
    ["of like size", () => three(() => Math.fround((random() / 2 ** 31 - 1) * 2 ** ((random() % 8) - 4)))],
  ];

  it.each(operands)("is that of the specification on operands %s", async (_, draws) => {
    const { kernel, rows } = await onRows();
    const next = () => {
      for (;;) {
        const found = draws();
        if (found.every(Number.isFinite)) return found;
      }
    };
    const mismatches = new Mismatches();
    for (let i = 0; i < 10_000; i++) {
      const lanes = Array.from({ length: 4 }, next);
      for (const [lane, numbers] of lanes.entries())
        for (const [row, x] of numbers.entries()) rows[4 * row + lane] = x;
      kernel();
      for (const [lane, [a, b, c]] of lanes.entries()) {
        const expected = specified(a, b, c, format("fp32"));
        mismatches.compare(rows[12 + lane], expected, () => `fma(${a}, ${b}, ${c})`);
      }
    }
    mismatches.expectNone();
  });

  it("rounds once where twice would go astray", async () => {
    const { kernel, rows } = await onRows();
    // The product is half a gap of c times 1 - 2^-46: through fp64 it would be half a gap, and a tie.
    const c = 1 + 2 ** -23;
    for (const lane of [0, 1, 2, 3]) {
      rows[lane] = (lane % 2 === 0 ? 1 : -1) * (1 + 2 ** -23) * 2 ** -12;
      rows[4 + lane] = (1 - 2 ** -23) * 2 ** -12;
      rows[8 + lane] = lane < 2 ? c : -c;
    }
    kernel();
    expect([...rows.subarray(12)]).toEqual([c, c, -c, -c]);
    expect(Math.fround(c + rows[0] * rows[4])).not.toBe(c);
    // The sum is odd in fp64 as it is, one place below a midpoint that it must not be moved to.
    const x = 2 ** -14 - 2 ** -23;
    rows.fill((1 + x) * 2 ** -12, 0, 4);
    rows.fill((1 - x) * 2 ** -12, 4, 8);
    rows.fill(c, 8, 12);
    kernel();
    expect([...rows.subarray(12)]).toEqual([c, c, c, c]);
  });
});

/** Pairs of elements where a word of the counter ends too, which no chunk of a tensor in a test would get to. */
const places = [
  [0, 0],
  [5, 0],
  [2 ** 32 - 8, 0],
  [2 ** 31 - 4, 3],
  [2 ** 32 - 8, 2 ** 20 - 1],
] as const;
const cases = [updateSettings({ format: "bf16" })];
const layout = layOut(cases, 4096, { steps: 0, milestones: 0 });
const tableAt = Math.ceil(layout.bytes / 64) * 64;
const count = 16;

describe.each(places)("drawn from pair %d of the word %d on, as the specification draws", (low, high) => {
  const first = 2 * (high * 2 ** 32 + low);
  const elements = Array.from({ length: count }, (_, i) => first + i);

  it.each(["bf16", "e4m3fn", "fp16", "fp32"])("weights as %s", async (name) => {
    const key = weightKey(9, "w");
    const draws = { distribution: student4, mean: 0.125, sigma: 0.3, format: format(name), key };
    const { kernel, buffer } = await instantiate({
      name: "weights",
      parameters: [...drawParameters, "i32", "i32"],
      write: (k) => writeDrawnWeights(k, tableAt, draws.format, layout),
    });
    new Float32Array(buffer, tableAt, student4.knots.length).set(student4.knots);
    kernel(0, count, ...key, low, high, bitsOf(draws.mean), bitsOf(draws.sigma));
    const expected = elements.map((element) => drawnWeight(draws, element));
    expect([...new Float32Array(buffer, layout.given, count)]).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(8);
  });

  it.each([0, 1, 8, 14])("updates from a table of 2^%d quantiles", async (k) => {
    const table = Float32Array.from({ length: 2 ** k }, (_, i) => i + 0.5);
    const key = weightKey(4, "u");
    const { kernel, buffer } = await instantiate({
      name: "draw",
      parameters: drawParameters,
      write: (writer) => writeDraw(writer, tableAt, table.length, layout),
    });
    new Float32Array(buffer, tableAt, table.length).set(table);
    kernel(0, count, ...key, low, high);
    const expected = elements.map((element) => quantileOf({ table, key }, element));
    expect([...new Float32Array(buffer, layout.updates, count)]).toEqual(expected);
  });
});
