import { describe, expect, it } from "vitest";
import { reference } from "../../../src/engine/reference/reference.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { defineFormat, type FormatParameters } from "../../../src/format/format.js";
import { opmaths } from "../../../src/format/operations.js";
import { format, formats } from "../../../src/format/registry.js";
import { overflows, roundings } from "../../../src/format/round.js";
import { schemeNames } from "../../../src/update/scheme.js";
import { type UpdateSettings, updateSettings } from "../../../src/update/settings.js";
import { adversarialRun } from "../../support/adversarial.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { sized } from "../../support/tier.js";
import { tensorOf } from "../../support/values.js";

const unlike: FormatParameters = {
  name: "flushing",
  exponentBits: 5,
  precision: 6,
  bias: 20,
  topCodes: 3,
  unsignedZero: false,
  subnormals: false,
};

/** What is at the edges of what a format may be. */
const atTheEdges = {
  ...Object.fromEntries(["e5m7", "e2m20", "e8m1", "e7m22", "e6m23"].map((name) => [name, format(name)])),
  flushing: defineFormat(unlike),
  flushing8: defineFormat({
    ...unlike,
    name: "flushing8",
    exponentBits: 8,
    precision: 8,
    bias: 127,
    topCodes: 128,
  }),
  low: defineFormat({
    ...unlike,
    name: "low",
    exponentBits: 6,
    precision: 20,
    bias: 125,
    unsignedZero: true,
    subnormals: true,
  }),
};

const everyFormat = [
  ...formats.values(),
  ...sized({ quick: ["e7m22", "flushing8", "low"], full: Object.keys(atTheEdges) }).map(
    (name) => atTheEdges[name as keyof typeof atTheEdges],
  ),
];

/** One case in `n`, and with the next scheme others. */
function oneIn(n: number, cases: readonly UpdateSettings[], first: number): UpdateSettings[] {
  const place = ({ rounding, overflow }: UpdateSettings) =>
    2 * roundings.indexOf(rounding) + overflows.indexOf(overflow);
  return cases.filter((settings) => (first + place(settings)) % n === 0);
}

describe.each(everyFormat)("$name, as the reference has it", (storageFormat) => {
  it.each(schemeNames)("%s: every rounding, overflow and opmath", async (scheme) => {
    // Two blocks of sums and a part of a group of lanes; a format that is not bf16 has nothing to do with blocks.
    const elements = sized({ quick: storageFormat.name === "bf16" ? 4096 + 299 : 599, full: 4096 + 299 });
    const { weights, updates } = adversarialRun(storageFormat, 1 + schemeNames.indexOf(scheme), elements, 2);
    const every = opmaths
      .flatMap((opmath) =>
        roundings.flatMap((rounding) =>
          overflows.map((overflow) =>
            updateSettings({ format: storageFormat, scheme, rounding, overflow, opmath, seed: 7 }),
          ),
        ),
      )
      .filter((settings) => wasm.refuses!([settings]) === null)
      .filter(({ opmath, overflow }) => opmath === "fp32" || overflow === "ieee");
    expect(every.length).toBe(storageFormat.precision > 22 ? 14 : 20);
    // Kernels take longer to write than to run on few weights.
    const n = sized({ quick: storageFormat.name === "bf16" ? 2 : 4, full: 1 });
    const cases = oneIn(n, every, schemeNames.indexOf(scheme));
    const tensors = [tensorOf("w", weights, ...updates)];
    const job = { tensors, stepNumbers: [3, 9], milestones: [0], cases };
    const [ours, theirs] = [await outcomeOf(wasm, job), await outcomeOf(reference, job)];
    expectEqual(ours, theirs);
    // The run is one that says something: every class, and every end.
    const { totals, end, curve } = theirs[0].result;
    expect(curve).toMatchObject([{ step: 3, elements }]);
    expect(curve[0]).not.toMatchObject(end);
    expect(Math.min(totals.none, totals.lost + totals.kept, totals.moved, totals.nonfinite)).toBeGreaterThan(
      0,
    );
    expect(Math.min(end.neverUpdated, end.unchanged, end.nonfinite)).toBeGreaterThan(0);
  });
});

describe("what is refused", () => {
  const refuses = (options: Parameters<typeof updateSettings>[0]) => wasm.refuses!([updateSettings(options)]);

  it("is what the kernels do not have, and running it all the same fails", async () => {
    expect(refuses({ format: "bf16", opmath: "exact", rounding: "stochastic" })).toContain("exact opmath");
    expect(refuses({ format: "fp32", opmath: "exact" })).toContain("22 significand bits");
    expect(refuses({ format: "bf16", opmath: "exact" })).toBeNull();
    const tiny = defineFormat({ ...unlike, name: "tiny", exponentBits: 8, precision: 24, bias: 127 + 1 });
    expect(refuses({ format: tiny })).toBeNull();
    const cases = [updateSettings({ format: "fp32", opmath: "exact" })];
    const job = { tensors: [tensorOf("w", [1], [1])], stepNumbers: [0], cases };
    await expect(wasm.run(job)).rejects.toThrow("engine wasm: under exact opmath");
  });
});

it("weights that only fp64 holds are rounded once, and start their fp32 master once", async () => {
  const given = [1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -8, 1 / 3, 2 ** -140 + 2 ** -160, 1e300, Number.NaN];
  const cases = schemeNames.map((scheme) => updateSettings({ format: "bf16", scheme }));
  const zeros = new Float32Array(given.length);
  const job = {
    tensors: [
      tensorOf(
        "w",
        given,
        zeros,
        zeros.map(() => 1e-3),
      ),
    ],
    stepNumbers: [0, 1],
    cases,
  };
  const theirs = await outcomeOf(reference, job);
  expect(await outcomeOf(wasm, job)).toEqual(theirs);
  // 1 + 2^-8 + 2^-40 is next to 1.0078125; through fp32 it would be 1.
  expect(theirs[0].result.totals.castChanged).toBe(5);
});

it("a sum of finite numbers beyond fp32 overflows as one of the format does, one with Inf stays Inf", async () => {
  const deterministic = roundings.filter((rounding) => rounding !== "stochastic");
  const cases = ["bf16", "tf32", "fp16"].flatMap((name) =>
    deterministic.map((rounding) => updateSettings({ format: name, rounding, opmath: "exact" })),
  );
  const most = (2 - 2 ** -23) * 2 ** 127;
  const [large, ...others] = [1.5 * 2 ** 127, most, Infinity];
  const updates = [most, ...others].flatMap((u) => [u, -u]);
  const weights = [large, -large, large, -large, large, -large];
  const job = { tensors: [tensorOf("w", weights, updates)], stepNumbers: [0], cases };
  const theirs = await outcomeOf(reference, job);
  expectEqual(await outcomeOf(wasm, job), theirs);
  // Toward zero both sums end at the largest number; to the nearest at Inf.
  const nonfinite = (rounding: string) =>
    theirs.find(({ result }) => result.format === "bf16" && result.rounding === rounding)!.result.totals
      .nonfinite;
  expect([nonfinite("toward-zero"), nonfinite("nearest-even")]).toEqual([2, 6]);
});
