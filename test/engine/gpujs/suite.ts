import { afterAll, beforeAll, expect, it } from "vitest";
import { isInDomain } from "../../../src/engine/gpujs/domain.js";
import { formats } from "../../../src/format/registry.js";
import { roundings } from "../../../src/format/round.js";
import { openRecording, recordedRun } from "../../../src/source/recording.js";
import { schemeNames } from "../../../src/update/scheme.js";
import type { UpdateOptions } from "../../../src/update/settings.js";
import { expectedCases } from "../../support/expected.js";
import { expectSame } from "../../support/gpu/agree.js";
import { stretch, toText } from "../../support/gpu/jobs.js";
import type { Runner } from "../../support/gpu/runners.js";
import { Mismatches } from "../../support/mismatches.js";
import { deterministicRoundings } from "../../support/oracle.js";
import { recorded } from "../../support/recorded.js";
import { describeNeeding } from "../../support/requirements.js";
import { readGolden } from "../../support/safetensors.js";
import { sized } from "../../support/tier.js";

/** Tests of the GPU engine on a runner, which is open meanwhile. */
export function onRunner(runner: Runner, tests: () => void): void {
  describeNeeding(runner.needs, `engine ${runner.name}`, () => {
    beforeAll(() => runner.open());
    afterAll(() => runner.close());
    tests();
  });
}

export function provesItself(runner: Runner, cases?: readonly UpdateOptions[]): void {
  it("names its device and passes its self-check", async () => {
    expect(await runner.device()).toMatch(/swiftshader/i);
    expect(await runner.selfCheck(cases)).toMatchObject({ failed: 0, firstFailure: null });
  });
}

interface RecordedOptions {
  /** All tensors as one: 4 blocks instead of 26, most of which are filled up. */
  readonly joined: boolean;
  readonly formats?: readonly string[];
}

export function countsAsNumpy(runner: Runner, windows: readonly string[], options: RecordedOptions): void {
  it.each(windows)("%s: what numpy counted", (window) => expectRecorded(runner, window, options));
}

export function roundsAsGolden(runner: Runner, formats: readonly string[] = goldenFormats): void {
  it.each(formats)("golden/round of %s: every rounding, bit for bit", (name) => expectGolden(runner, name));
}

/** Two steps, so that every kernel runs again on other numbers. */
const adversarialSteps = 2;

/**
 * All schemes in one job, as in a run: what they share is read and added once, by the device and by the reference.
 *
 * @param seed of the numbers, so that runners can take different ones: the kernels' text is the same for all.
 */
export function agreesOnAdversarial(
  runner: Runner,
  names: readonly string[],
  elements: number,
  seed = 0,
): void {
  const updates = (adversarialSteps * elements).toLocaleString("en");
  it.each(names)(`${updates} adversarial updates in %s, under every scheme`, async (format) => {
    const cases = schemeNames.map((scheme, s): UpdateOptions => {
      const turn = [...formats.keys()].indexOf(format) + 2 * s;
      return { format, scheme, rounding: turn % 2 === 0 ? "nearest-even" : deterministicRoundings[turn % 6] };
    });
    const job = { adversarial: elements, steps: adversarialSteps, seed, cases, chunk: stretch };
    const handedOver = await expectSame(runner, job);
    // Only few blocks have numbers that a device is not given.
    expect(handedOver).toBeLessThan(1 / 20);
  });
}

/** As {@link agreesOnAdversarial}, under one scheme and rounding after the other: what is new is a format's text. */
export function agreesInTurn(runner: Runner, names: readonly string[], elements: number): void {
  it.each(names.map((format, f) => [format, schemeNames[f % 4], roundings[f % 7]] as const))(
    "adversarial updates in %s, %s, %s",
    async (format, scheme, rounding) => {
      const cases: UpdateOptions[] = [{ format, scheme, rounding, seed: 3 }];
      expect(await expectSame(runner, { adversarial: elements, steps: adversarialSteps, cases })).toBe(0);
    },
  );
}

