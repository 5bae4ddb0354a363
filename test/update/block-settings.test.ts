import { describe, expect, it } from "vitest";
import { blockFormat } from "../../src/format/block/block-format.js";
import { format } from "../../src/format/registry.js";
import { type BlockOptions, schemeSettings } from "../../src/update/block-settings.js";
import { updateSettings } from "../../src/update/settings.js";

describe("settings of a format with shared scales", () => {
  it("has defaults for all but the format, which is that of the elements", () => {
    expect(schemeSettings({ format: "mxfp4:rceil" })).toEqual({
      format: format("e2m1fn"),
      blocks: blockFormat("mxfp4:rceil"),
      scheme: "in-place",
      through: null,
      scales: "renewed",
      momentum: null,
      rounding: "nearest-even",
      overflow: "ieee",
      opmath: "fp32",
      seed: 0,
    });
  });

  it("keeps what is given; opmath is fp32 whatever a grid asks for", () => {
    const given = { scheme: "master", through: "bfloat16", scales: "kept", rounding: "sr", seed: 3 } as const;
    expect(schemeSettings({ ...given, format: "nvfp4", opmath: "exact" })).toMatchObject({
      scheme: "master",
      through: format("bf16"),
      scales: "kept",
      rounding: "stochastic",
      opmath: "fp32",
      seed: 3,
      momentum: null,
    });
  });

  it("eco has a momentum, an fp32 number from 0 to less than 1; other schemes have none", () => {
    const momentumOf = (options: Partial<BlockOptions>) =>
      (schemeSettings({ format: "mxfp4", scheme: "eco", ...options }) as { momentum?: number | null })
        .momentum;
    expect(momentumOf({})).toBe(Math.fround(0.9));
    expect([0, 0.5, 0.99].map((momentum) => momentumOf({ momentum }))).toEqual([0, 0.5, Math.fround(0.99)]);
    expect(momentumOf({ scheme: "master", momentum: 0.5 })).toBeNull();
  });
});

describe("settings of a plain format", () => {
  it("are those of updates, in-place by default", () => {
    expect(schemeSettings({ format: "bf16" })).toEqual(updateSettings({ format: "bf16" }));
    const kahan = {
      format: format("bf16"),
      scheme: "kahan",
      rounding: "rz",
      opmath: "exact",
      seed: 5,
    } as const;
    expect(schemeSettings({ ...kahan, scales: "kept", momentum: 0.5 })).toEqual(updateSettings(kahan));
  });

  it("are told apart from those of shared scales", () => {
    expect(schemeSettings({ format: "bf16" }).blocks).toBeUndefined();
    expect(schemeSettings({ format: "mxfp4" }).blocks?.name).toBe("mxfp4");
  });
});

describe("what does not go together is refused", () => {
  it.each<readonly [BlockOptions, string]>([
    [{ format: "bf16", through: "bf16" }, "through: expected a format with shared scales to go to"],
    [{ format: "bf16", scheme: "eco" }, "scheme eco: expected a format with shared scales"],
    [
      { format: "mxfp4:rceil", scheme: "kahan" },
      "mxfp4:rceil has shared scales: expected scheme master, in-place or eco, found kahan",
    ],
    [
      { format: "mxfp4", scheme: "toString" as "eco" },
      "mxfp4 has shared scales: expected scheme master, in-place or eco, found toString",
    ],
    [{ format: "mxfp4", through: "bfloat16" }, "through bf16: expected scheme master, found in-place"],
    [{ format: "mxfp4", scheme: "eco", through: "bf16" }, "through bf16: expected scheme master, found eco"],
    [
      { format: "mxfp4", scales: "renew" as "kept" },
      'unknown scales "renew": did you mean renewed? Expected renewed, kept',
    ],
    [{ format: "mxfp4", momentum: 1 }, "momentum: expected 0 to less than 1, found 1"],
    [{ format: "mxfp4", momentum: -0.1 }, "momentum: expected 0 to less than 1, found -0.1"],
    [{ format: "mxfp4", momentum: NaN }, "momentum: expected 0 to less than 1, found NaN"],
    // The nearest fp32 number is 1.
    [
      { format: "mxfp4", momentum: 1 - 2 ** -26 },
      `momentum: expected 0 to less than 1, found ${1 - 2 ** -26}`,
    ],
  ])("%j", (options, message) => {
    expect(() => schemeSettings(options)).toThrow(new RangeError(message));
  });

  it("a plain format by its record", () => {
    const options = { format: format("bf16"), scheme: "eco" } as const;
    expect(() => schemeSettings(options)).toThrow("scheme eco: expected a format with shared scales");
  });

  it("unknown names as those of plain formats", () => {
    expect(() => schemeSettings({ format: "mxfp4:rciel" })).toThrow('unknown scale rule "rciel"');
    expect(() => schemeSettings({ format: "mxfp4", scheme: "master", through: "bf61" })).toThrow(
      'unknown format "bf61": did you mean bf16?',
    );
    expect(() => schemeSettings({ format: "mxfp4", overflow: "clip" as "ieee" })).toThrow("unknown overflow");
  });
});
