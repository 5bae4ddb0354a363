import { describe, expect, test } from "vitest";
import { lens } from "../../../src/engine/lens.js";
import {
  bitsPerWeight,
  retains,
  type SweepCase,
  type SweepCell,
  type SweepCounts,
  sweepAnswers,
  sweepCells,
} from "../../../src/lens/study/sweep.js";
import { gaussianRun } from "../../support/values.js";

type Identity = Partial<SweepCase>;

const bf16: SweepCase = { format: "bf16", scheme: "in-place", rounding: "nearest-even", opmath: "fp32" };
const shares = { learns: 0.5, keeps: 0.99 };

/** Cells of cases by rate, with what the answers look at: the share retained, and its standard error after it. */
function cellsOf(
  ...cases: [Identity, ...(number | null | readonly [number | null, number])[]][]
): SweepCell[] {
  const [[, ...first]] = cases;
  return first.flatMap((_, i) =>
    cases.map(([identity, ...shares]) => {
      const [retained, standardError] = [shares[i], null].flat();
      const cell = {
        rate: 10 ** i,
        ...bf16,
        ...identity,
        end: { retained, noise: 3, noiseToWeight: 0.25, nonfinite: 0 },
        standardError,
      };
      return cell as unknown as SweepCell;
    }),
  );
}

const learnsFrom = (...cells: Parameters<typeof cellsOf>) =>
  sweepAnswers(cellsOf(...cells), shares).answers.cases.map((answer) => answer.learnsFrom);
const keepsFrom = (...cells: Parameters<typeof cellsOf>) =>
  sweepAnswers(cellsOf(...cells), shares).answers.cases.map((answer) => answer.keepsFrom);
const cheapest = (...cells: Parameters<typeof cellsOf>) =>
  sweepAnswers(cellsOf(...cells), shares).answers.cheapest.map(
    ({ case: sweepCase }) => sweepCase && `${sweepCase.format} ${sweepCase.scheme}`,
  );

describe("from which rate on a case learns", () => {
  test("the first of which all that follow learn too", () => {
    expect(learnsFrom([{}, 0.1, 0.6, 0.9])).toEqual([10]);
    // What it lost again it had not learned.
    expect(learnsFrom([{}, 0.6, 0.4, 0.9])).toEqual([100]);
    expect(learnsFrom([{}, 0.6, 0.9, 0.4])).toEqual([null]);
  });

  test("all, or none", () => {
    expect(learnsFrom([{}, 0.5, 1, 1])).toEqual([1]);
    expect(learnsFrom([{}, 0, 0.1, 0.4999])).toEqual([null]);
  });

  test("both ends belong to it, and far beyond 1 is no learning", () => {
    expect(learnsFrom([{}, 0.5], [{ scheme: "kahan" }, 1.5], [{ scheme: "master" }, 1.51])).toEqual([
      1,
      1,
      null,
    ]);
    expect(keepsFrom([{}, 0.99], [{ scheme: "kahan" }, 1.01], [{ scheme: "master" }, 1.02])).toEqual([
      1,
      1,
      null,
    ]);
    expect(learnsFrom([{}, -1])).toEqual([null]);
  });

  test("nothing is learned where nothing was to be learned", () => {
    expect(learnsFrom([{}, null, 1])).toEqual([10]);
    expect(learnsFrom([{}, 1, null])).toEqual([null]);
  });

  test("each case by itself", () => {
    expect(
      learnsFrom([{}, 0.1, 0.9], [{ rounding: "stochastic" }, 1, 1], [{ opmath: "exact" }, 0, 0]),
    ).toEqual([10, 1, null]);
  });
});

describe("the cheapest case that keeps its updates", () => {
  test("takes the fewest bits a weight", () => {
    expect(cheapest([{ scheme: "master" }, 1], [{ scheme: "kahan" }, 1], [{}, 0.98])).toEqual(["bf16 kahan"]);
    expect(cheapest([{ scheme: "master" }, 1], [{ scheme: "kahan" }, 1], [{}, 1])).toEqual(["bf16 in-place"]);
    expect(cheapest([{ scheme: "kahan" }, 1], [{ format: "e4m3fn", scheme: "master" }, 1])).toEqual([
      "bf16 kahan",
    ]);
  });

  test("is the first of the grid where several take as few", () => {
    expect(cheapest([{ scheme: "two-term" }, 1], [{ scheme: "kahan" }, 1])).toEqual(["bf16 two-term"]);
    expect(cheapest([{ format: "fp16" }, 1], [{}, 1])).toEqual(["fp16 in-place"]);
  });

  test("differs from rate to rate, and may be none", () => {
    expect(cheapest([{ scheme: "master" }, 0.9, 1, 1], [{}, 0, 0.5, 0.99])).toEqual([
      null,
      "bf16 master",
      "bf16 in-place",
    ]);
  });

  test("is told with what it keeps", () => {
    const { cheapest: found } = sweepAnswers(cellsOf([{ scheme: "kahan" }, 0.995]), shares).answers;
    const told = { bitsPerWeight: 32, retained: 0.995, noise: 3, noiseToWeight: 0.25 };
    expect(found).toEqual([{ rate: 1, case: { ...bf16, scheme: "kahan", ...told } }]);
  });
});