/**
 * Every triple of scheme, rounding and a format of each kind, one in three by each runner, under both overflows.
 * Compiling is what takes time here, and the kernels' text is the same for all runners.
 *
 * @param turn 0, 1 or 2: which third.
 */
export function agreesInEveryRounding(runner: Runner, turn: number): void {
  it.each([...schemeNames.entries()])(
    "%i, %s: a third of the roundings in formats of every kind, overflow either way",
    async (s, scheme) => {
      for (const [f, format] of ["bf16", "fp16", "e4m3fn", "e4m3fnuz", "e2m1fn", "fp32"].entries()) {
        const cases = roundings.flatMap((rounding, r): UpdateOptions[] => {
          const overflow = (s + f + r) % 2 === 0 ? "saturate" : "ieee";
          const isMine = (s + f + r) % 3 === turn;
          return isMine ? [{ format, scheme, rounding, overflow, seed: 2 ** 40 + r }] : [];
        });
        await expectSame(runner, { adversarial: 10_000, steps: 3, milestones: [0, 1], cases });
      }
    },
  );
}

export function agreesAtMilestones(runner: Runner): void {
  it("curves of the reference, in blocks too that turn out only later not to be the device's", async () => {
    const n = 4 * 4096 - 7;
    const weights = Float64Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i) / 50));
    const updates = [0, 1, 2, 3].map((step) =>
      Float32Array.from(weights, (_, i) => (i % 9 === 0 ? 0 : Math.cos(3 * i + step) * 1e-4)),
    );
    // The first block is none of the device's from its start; the second overflows at the third step, the third
    // has a number at the fourth that a device is not given.
    weights[5] = Number.NaN;
    weights[5000] = 60_000;
    updates[2][5000] = 60_000;
    updates[3][9000] = 2 ** -140;
    const tensors = [{ name: "w", weights: toText(weights), updates: updates.map(toText) }];
    const schemes = sized({ quick: ["master", "two-term"] as const, full: schemeNames });
    const cases = schemes.map((scheme): UpdateOptions => ({ format: "fp16", scheme }));
    const job = { tensors, cases, milestones: [0, 1, 3] };
    expect(await expectSame(runner, job)).toBe((3 * 4096) / n);
    const outcome = await runner.outcome(job);
    for (const { curve, end } of outcome.cases) {
      expect(curve.map(({ nonfinite }) => nonfinite)).toEqual([1, 1, 2]);
      expect(curve[2]).toEqual({ step: 3, elements: n, ...end });
      expect(curve[1].unchanged).not.toBe(curve[0].unchanged);
    }
    // Milestones change no other count.
    const plain = await runner.outcome({ tensors, cases });
    expect(outcome).toEqual({
      ...plain,
      cases: plain.cases.map((caseResult, c) => ({ ...caseResult, curve: outcome.cases[c].curve })),
    });
  });
}

export function agreesForEveryBatch(runner: Runner): void {
  it("the same counts for every size of a batch", async () => {
    const weights = Float64Array.from({ length: 20_000 }, (_, i) => Math.fround(Math.sin(i) / 50));
    const updates = Float32Array.from(weights, (_, i) => Math.cos(3 * i) * 1e-4);
    const tensors = ["a", "b", "c"].map((name, i) => ({
      name,
      weights: toText(weights.subarray(0, [20_000, 1, 4097][i])),
      updates: [
        toText(updates.subarray(0, [20_000, 1, 4097][i])),
        toText(updates.subarray(0, [20_000, 1, 4097][i])),
      ],
    }));
    const cases: UpdateOptions[] = [{ format: "bf16" }, { format: "bf16", rounding: "stochastic", seed: 7 }];
    for (const chunk of sized({ quick: [1, 1 << 20], full: [1, 8192, 20_480, 1 << 20] })) {
      expect(await expectSame(runner, { tensors, cases, chunk, milestones: [0, 1] })).toBe(0);
    }
  });
}

