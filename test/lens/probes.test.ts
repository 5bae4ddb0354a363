import { describe, expect, it } from "vitest";
import { pathNotTakenUnchanged, smallSubnetworksUnchanged, ulpRuleLost } from "../../src/lens/probes.js";
import { toBfloat16 } from "../support/bfloat16.js";

describe("path-not-taken", () => {
  it("is bit equality on bf16 numbers: its tolerance is below half the smallest relative gap", () => {
    for (let code = 0x3c00; code < 0x4000; code++) {
      const at = (bits: number) => toBfloat16(new Float32Array(Uint32Array.of(bits << 16).buffer)[0]);
      expect(pathNotTakenUnchanged(at(code), at(code))).toBe(true);
      expect(pathNotTakenUnchanged(at(code), at(code + 1))).toBe(false);
    }
  });

  it("is relative to the larger of the two, the boundary included", () => {
    expect(pathNotTakenUnchanged(1, 1.0005)).toBe(true);
    expect(pathNotTakenUnchanged(1, 1.002)).toBe(false);
    expect(pathNotTakenUnchanged(-1000, -999)).toBe(true);
    expect(pathNotTakenUnchanged(0, 0)).toBe(true);
    expect(pathNotTakenUnchanged(0, 1e-30)).toBe(false);
  });
});

it("small-subnetworks is an absolute tolerance of 1e-5", () => {
  expect(smallSubnetworksUnchanged(0.001, 0.00100762939453125)).toBe(true);
  expect(smallSubnetworksUnchanged(0.02, 0.02002)).toBe(false);
  expect(smallSubnetworksUnchanged(-0, 1e-5)).toBe(true);
});

it("ulp-rule calls updates below a 256th of the weight lost", () => {
  expect(ulpRuleLost(256, 0.99)).toBe(true);
  expect(ulpRuleLost(-256, -1)).toBe(false);
  expect(ulpRuleLost(0, 1e-30)).toBe(false);
});