describe("noise", () => {
  /** The limits are .5 and 1.5; three standard errors are .3. */
  test.each([
    [1, true],
    [0.8, true],
    [1.2, true],
    [0.79, null],
    [1.21, null],
    [0.21, null],
    [1.79, null],
    [0.19, false],
    [1.81, false],
    [-5, false],
    [null, false],
  ])("what retains %s ± 0.1 learns: %s", (retained, told) => {
    const [cell] = cellsOf([{}, [retained, 0.1]]);
    expect(retains(cell, 0.5)).toBe(told);
    expect(retains({ ...cell, end: { ...cell.end, nonfinite: 1 } }, 0.5)).toBe(false);
    // All of it within a margin that is less than the chance is nothing to be told.
    if (told) expect(retains(cell, 0.99)).toBeNull();
  });

  test("without any, the limits belong to what retains", () => {
    for (const standardError of [0, null]) {
      const told = (retained: number) => retains(cellsOf([{}, [retained, standardError as number]])[0], 0.99);
      expect([0.98, 0.99, 1, 1.01, 1.02].map(told)).toEqual([false, true, true, true, false]);
    }
  });

  test("what it leaves open is neither learned nor kept, but said to be possible", () => {
    const cells = cellsOf(
      [{ rounding: "stochastic" }, [1.13, 0.32], [1, 0.05], [1, 0.001]],
      [{ scheme: "kahan" }, 1, 1, 1],
      [{ format: "e4m3fn" }, 0, 0, 1],
    );
    const { answers, perhaps } = sweepAnswers(cells, shares);
    const from = (found: typeof answers) =>
      found.cases.map(({ learnsFrom, keepsFrom }) => [learnsFrom, keepsFrom]);
    const at = (found: typeof answers) => found.cheapest.map(({ case: one }) => one?.bitsPerWeight);
    expect([from(answers), at(answers)]).toEqual([
      [
        [10, 100],
        [1, 1],
        [100, 100],
      ],
      [32, 32, 8],
    ]);
    expect([from(perhaps!), at(perhaps!)]).toEqual([
      [
        [1, 1],
        [1, 1],
        [100, 100],
      ],
      [16, 16, 8],
    ]);
  });

  test("where it leaves nothing open, nothing is said of it", () => {
    const certain = cellsOf([{ rounding: "stochastic" }, [0.1, 0.01], [1, 0.001]]);
    expect(sweepAnswers(certain, shares)).not.toHaveProperty("perhaps");
    // It learns for sure, and may keep or not: one open limit is enough.
    expect(sweepAnswers(cellsOf([{}, [0.985, 0.002]]), shares)).toHaveProperty("perhaps");
  });

  test("its standard error is that of the spread over seeds", async () => {
    const {
      weights,
      updates: [updates],
    } = gaussianRun(1, 3000, 1);
    const runs = await Promise.all(
      Array.from({ length: 40 }, async (_, seed) => {
        const settings = { format: "bf16", rounding: "stochastic", seed, engine: "reference" } as const;
        const counted = await lens({ format: "fp32", data: weights }, updates, settings);
        return sweepCells({ cases: [counted] }, 1)[0];
      }),
    );
    const spread = Math.sqrt(runs.reduce((sum, { end }) => sum + (end.retained! - 1) ** 2, 0) / runs.length);
    expect(spread / runs[0].standardError!).toBeGreaterThan(0.6);
    expect(spread / runs[0].standardError!).toBeLessThan(1.6);
  });

  test("other roundings have none, and nothing is none of nothing", async () => {
    const error = async (update: number, rounding: "nearest-even" | "stochastic") => {
      const caseResult = await lens(
        { format: "fp32", data: Float32Array.of(1, 1) },
        new Float32Array(2).fill(update),
        {
          format: "bf16",
          rounding,
        },
      );
      return sweepCells({ cases: [caseResult] }, 1)[0].standardError;
    };
    expect(await error(1e-5, "nearest-even")).toBeNull();
    expect(await error(0, "stochastic")).toBeNull();
    // 2^-7 is the gap at 1: nothing is left to chance.
    expect(await error(2 ** -7, "stochastic")).toBe(0);
  });
});

