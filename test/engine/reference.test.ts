import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reference } from "../../src/engine/reference/reference.js";
import type { TensorInput } from "../../src/lens/input.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { schemeNames } from "../../src/update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";
import { bfloat16Schemes, toBfloat16 } from "../support/bfloat16.js";
import { everyEngine } from "../support/engines.js";
import { sized } from "../support/tier.js";
import { gaussianRun, tensorOf } from "../support/values.js";

async function count(tensors: readonly TensorInput[], options: UpdateOptions, chunk?: number) {
  const stepNumbers = tensors[0].updates.map((_, i) => i);
  const job = { tensors, stepNumbers, cases: [updateSettings(options)], ...(chunk ? { chunk } : {}) };
  return summarizeCase((await reference.run(job))[0]);
}

describe.each(everyEngine)("displacements on $name", (engine) => {
  it("stay finite where fp32 ends: they are at most its largest number", async () => {
    const largest = (2 - 2 ** -23) * 2 ** 127;
    const [large, small] = [1.5 * 2 ** 127, 1.25 * 2 ** 120];
    const tensor = tensorOf("w", [large, -large, small], [-large, large, 1], [-large, large, 1], [0, 0, 0]);
    const cases = [updateSettings({ format: "fp32" })];
    const [tally] = await engine.run({ tensors: [tensor], stepNumbers: [0, 1, 2], cases });
    const { totals, end } = summarizeCase(tally);
    expect(totals).toMatchObject({ moved: 4, lost: 2, none: 3, nonfinite: 0 });
    expect(totals.effectiveNorm).toBe(Math.sqrt(4 * large * large));
    expect(end).toMatchObject({ visible: 1, retained: 1, noise: 0 });
    const jump = tensorOf("w", [-large], [largest], [large]);
    const [jumped] = await engine.run({ tensors: [jump], stepNumbers: [0, 1], cases });
    // From -1.5 x 2^127 to the largest number: the way between is beyond fp32.
    expect(jumped.tensors[0].tally.end.displacementSquared.value()).toBe(largest * largest);
    expect(summarizeCase(jumped).end).toMatchObject({ visible: 1, retained: 1, noise: 0 });
  });
});

describe("against a second derivation", () => {
  it.each(schemeNames)(
    "%s: classes, end and norms, one weight after the other on integers",
    async (scheme) => {
      const { weights, updates } = gaussianRun(3, 5000, 12, 4e-5);
      const { totals, end, probes } = await count([tensorOf("w", weights, ...updates)], {
        format: "bf16",
        scheme,
      });
      const classes = { none: 0, lost: 0, kept: 0, moved: 0 };
      const ends = { unchanged: 0, neverUpdated: 0, cancelled: 0, hidden: 0, returned: 0 };
      let [uu, ee, eu, dD, DD, rule, ruleMoved, ruleUnmoved] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (const [i, given] of weights.entries()) {
        const start = toBfloat16(given);
        let [w, carrier, fp32, moves] = [start, scheme === "master" ? given : 0, given, 0];
        for (const update of updates) {
          const u = update[i];
          const [w2, carrier2] = bfloat16Schemes[scheme](w, carrier, u);
          if (u === 0) classes.none += 1;
          else {
            if (w2 !== w) classes.moved += 1;
            else if (carrier2 !== carrier) classes.kept += 1;
            else classes.lost += 1;
            const byRule = 256 * Math.abs(u) < Math.abs(w);
            if (byRule) rule += 1;
            if (byRule && w2 !== w) ruleMoved += 1;
            if (!byRule && w2 === w) ruleUnmoved += 1;
          }
          if (w2 !== w) moves += 1;
          const e = Math.fround(w2 - w);
          [uu, ee, eu] = [uu + u * u, ee + e * e, eu + e * u];
          [w, carrier, fp32] = [w2, carrier2, Math.fround(fp32 + u)];
        }
        const displacement = Math.fround(fp32 - given);
        DD += displacement ** 2;
        dD += displacement * Math.fround(w - start);
        if (w !== start) continue;
        ends.unchanged += 1;
        if (updates.every((update) => update[i] === 0)) ends.neverUpdated += 1;
        else if (fp32 === given) ends.cancelled += 1;
        else ends.hidden += 1;
        if (moves > 0) ends.returned += 1;
      }
      expect(totals).toMatchObject({ ...classes, nonfinite: 0, elements: 5000, steps: 12 });
      expect(end).toMatchObject({ ...ends, nonfinite: 0 });
      expect(totals.updateNorm / Math.sqrt(uu)).toBeCloseTo(1, 12);
      expect(totals.effectiveNorm / Math.sqrt(ee)).toBeCloseTo(1, 12);
      expect((totals.effectiveDescent ?? 0) / (eu / uu)).toBeCloseTo(1, 12);
      expect((end.visible ?? 0) / (dD / DD)).toBeCloseTo(1, 12);
      expect(probes["ulp-rule"]).toMatchObject({
        lost: rule,
        lostButMoved: ruleMoved,
        visibleButUnmoved: ruleUnmoved,
      });
      // The run is one on which every count says something.
      expect(
        Math.min(totals.moved, end.hidden, end.returned, totals.lost, ruleMoved + ruleUnmoved),
      ).toBeGreaterThan(0);
    },
  );
});

