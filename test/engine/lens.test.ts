import { describe, expect, it } from "vitest";
import { lens } from "../../src/engine/lens.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";

describe("lens", () => {
  const updates = Float32Array.of(0, 2 ** -8, 0.01, Number.NaN);

  it("takes codes, or numbers for fp32, and gives one case", async () => {
    const codes = { format: "bf16", data: Uint16Array.of(0x3f80, 0x3f80, 0x3f80, 0x3f80) };
    const found = await lens(codes, updates);
    expect(found).toMatchObject({
      format: "bf16",
      scheme: "in-place",
      rounding: "nearest-even",
      opmath: "fp32",
    });
    expect(found.totals).toMatchObject({ elements: 4, steps: 1, none: 1, lost: 1, moved: 1, nonfinite: 1 });
    const numbers = { format: format("fp32"), data: Float32Array.of(1, 1, 1, 1) };
    expect((await lens(numbers, updates, { format: "bf16" })).totals).toEqual(found.totals);
    expect((await lens(numbers, updates)).totals).toMatchObject({ none: 1, moved: 2, nonfinite: 1 });
    const e4m3 = { format: "e4m3fn", data: Uint8Array.of(0x38, 0x38, 0x38, 0x38) };
    expect((await lens(e4m3, updates)).totals).toMatchObject({ none: 1, lost: 2, nonfinite: 1 });
  });

  it("takes several steps, schemes and shared memory", async () => {
    const shared = new Uint16Array(new SharedArrayBuffer(8)).fill(0x3f80);
    const steps = Array.from({ length: 100 }, () => new Float32Array(new SharedArrayBuffer(16)).fill(1e-3));
    const { end, steps: perStep } = await lens({ format: "bf16", data: shared }, steps, { scheme: "master" });
    expect(perStep).toHaveLength(100);
    const displacement = round(1.1, format("bf16")) - 1;
    expect(end.visible).toBeCloseTo(displacement / 0.1, 3);
    expect(end.retained).toBe(1);
  });

  it("refuses what does not fit, by name", async () => {
    const one = Float32Array.of(1);
    await expect(lens({ format: "bf16", data: one }, one)).rejects.toThrow("weights in bf16: expected codes");
    await expect(lens({ format: "bf16", data: Uint8Array.of(1) }, one)).rejects.toThrow(
      "expected a Uint16Array",
    );
    await expect(lens({ format: "e4m3fn", data: Uint16Array.of(1) }, one)).rejects.toThrow(
      "expected a Uint8Array",
    );
    await expect(lens({ format: "tf32", data: Uint16Array.of(1) }, one)).rejects.toThrow(
      "expected a Float32Array",
    );
    await expect(lens({ format: "fp32", data: one }, Float32Array.of(1, 2))).rejects.toThrow(
      "updates of 1 element, found 2",
    );
    await expect(lens({ format: "bf61", data: one }, one)).rejects.toThrow("unknown format");
    await expect(lens({ format: "fp32", data: one }, one, { engine: "abacus" })).rejects.toThrow(
      "unknown engine",
    );
  });
});
