import { describe, expect, test } from "vitest";
import type { Geometry } from "../../src/lens/geometry-result.js";
import type { Inspection } from "../../src/lens/inspect/inspection.js";
import type { Case } from "../../src/lens/run/case.js";
import type { Result } from "../../src/lens/run/result.js";
import {
  diffCommandLine,
  inspectCommandLine,
  predictionCommandLine,
  runCommandLines,
  sweepCommandLines,
} from "../../src/report/command.js";
import { differenceResult } from "../support/figures.js";
import { caseOf, resultOf } from "../support/results.js";
import { predictionResult, sweepResult } from "../support/sweep.js";

const one = await caseOf([1], [1]);
const like = (changes: Partial<Case>): Case => ({ ...one, ...changes });
const recorded = (cases: readonly Case[], changes: Partial<Result> = {}): Result => {
  const result = resultOf(cases);
  const input = { ...result.input, kind: "recorded" as const, weights: "w", updates: "u" };
  return { ...result, input, ...changes };
};
const files = "precision-lens run --weights w --updates u";

describe("runCommandLines", () => {
  test("one command for a grid", () => {
    const cases = ["bf16", "fp16"].flatMap((format) =>
      ["in-place", "kahan"].map((scheme) => like({ format, scheme })),
    );
    expect(runCommandLines(recorded(cases))).toEqual([
      `${files} --format bf16,fp16 --scheme in-place,kahan --rounding nearest-even`,
    ]);
  });

  test("one for each format and rounding of what is none", () => {
    const cases = [
      like({}),
      like({ scheme: "master" }),
      like({ rounding: "stochastic" }),
      like({ format: "fp32", opmath: "exact" }),
    ];
    expect(runCommandLines(recorded(cases))).toEqual([
      `${files} --format bf16 --scheme in-place,master --rounding nearest-even`,
      `${files} --format bf16 --scheme in-place --rounding stochastic`,
      `${files} --format fp32 --scheme in-place --rounding nearest-even --opmath exact`,
    ]);
  });

  test("settings that are not the usual", () => {
    const settings = { optimizer: null, overflow: "saturate", seed: 7, strict: true };
    expect(runCommandLines(recorded([like({})], { settings }))).toEqual([
      `${files} --format bf16 --scheme in-place --rounding nearest-even --overflow saturate --seed 7 --strict`,
    ]);
  });

  test("recipes, with the optimizer's settings", () => {
    const recipe = (name: string) => ({ name, of: name, verified: null });
    const optimizer = { name: "adamw", lr: 1e-6, betas: [0.9, 0.95] as const, eps: 1e-8, weightDecay: 0.1 };
    const result = recorded(
      [like({ recipe: recipe("kahan") }), like({ recipe: recipe("fp32"), format: "fp32" })],
      {
        settings: { optimizer, overflow: "ieee", seed: 0, strict: false },
      },
    );
    const input = { ...result.input, updates: null, gradients: "g" };
    expect(runCommandLines({ ...result, input })).toEqual([
      "precision-lens run --weights w --gradients g --format bf16 --recipe kahan,fp32 --optimizer adamw --lr 1e-6 " +
        "--betas 0.9,0.95 --eps 1e-8 --weight-decay 0.1",
    ]);
  });

  test("recipes whose settings the recording has: what was given beside it, and the moments", () => {
    const lr = { least: 1e-7, most: 1e-6 };
    const told = { name: "adamw", lr, betas: [0.9, 0.95] as const, eps: 1e-8, weightDecay: 0.1 };
    const line = (given: object, override: boolean) => {
      const optimizer = { ...told, recorded: { given, override } };
      const result = recorded([like({ recipe: { name: "kahan", of: "kahan", verified: null } })], {
        settings: { optimizer, overflow: "ieee", seed: 0, strict: false },
      });
      const input = { ...result.input, updates: null, gradients: "g", moments: "m" };
      return runCommandLines({ ...result, input }).join();
    };
    const common =
      "precision-lens run --weights w --gradients g --moments m --format bf16 --recipe kahan --optimizer adamw";
    expect(line({}, false)).toBe(common);
    expect(line({ lr: 1e-4, betas: [0.5, 0.9] }, true)).toBe(
      `${common} --lr 1e-4 --betas 0.5,0.9 --override`,
    );
  });

  test("a synthetic run, by every setting that it had, without the fp32 run beside it", () => {
    const result = recorded([like({}), like({ scheme: "master" }), like({ format: "fp32" })]);
    const synthetic = {
      preset: "rlvr",
      model: "qwen3-4b",
      parameters: 1e9,
      source: "adamw",
      weights: {
        distribution: "gaussian",
        queryKeyDistribution: "weibull-1.13",
        sigma: 0.02,
        format: "bf16",
      },
      gradients: { noise: "gaussian", snr: 0.1, norm: 1, scaleSpread: 0 },
      optimizer: {
        lr: 1e-6,
        betas: [0.9, 0.98],
        eps: 1e-15,
        weightDecay: 0.1,
        schedule: "constant",
        warmup: 5,
      },
      seed: 3,
    } as const;
    const input = { ...result.input, kind: "synthetic" as const, weights: null, updates: null, synthetic };
    expect(runCommandLines({ ...result, input })).toEqual([
      "precision-lens simulate --format bf16 --scheme in-place,master --rounding nearest-even --preset rlvr --steps 1 " +
        "--model qwen3-4b --elements 1 --sigma 0.02 --base-format bf16 --qk-shape 1.13 --lr 1e-6 --betas 0.9,0.98 " +
        "--eps 1e-15 --weight-decay 0.1 --schedule constant --warmup 5 --gradient signal:0.1 --noise gaussian " +
        "--gradient-norm 1 --clip 1 --scale-spread 0 --source adamw --seed 3",
    ]);
  });

  test("nothing where no files were read", () => {
    expect(runCommandLines(resultOf([one]))).toEqual([]);
  });

  test("names as a shell takes them", () => {
    const result = recorded([one]);
    const input = { ...result.input, weights: "it's; rm -rf $HOME", updates: "-u" };
    expect(runCommandLines({ ...result, input })[0]).toContain(
      String.raw`--weights 'it'\''s; rm -rf $HOME' --updates -u`,
    );
  });
});