describe("planted controls", () => {
  const ones = (n: number, value = 1) => new Float32Array(n).fill(value);

  it("all updates zero: real sparsity 1, nothing hidden", async () => {
    for (const scheme of schemeNames) {
      const { totals, end } = await count([tensorOf("w", ones(100), ones(100, 0), ones(100, -0))], {
        format: "bf16",
        scheme,
      });
      expect(totals).toMatchObject({
        none: 200,
        realSparsity: 1,
        apparentSparsity: 1,
        hiddenShare: null,
        effectiveDescent: null,
      });
      expect(end).toMatchObject({
        unchanged: 100,
        neverUpdated: 100,
        hidden: 0,
        visible: null,
        retained: null,
      });
    }
  });

  it("exactly half a gap stays on even codes and moves odd ones", async () => {
    const even = await count([tensorOf("w", ones(10), ones(10, 2 ** -8))], { format: "bf16" });
    expect(even.totals).toMatchObject({ lost: 10, moved: 0 });
    const odd = await count([tensorOf("w", ones(10, 1.0078125), ones(10, 2 ** -8))], { format: "bf16" });
    expect(odd.totals).toMatchObject({ lost: 0, moved: 10 });
  });

  it("dense large updates: apparent sparsity 0", async () => {
    const { weights, updates } = gaussianRun(4, 1000, 1);
    const large = updates[0].map((_, i) => 0.5 + weights[i] ** 2);
    const { totals, end } = await count([tensorOf("w", weights, large)], { format: "bf16" });
    expect(totals).toMatchObject({ apparentSparsity: 0, realSparsity: 0, hiddenShare: 0 });
    expect(end.unchanged).toBe(0);
  });

  it("NaN and Inf are counted apart, and stay out of every ratio, norm and end", async () => {
    const clean = await count([tensorOf("w", ones(6), ones(6, 0.01), ones(6, 0.01))], { format: "bf16" });
    const planted = [
      tensorOf(
        "w",
        [1, 1, 1, 1, 1, 1, Number.NaN, 1, 1],
        [...ones(6, 0.01), 1, Number.NaN, 1],
        [...ones(6, 0.01), 0, 1, Infinity],
      ),
    ];
    const { totals, end, probes } = await count(planted, { format: "bf16" });
    // The third of the planted weights moved once before its Inf.
    expect(totals).toMatchObject({ nonfinite: 5, moved: clean.totals.moved + 1, elements: 9 });
    expect(totals.apparentSparsity).toBe(0);
    expect(end).toMatchObject({ nonfinite: 3, unchanged: 0, visible: clean.end.visible });
    expect(probes["path-not-taken"].share).toBe(0);
  });

  it("returned, hidden and cancelled: there and back again", async () => {
    // The first returns in bf16 but not in fp32, the second in fp32 and never moved in bf16.
    const there = [tensorOf("w", [1, 1, 1], [0.0078, 2 ** -20, 0], [-0.0079, -(2 ** -20), 0])];
    const { end } = await count(there, { format: "bf16" });
    expect(end).toMatchObject({ unchanged: 3, neverUpdated: 1, cancelled: 1, hidden: 1, returned: 1 });
  });

  it("casting is counted, and not an update", async () => {
    const { totals, end } = await count([tensorOf("w", [1, 1 + 2 ** -12, 0.1], ones(3, 0))], {
      format: "bf16",
    });
    expect(totals).toMatchObject({ castChanged: 2, none: 3 });
    expect(end).toMatchObject({ unchanged: 3, neverUpdated: 3 });
  });

  it("no step at all leaves every ratio of updates unknown", async () => {
    const { totals, end } = await count([tensorOf("w", [1, 2])], { format: "bf16" });
    expect(totals).toMatchObject({ elements: 2, steps: 0, realSparsity: null, apparentSparsity: null });
    expect(end).toMatchObject({ unchanged: 2, neverUpdated: 2 });
  });
});