describe("a cell with weights that are NaN or Inf", () => {
  test("neither learns nor keeps its updates, whatever the others retain", () => {
    const finite = cellsOf([{}, 1, 1]);
    const cells = finite.map((cell, i) => ({ ...cell, end: { ...cell.end, nonfinite: i } }));
    expect(sweepAnswers(cells, shares).answers.cases).toMatchObject([{ learnsFrom: null, keepsFrom: null }]);
    expect(sweepAnswers(cells, shares).answers.cheapest.map((found) => found.case?.format)).toEqual([
      "bf16",
      undefined,
    ]);
    expect(sweepAnswers(finite, shares).answers.cases).toMatchObject([{ learnsFrom: 1, keepsFrom: 1 }]);
  });
});

describe("the standard error of a cell", () => {
  /** So many tensors alike, a quarter of each counted; of all of them the noise. */
  function counts(identity: Identity, tensors: number, noise: number | null = 1): SweepCounts {
    const sums = (scatter: number) => ({ displacementSquared: [1], retainedProduct: [1 + scatter] });
    return {
      ...bf16,
      ...identity,
      totals: { elements: 16, steps: 4 },
      end: { noise },
      probes: {},
      tensors: Array.from({ length: tensors }, (_, i) => ({
        totals: { elements: 1, apparentSparsity: 1 },
        end: { unchanged: 0, hidden: 0, sums: { ...noSums, ...sums(i % 2 ? 0.5 : -0.5) } },
      })),
    } as unknown as SweepCounts;
  }
  const noSums = { product: [], noiseSquared: [], weightSquared: [] };
  const stochastic = { rounding: "stochastic" };
  const error = (given: SweepCounts, sizes: readonly number[] | null = null) =>
    sweepCells({ cases: [given] }, 1, sizes)[0].standardError;
  const drawn = (tensors: number) => Array<number>(tensors).fill(4);
  /** Of the jackknife: ten tensors of which three quarters are left out, each half of one away from the mean. */
  const scatter = Math.sqrt((9 / 10) * 10 * (3 / 4) * (0.5 / 9) ** 2);

  test("is by hand the noise that weight and carrier hold, over the root of how many weights there are", () => {
    for (const scheme of ["in-place", "master", "kahan", "two-term", "eco"]) {
      const held = (noise: number) => error(counts({ ...stochastic, scheme }, 1, noise));
      expect([scheme, held(1), held(0.5), held(0)]).toEqual([scheme, 1 / 4, 1 / 8, 0]);
    }
    expect(error(counts({}, 1))).toBeNull();
  });

  test("is unknown where the noise is", () => expect(error(counts(stochastic, 1, null))).toBeNull());

  test("of a sample is that of the scatter between tensors", () => {
    expect(error(counts({}, 10), drawn(10))).toBeCloseTo(scatter, 15);
    // Three are too few to tell.
    expect(error(counts({}, 3), drawn(3))).toBeNull();
  });

  test("is the larger of both", () => {
    expect(scatter).toBeLessThan(1 / 4);
    expect(scatter).toBeGreaterThan(1 / 8);
    expect(error(counts(stochastic, 10), drawn(10))).toBe(1 / 4);
    expect(error(counts(stochastic, 10, 0.5), drawn(10))).toBeCloseTo(scatter, 15);
    expect(error(counts(stochastic, 3), drawn(3))).toBe(1 / 4);
  });
});

test("bits a weight with shared scales have its part of the scale of a whole block", () => {
  const bits = (format: string, scheme = "in-place") => bitsPerWeight({ format, scheme });
  // Scales of 8 bits for 32 weights, or 16, and of 32 bits for 128 x 128.
  expect(
    ["mxfp8-e4m3", "mxfp4", "nvfp4", "nvfp4-16x16", "fp8-128x128"].map((format) => bits(format)),
  ).toEqual([8 + 8 / 32, 4 + 8 / 32, 4 + 8 / 16, 4 + 8 / 256, 8 + 32 / 16384]);
  expect(bits("mxfp4", "master")).toBe(4 + 8 / 32 + 32);
  // The momentum that takes the errors is there without them.
  expect(bits("mxfp4", "eco")).toBe(4 + 8 / 32);
});

test("bits a weight are those of its format and of its carrier", () => {
  expect(
    (
      [
        ["bf16", "in-place"],
        ["bf16", "master"],
        ["bf16", "kahan"],
        ["bf16", "two-term"],
        ["e4m3fn", "master"],
        ["e4m3fn", "kahan"],
        ["fp32", "in-place"],
        ["e2m1fn", "in-place"],
      ] as const
    ).map(([format, scheme]) => bitsPerWeight({ format, scheme })),
  ).toEqual([16, 48, 32, 32, 40, 16, 32, 4]);
});