async function expectRecorded(
  runner: Runner,
  window: string,
  { joined, formats }: RecordedOptions,
): Promise<void> {
  const { tensors, close } = await openRecording(await recordedRun(recorded(window)));
  const read: { name: string; numbers: Float64Array; steps: Float32Array[] }[] = [];
  for (const { name, weights, updates } of tensors) {
    const numbers = new Float64Array(weights.length);
    await weights.read(0, numbers);
    const steps: Float32Array[] = [];
    for (const values of updates) {
      const step = new Float32Array(values.length);
      await values.read(0, step);
      steps.push(step);
    }
    read.push({ name, numbers, steps });
  }
  await close();
  const asOne = () => ({
    name: "all",
    numbers: Float64Array.from(read.flatMap(({ numbers }) => [...numbers])),
    steps: read[0].steps.map((_, i) => Float32Array.from(read.flatMap(({ steps }) => [...steps[i]]))),
  });
  const asText = (joined ? [asOne()] : read).map(({ name, numbers, steps }) => ({
    name,
    weights: toText(numbers),
    updates: steps.map(toText),
  }));
  const expected = expectedCases(window).filter(({ format }) => formats?.includes(format) ?? true);
  const cases = expected.map(({ format, scheme }) => ({ format, scheme }));
  const outcome = await runner.outcome({ tensors: asText, cases });
  expect(outcome.handedOver).toBe(0);
  for (const [i, { format, scheme, end, ...fields }] of expected.entries()) {
    const { apparentSparsity, realSparsity, effectiveDescent, ...counts } = fields;
    const found = outcome.cases[i];
    expect(found).toMatchObject({ format, scheme, totals: counts, end });
    for (const [name, ratio] of Object.entries({ apparentSparsity, realSparsity, effectiveDescent })) {
      const relative = (found.totals[name as "effectiveDescent"] ?? Number.NaN) / (ratio as number) - 1;
      expect(Math.abs(relative)).toBeLessThan(1e-12);
    }
  }
}

const goldenFormats = ["bf16", "fp16", "e5m2", "e4m3fn", "e3m2fn", "e2m3fn", "e2m1fn"];

/** An update of -0 under `master`: the stored weight is the number as given, rounded by the run's rounding. */
async function expectGolden(runner: Runner, name: string): Promise<void> {
  const golden = readGolden(`round/round-${name}.safetensors`);
  const inputs = [...golden.float32("input").entries()];
  const largest = Math.max(...golden.float32("toward-zero").filter(Number.isFinite));
  // Apart, because one number that a device is not given takes its whole block from it.
  const device = inputs.filter(([, x]) => isInDomain(x) && Math.abs(x) <= largest);
  const rest = inputs.filter((input) => !device.includes(input));
  const parts = [device, rest];
  const outcome = await runner.outcome({
    tensors: parts.map((part, i) => ({
      name: `part ${i}`,
      weights: toText(Float64Array.from(part, ([, x]) => x)),
      // -0, which leaves the sign of a zero as it is.
      updates: [toText(new Float32Array(part.length).fill(-0))],
    })),
    cases: deterministicRoundings.map((rounding) => ({ format: name, scheme: "master", rounding })),
  });
  expect(outcome.handedOver).toBe(rest.length);
  expect(device.length).toBeGreaterThan(1000);
  const wrong = new Mismatches();
  for (const [c, rounding] of deterministicRoundings.entries()) {
    const expected = golden.float32(rounding);
    const stored = new Float32Array(Uint8Array.from(atob(outcome.weights[c]), (x) => x.charCodeAt(0)).buffer);
    for (const [i, [at, x]] of parts.flat().entries()) {
      wrong.compare(stored[i], expected[at], () => `${rounding} of ${x}`);
    }
  }
  wrong.expectNone();
}
