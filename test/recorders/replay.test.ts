import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { output } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { sized } from "../support/tier.js";
import {
  bitsIn,
  bitsOf,
  differing,
  float32,
  metadataOf,
  type State,
  type Trained,
  train,
} from "./support.js";

const folder = temporaryFolder();

/** The parameters that the optimizers of the trainings have, all in fp32. */
const names = (state: State) => Object.keys(state);

async function replayed(run: string, format: string, scheme: string): Promise<Record<string, string>> {
  const end = join(folder, `${run}-${format}.safetensors`);
  const options = ["--format", format, "--scheme", scheme, "--strict", "--quiet", "--write-weights", end];
  await output("run", join(folder, run), ...options);
  return bitsIn(end);
}

/** What the recording says of a step. */
function toldOf(run: string, step: number): { unreachable: number; changed_outside: number } {
  const name = `step${String(step).padStart(4, "0")}`;
  const file = readFileSync(join(folder, run, "updates", `${name}.safetensors`));
  return JSON.parse(metadataOf(file)[name]);
}

/** The updates of a step by weight. */
function updatesOf(run: string, step: number): Record<string, Float32Array> {
  const name = `step${String(step).padStart(4, "0")}`;
  const updates = bitsIn(join(folder, run, "updates", `${name}.safetensors`));
  return Object.fromEntries(Object.entries(updates).map(([key, hex]) => [key.slice(9), float32(hex)]));
}

/** The weights after an update, in fp32. */
function added(weights: Float32Array, updates: Float32Array): Float32Array {
  return weights.map((weight, i) => Math.fround(weight + updates[i]));
}

const hex = (numbers: Float32Array) => Buffer.from(numbers.buffer).toString("hex");

function totalDiffering(a: Record<string, string>, b: Record<string, string>): number {
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  return Object.keys(a).reduce((sum, name) => sum + differing(a[name], b[name]), 0);
}

type Training = readonly [run: string, options: object];