test("diffCommandLine", () => {
  const result = differenceResult();
  expect(diffCommandLine(result)).toBe("precision-lens diff base tuned");
  const settings = { view: "bf16", strict: true, seed: 3 };
  expect(diffCommandLine({ ...result, settings })).toBe(
    "precision-lens diff base tuned --view bf16 --strict --seed 3",
  );
});

test("inspectCommandLine", () => {
  const lineOf = (as: string[], sample: number | null) =>
    inspectCommandLine({ input: { path: "model" }, settings: { as, sample } } as unknown as Inspection);
  expect(lineOf([], 4)).toBe("precision-lens inspect model");
  expect(lineOf(["bf16", "mxfp4"], 4)).toBe("precision-lens inspect model --as bf16,mxfp4");
  expect(lineOf(["bf16"], null)).toBe("precision-lens inspect model --as bf16 --sample all");
});

describe("of a geometry", () => {
  const layer = (stack: string, number: number, spectra: boolean) => ({ stack, layer: number, spectra });
  const plain = {
    ...{ rank: 64, walk: null, sampled: { layers: 5, of: 9, all: false } },
    layers: [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => layer("model.layers", i, i % 2 === 0)),
  };
  const lineOf = (geometry: object) =>
    diffCommandLine({ ...differenceResult(), geometry: geometry as Geometry });

  test("without what is so by default", () => {
    expect(lineOf(plain)).toBe("precision-lens diff base tuned --geometry");
  });

  test("with every tuned model, and all that was asked for", () => {
    const asked = { rank: 16, walk: { lr: 1e-6, steps: 300 }, others: [{ path: "other" }] };
    expect(lineOf({ ...plain, ...asked })).toBe(
      "precision-lens diff base tuned other --geometry --rank 16 --lr 1e-6 --steps 300",
    );
    const layers = [layer("a", 0, true), layer("b", 0, true), layer("b", 1, true), layer("b", 2, false)];
    expect(lineOf({ ...plain, layers })).toBe("precision-lens diff base tuned --geometry --layers 2");
    expect(lineOf({ ...plain, layers: layers.map((each) => ({ ...each, spectra: false })) })).toBe(
      "precision-lens diff base tuned --geometry --layers 0",
    );
    expect(lineOf({ ...plain, sampled: { layers: 9, of: 9, all: true } })).toBe(
      "precision-lens diff base tuned --geometry --layers all",
    );
  });

  test("of a recorded run: by its folder, after the same updates", () => {
    const geometry = { ...plain, walk: { lr: 1e-6, steps: 3 }, curve: [{ updates: 1 }, { updates: 3 }] };
    const { input, ...result } = recorded([one]);
    const inFolder = { ...result, input: { ...input, weights: "rec/base.safetensors" } };
    expect(runCommandLines({ ...inFolder, geometry: geometry as unknown as Geometry })[0]).toMatch(
      /^precision-lens run rec --geometry --milestones 1,3 --format bf16 /,
    );
  });
});

describe("of recorded runs, by their folder", () => {
  test("a sweep", () => {
    const settings = { ...sweepResult().settings, rate: "scale", overflow: "saturate", seed: 4 } as const;
    const grid = { formats: ["bf16", "e5m2"], rates: [0.1, 1, 10] };
    expect(sweepCommandLines(sweepResult(grid, { settings }))).toEqual([
      "precision-lens sweep run --format bf16,e5m2 --scheme in-place,master --rounding nearest-even --scale 0.1,1,10 " +
        "--seed 4 --overflow saturate --learns 0.5 --keeps 0.99",
    ]);
  });

  test("a prediction", () => {
    const { input } = predictionResult();
    const inside = { ...input, weights: "my run\\base.safetensors" };
    expect(
      [input, inside, { ...input, weights: "base" }].map((source) =>
        predictionCommandLine(predictionResult({ input: source })),
      ),
    ).toEqual(
      ["run", "'my run'", "."].map(
        (folder) =>
          `precision-lens predict ${folder} --lr 1e-6 --betas 0.9,0.999 --eps 1e-8 --weight-decay 0 --format bf16`,
      ),
    );
  });
});