describe("properties", () => {
  const anyCase = fc.record({
    format: fc.constantFrom("bf16", "fp16", "fp32", "e4m3fn", "e5m2fnuz", "e2m1fn", "e5m7"),
    scheme: fc.constantFrom(...schemeNames),
    rounding: fc.constantFrom(
      "nearest-even",
      "toward-zero",
      "to-odd",
      "stochastic",
      "toward-negative" as const,
    ),
    opmath: fc.constantFrom("fp32", "exact" as const),
    overflow: fc.constantFrom("ieee", "saturate" as const),
    seed: fc.nat(),
  });
  const anyRun = fc
    .array(fc.tuple(fc.float(), fc.float({ min: -1, max: 1 }), fc.float()), { minLength: 1, maxLength: 50 })
    .map((rows) =>
      tensorOf(
        "w",
        ...([0, 1, 2].map((column) => rows.map((row) => row[column])) as [number[], number[], number[]]),
      ),
    );

  it("classes sum to elements x steps; the parts of unchanged to unchanged; tensors and steps to totals", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRun, { minLength: 1, maxLength: 3 }),
        anyCase,
        async (tensors, options) => {
          const { totals, end, steps, tensors: parts, histogram } = await count(tensors, options);
          const { none, lost, kept, moved, nonfinite, elements } = totals;
          expect(none + lost + kept + moved + nonfinite).toBe(2 * elements);
          expect(end.neverUpdated + end.cancelled + end.hidden).toBe(end.unchanged);
          const sum = (counts: readonly number[]) => counts.reduce((total, n) => total + n, 0);
          for (const className of ["none", "lost", "kept", "moved", "nonfinite"] as const) {
            expect(sum(steps.map((step) => step[className]))).toBe(totals[className]);
            expect(sum(parts.map((part) => part.totals[className]))).toBe(totals[className]);
          }
          for (const className of ["lost", "kept", "moved"] as const)
            expect(sum(histogram[className])).toBe(totals[className]);
          if (options.scheme === "in-place") expect(kept).toBe(0);
        },
      ),
      { numRuns: sized({ quick: 80, full: 300 }) },
    );
  });

  it("in place in fp32, an update of zero is none and moves nothing, whatever the rounding", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })),
        anyCase,
        async (weights, options) => {
          const zero = new Float32Array(weights.length);
          const { totals, end } = await count([tensorOf("w", weights, zero)], {
            ...options,
            format: "fp32",
            scheme: "in-place",
          });
          expect(totals).toMatchObject({ none: weights.length, moved: 0, effectiveNorm: 0 });
          expect(end.unchanged).toBe(weights.length);
        },
      ),
    );
  });

  it("chunk size and tensor order never change a result", async () => {
    const blocks = sized({ quick: [0, 1], full: [1, 2, 3] });
    const runs = blocks.map((block) =>
      gaussianRun(block + 1, 4096 * block + 37 * (block + 1), sized({ quick: 2, full: 3 })),
    );
    const tensors = runs.map(({ weights, updates }, i) => tensorOf(`w${i}`, weights, ...updates));
    for (const rounding of ["nearest-even", "stochastic"] as const) {
      const half = schemeNames.filter((_, s) => s % 2 === (rounding === "stochastic" ? 1 : 0));
      for (const scheme of sized({ quick: half, full: schemeNames })) {
        const options = { format: "bf16", scheme, rounding, seed: 5 } as const;
        const whole = await count(tensors, options, 2 ** 20);
        expect(await count(tensors, options, 1)).toEqual(whole);
        expect(await count(tensors, options, 8000)).toEqual(whole);
        const { tensors: parts, ...rest } = await count([...tensors].reverse(), options, 4096);
        expect({ ...rest, tensors: [...parts].reverse() }).toEqual(whole);
      }
    }
  });

  it("stochastic rounding is unbiased over a tensor, and another seed gives another result", async () => {
    const n = sized({ quick: 30_000, full: 100_000 });
    const tensor = tensorOf("w", new Float32Array(n).fill(1), new Float32Array(n).fill(2 ** -10));
    const options = { format: "bf16", rounding: "stochastic" } as const;
    const { totals } = await count([tensor], options);
    // 2^-10 of a gap of 2^-7: an eighth moves; five standard errors.
    expect(Math.abs(totals.moved / n - 1 / 8)).toBeLessThan(5 * Math.sqrt(((1 / 8) * (7 / 8)) / n));
    expect((await count([tensor], { ...options, seed: 1 })).totals.moved).not.toBe(totals.moved);
    expect((await count([tensor], options)).totals.moved).toBe(totals.moved);
  });
});
