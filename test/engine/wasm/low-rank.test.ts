import { afterAll, describe, expect, it } from "vitest";
import type { LensJob } from "../../../src/engine/engine.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { forWorkers, runThreaded } from "../../../src/engine/wasm/threaded.js";
import { wasm } from "../../../src/engine/wasm/wasm.js";
import { format } from "../../../src/format/registry.js";
import { originOf, type TensorInput } from "../../../src/lens/input.js";
import { lowRankValues, negated } from "../../../src/lens/run/low-rank.js";
import { type UpdateSettings, updateSettings } from "../../../src/update/settings.js";
import { seeded } from "../../source/support.js";
import { drawnProduct, sharedNumbers } from "../../support/low-rank.js";
import { expectEqual } from "../../support/mismatches.js";
import { outcomeOf } from "../../support/outcome.js";
import { sized } from "../../support/tier.js";
import { tensorOf } from "../../support/values.js";

afterAll(() => wasm.close!());

const onThreads = (threads: number, chunk: number) => ({
  run: (job: LensJob, observer?: Parameters<typeof wasm.run>[1]) =>
    runThreaded({ ...job, cases: job.cases as UpdateSettings[], chunk }, threads, observer),
});

const below = seeded(17);
/** Products of these move some of the weights, and some not; a few are subnormal, infinite or NaN. */
const draw = () => {
  const special = below(4000);
  if (special < 3) return [Number.NaN, Number.POSITIVE_INFINITY, 2 ** -140][special];
  return Math.fround((below(2 ** 30) / 2 ** 30 - 0.5) * 2 ** -(1 + below(12)));
};

interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
}

function tensor(
  name: string,
  shape: Shape,
  transposed: boolean,
  stored = format("fp32"),
  rounded?: string,
): TensorInput {
  const { rows, columns } = shape;
  const drawn = drawnProduct({ ...shape, scale: 0.7 }, draw, [transposed, transposed], stored).product;
  const product = { ...drawn, ...(rounded !== undefined && { rounded: format(rounded) }) };
  return {
    name,
    shape: [rows, columns],
    weights: sharedNumbers(
      Array.from({ length: rows * columns }, () => (below(2 ** 20) / 2 ** 20 - 0.5) * 0.1),
      format("bf16"),
    ),
    updates: [lowRankValues(product), lowRankValues(negated(product))],
  };
}

const tensors = [
  tensor("rows within a chunk", { rows: 90, columns: 131, rank: 5 }, false),
  tensor("rows longer than a chunk", { rows: 3, columns: 5003, rank: 3 }, false),
  tensor("an embedding", { rows: 601, columns: 29, rank: 8 }, true),
  tensor("narrow, of bf16 factors", { rows: 5000, columns: 3, rank: 2 }, false, format("bf16")),
  tensor("rounded first", { rows: 40, columns: 100, rank: 4 }, false, format("fp32"), "bf16"),
  tensor("rounded to few bits first", { rows: 30, columns: 40, rank: 4 }, false, format("fp32"), "e5m2"),
  tensor("a row", { rows: 1, columns: 17, rank: 1 }, true, format("bf16")),
];
const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "e4m3fn", scheme: "kahan", rounding: "stochastic", seed: 5 }),
];
const job: LensJob = { tensors, stepNumbers: [0, 1], cases, milestones: [0] };

describe("workers multiply factors", () => {
  it("with the counts, sums, curves and stored bits of the reference, on any threads and in any chunks", async () => {
    const expected = await outcomeOf(reference, job);
    expect(tensors.every(forWorkers(job))).toBe(true);
    for (const [threads, chunk] of [[1, 4096], ...sized({ quick: [], full: [[2, 8192]] }), [3, 32_768]]) {
      expectEqual(await outcomeOf(onThreads(threads, chunk), job), expected);
    }
    expectEqual(await outcomeOf(wasm, job), expected);
  });

  it("not of steps with other factors, of fp64, of what is not stored, or of more than they have room for", () => {
    const [first, other] = tensors;
    const product = originOf(first.updates[0], "product");
    const computed = tensorOf("given", [1], [2]).weights;
    const large = { ...product!, rank: 2 ** 12, columns: 2 ** 12 };
    const refused: TensorInput[] = [
      { ...first, updates: [first.updates[0], other.updates[0]] },
      { ...first, weights: computed },
      { ...first, updates: [first.updates[0], lowRankValues({ ...product!, rounded: format("bf16") })] },
      { ...first, updates: [lowRankValues({ ...product!, left: { values: computed, transposed: false } })] },
      { ...first, updates: [lowRankValues(large)] },
    ];
    for (const each of refused) expect(forWorkers({ ...job, tensors: [each] })(each)).toBe(false);
  });
});