describeNeeding(requirements.torch, "a recorded training, replayed", () => {
  describe("ends with the very bits that torch holds", () => {
    // Each with two groups of learning rates, a scheduler, tied, frozen, empty and 0-d parameters, and gradients
    // that are missing at times.
    const fundamental: readonly Training[] = [
      ["adamw", { kind: "adamw", lr: 1e-5 }],
      // Torch adds lr * momentum by one fused operation; times a power of two that is an addition.
      ["sgd", { kind: "sgd", lr: 2 ** -10 }],
    ];
    const others: readonly Training[] = [
      ["adamw-foreach", { kind: "adamw-foreach", lr: 1e-5 }],
      ["adamw-100-times-as-fast", { kind: "adamw", lr: 1e-3 }],
      ["amsgrad", { kind: "amsgrad", lr: 1e-2 }],
      ["held-on-disk", { kind: "adamw", lr: 1e-5, copies: "disk" }],
      ["held-beside", { kind: "adamw", lr: 1e-5, copies: "device" }],
    ];
    test.each(sized({ quick: fundamental, full: [...fundamental, ...others] }))(
      "%s",
      async (run, options) => {
        const { end, bf16, recorded } = await train("train", join(folder, run), options);
        expect(recorded).toEqual([0, 1, 2, 3, 4, 5]);
        expect(toldOf(run, 5)).toEqual({ unreachable: 0, changed_outside: 0 });
        expect(names(end)).toHaveLength(11);
        expect(await replayed(run, "fp32", "in-place")).toEqual(bitsOf(end));
        expect(await replayed(run, "bf16", "master")).toEqual(bitsOf(bf16));
        expect(bitsIn(join(folder, run, "final.safetensors"))).toEqual(bitsOf(end));
      },
    );
  });

  describe("step by step", () => {
    let trained: Trained;
    beforeAll(async () => {
      trained = await train("train", join(folder, "steps"), { kind: "adamw", lr: 1e-5 });
    });

    test("every state is torch's", () => {
      const { states } = trained;
      expect(bitsIn(join(folder, "steps", "base.safetensors"))).toEqual(bitsOf(states[0]));
      for (const step of trained.recorded) {
        const updates = updatesOf("steps", step);
        for (const name of names(states[step])) {
          const after = added(float32(states[step][name].bits), updates[name]);
          expect(hex(after), `${name} after step ${step}`).toBe(states[step + 1][name].bits);
        }
      }
    });

    test("an update is zero where the weight did not move, and only there", () => {
      let [zeros, others] = [0, 0];
      for (const step of trained.recorded) {
        for (const [name, updates] of Object.entries(updatesOf("steps", step))) {
          const [before, after] = [0, 1].map((i) => float32(trained.states[step + i][name].bits));
          const wrong = updates.filter((update, i) => (update === 0) !== (before[i] === after[i]));
          expect(wrong, name).toHaveLength(0);
          zeros += updates.filter((update) => update === 0).length;
          others += updates.filter((update) => update !== 0).length;
        }
      }
      expect(zeros).toBeGreaterThan(1000);
      expect(others).toBeGreaterThan(10000);
    });

    test("what had no gradient has updates of zero", () => {
      const all = trained.recorded.map((step) => updatesOf("steps", step));
      const moved = (name: string) => all.map((updates) => updates[name].some((update) => update !== 0));
      expect(moved("frozen")).toEqual([false, false, false, false, false, false]);
      expect(moved("sometimes.weight")).toEqual([true, false, true, false, true, false]);
      expect(moved("scale")).toEqual([true, true, true, true, true, true]);
    });

    test("the files tell the settings, those of each step its own", () => {
      const metadata = (file: string) => metadataOf(readFileSync(join(folder, "steps", file)));
      const first = metadata("updates/step0000.safetensors");
      expect(first).toMatchObject({
        recorder: "precision-lens 1",
        optimizer: expect.stringMatching(/^torch\.optim\..*AdamW$/),
        optimizer_state_at_start: "empty",
        rank: "0 of 1",
        run: "adamw",
        tied: "{}",
        torch: expect.stringMatching(/^\d+\.\d+/),
      });
      const rates = trained.recorded.map((step) =>
        JSON.parse(metadata(`updates/step000${step}.safetensors`).groups).map(({ lr }: { lr: number }) => lr),
      );
      expect(rates.map(([lr]) => lr)).toEqual([1e-5, 1e-5, 5e-6, 5e-6, 2.5e-6, 2.5e-6]);
      expect(rates.map(([, lr]) => lr)).toEqual([2.5e-6, 2.5e-6, 1.25e-6, 1.25e-6, 6.25e-7, 6.25e-7]);
      expect(JSON.parse(first.groups)[0]).toMatchObject({
        betas: [0.9, 0.999],
        eps: 1e-8,
        weight_decay: 0.01,
      });
      expect(JSON.parse(first.parameters_by_group)[1]).toContain("norm.weight");
      expect(metadata("base.safetensors").before).toBe("step0000");
      expect(metadata("final.safetensors").after).toBe("step0005");
    });
  });

  describe("where no fp32 update leads to a weight", () => {
    // Steps of two roundings (decay, then addition), of twenty additions, or of a product that is not rounded.
    const harsh: readonly [...Training, number][] = [
      ["adamw-harsh", { kind: "adamw", lr: 0.3, decay: 0.5 }, 500],
      ["sgd-fused", { kind: "sgd", lr: 1e-3 }, 3],
    ];
    const slow: typeof harsh = [["lbfgs", { kind: "lbfgs", lr: 1e-2 }, 20]];
    test.each(sized({ quick: harsh, full: [...harsh, ...slow] }))(
      "%s: these are counted, they alone differ, and are made up for afterwards",
      async (run, options, most) => {
        const { states, recorded } = await train("train", join(folder, run), options);
        let state = bitsIn(join(folder, run, "base.safetensors"));
        const missed: number[] = [];
        for (const step of recorded) {
          const updates = updatesOf(run, step);
          const before = state;
          state = Object.fromEntries(
            Object.keys(state).map((name) => [name, hex(added(float32(state[name]), updates[name]))]),
          );
          const truth = bitsOf(states[step + 1], Object.keys(state));
          missed.push(totalDiffering(state, truth));
          expect(missed.at(-1)).toBe(toldOf(run, step).unreachable);
          for (const name of Object.keys(state)) {
            const [from, to, is] = [before[name], truth[name], state[name]].map(float32);
            for (let i = 0; i < is.length; i++) {
              // Half a gap around the difference for the update, and the sum goes no farther than once more that.
              const gap = 2 ** (Math.floor(Math.log2(Math.abs(to[i] - from[i]))) - 23);
              if (is[i] !== to[i]) expect(Math.abs(is[i] - to[i])).toBeLessThanOrEqual(gap);
            }
          }
        }
        expect(Math.max(...missed)).toBeGreaterThan(most);
        expect(missed.at(-1)).toBeLessThan(Math.max(...missed));
      },
    );
  });

  test("a window in the midst of a training starts from the weights before it", async () => {
    const run = join(folder, "window");
    const { states, recorded } = await train("train", run, { kind: "adamw", lr: 1e-5, window: [2, 5] });
    expect(recorded).toEqual([2, 3, 4]);
    expect(bitsIn(join(run, "base.safetensors"))).toEqual(bitsOf(states[2]));
    expect(bitsIn(join(run, "final.safetensors"))).toEqual(bitsOf(states[5]));
    expect(metadataOf(readFileSync(join(run, "base.safetensors"))).optimizer_state_at_start).toBe(
      "not empty",
    );
    expect(await replayed("window", "fp32", "in-place")).toEqual(bitsOf(states[5]));
    const { input } = JSON.parse(await output("run", run, "--json", "-"));
    expect(input.stepNumbers).toEqual([2, 3, 4]);
  });

  test("only the chosen parameters are written", async () => {
    const run = join(folder, "chosen");
    const { end } = await train("train", run, { parameters: ["body.*.weight", "scale"] });
    const chosen = ["body.0.weight", "body.2.weight", "scale"];
    expect(await replayed("chosen", "fp32", "in-place")).toEqual(bitsOf(end, chosen));
  });

  test("weights that are changed between steps: told, counted, and replayed", async () => {
    const run = join(folder, "clamped");
    const options = { kind: "adamw", lr: 1e-3, clamp: 0.2 };
    const { states } = await train("train", run, options, { lenient: true });
    const outside = [0, 1, 2, 3, 4, 5].map((step) => toldOf("clamped", step).changed_outside);
    expect(outside[0]).toBe(0);
    expect(outside[1]).toBeGreaterThan(100);
    await expect(train("train", join(folder, "refused"), options)).rejects.toThrow(
      /RuntimeWarning: precision-lens: \d+ weights changed outside of optimizer\.step\(\) before step 1/,
    );
    // The last state was taken before it was clamped too.
    const last = toldOf("clamped", 5).unreachable;
    expect(totalDiffering(await replayed("clamped", "fp32", "in-place"), bitsOf(states[6]))).toBe(last);
  });
});
