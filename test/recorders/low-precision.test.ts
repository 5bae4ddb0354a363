import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../src/source/checkpoint.js";
import { temporaryFolder } from "../source/support.js";
import { output, run } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { sized } from "../support/tier.js";
import { bitsIn, bitsOf, type State, type Trained, train } from "./support.js";

const folder = temporaryFolder();

/** Options of the scenario `one` of train.py. */
interface OneMatrix {
  readonly kind?: string;
  readonly dtype?: string;
  readonly steps: number;
  readonly lr: number;
  readonly momentum?: number;
  readonly betas?: readonly number[];
  readonly decay?: number;
  readonly root?: "off";
}

type Replayed = readonly [what: string, options: OneMatrix];

describeNeeding(requirements.torch, "a recorded training of parameters in less than fp32", () => {
  describe("bf16 with norms in fp32", () => {
    const recording = join(folder, "mixed");
    let trained: Trained;
    beforeAll(async () => {
      trained = await train("train", recording, { dtype: "bfloat16", gradients: true });
    });
    const ofDtype = (state: State, dtype: string) =>
      Object.keys(state).filter((name) => state[name].dtype === dtype);

    test("the bits before and after each step are those that torch held", () => {
      const { states, recorded } = trained;
      const low = ofDtype(states[0], "bfloat16");
      expect(low).toHaveLength(9);
      expect(bitsIn(join(recording, "base.safetensors"))).toEqual(bitsOf(states[0]));
      expect(readdirSync(join(recording, "after"))).toHaveLength(recorded.length);
      for (const step of recorded) {
        expect(bitsIn(join(recording, "after", `step000${step}.safetensors`))).toEqual(
          bitsOf(states[step + 1], low),
        );
      }
      expect(bitsIn(join(recording, "final.safetensors"))).toEqual(bitsOf(states[6]));
    });

    test("base and after are checkpoints of their own dtypes", async () => {
      for (const file of ["base.safetensors", "after/step0003.safetensors", "final.safetensors"]) {
        const checkpoint = await openCheckpoint(join(recording, file));
        const { dtype, shape } = checkpoint.tensors.get("body.0.weight")!;
        await checkpoint.close();
        expect([dtype.name, shape]).toEqual(["BF16", [96, 24]]);
      }
    });

    test("updates are known of the fp32 parameters only, and run says so of the others", async () => {
      const { input, skipped } = JSON.parse(await output("run", recording, "--quiet", "--json", "-"));
      expect(input.tensors).toBe(2);
      expect(skipped.map(({ reason }: { reason: string }) => reason)).toEqual(
        ofDtype(trained.end, "bfloat16").map(() => "has no updates"),
      );
    });

    test("a parameter that had no gradient at a step has none in the file, and run says so", async () => {
      const args = ["--optimizer", "adamw", "--quiet", "--json", "-"];
      const { skipped } = JSON.parse(await output("run", recording, ...args));
      expect(skipped).toEqual([
        { name: "frozen", reason: "has no gradients", elements: 12 },
        {
          name: "sometimes.weight",
          reason: "has gradients for 3 of 6 steps, none for step 1",
          elements: 576,
        },
      ]);
    });
  });

  test("of bf16 alone nothing is called an update", async () => {
    const recording = join(folder, "alone");
    await train("one", recording);
    expect(existsSync(join(recording, "updates"))).toBe(false);
    const { status, stderr } = await run(["run", recording]);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(
        /expected updates\.safetensors, .*found only gradients, from which run --optimizer computes/,
      ),
    ]);
  });

  // Numbers of few bits, so that torch's releases, which fuse and order these operations differently, agree.
  describe("computed again from its gradients, ends with the very bits that torch holds", () => {
    const few = { steps: 10, lr: 2 ** -7, momentum: 0.875 };
    const first = { kind: "adamw", steps: 1, lr: 2 ** -10, betas: [0.5, 0.75] };
    const usual = { kind: "adamw", dtype: "float32", steps: 1, lr: 1e-3, betas: [0.9, 0.999], decay: 0.1 };
    const fundamental: readonly Replayed[] = [
      [
        "AdamW, fp32, its first step, by a torch whose square root is off in places",
        { ...usual, root: "off" },
      ],
      ["SGD with momentum and decay, bf16, ten steps", { ...few, decay: 2 ** -4 }],
      ["AdamW, bf16, its first step", first],
    ];
    const others: readonly Replayed[] = [
      ["SGD with momentum, bf16, ten steps", { ...few }],
      ["SGD with momentum, fp32, ten steps", { ...few, dtype: "float32" }],
      ["AdamW, fp32, its first step at usual settings", usual],
    ];
    test.each(sized({ quick: fundamental, full: [...fundamental, ...others] }))(
      "%s",
      async (what, matrix) => {
        const recording = join(folder, what);
        const { end, gradients, wrong_roots } = await train<{
          end: State;
          gradients: string[];
          wrong_roots: number[];
        }>("one", recording, matrix);
        const stored = gradients.map(
          (_, step) => bitsIn(join(recording, "gradients", `step000${step}.safetensors`))[`step000${step}/p`],
        );
        expect(stored).toEqual(gradients);
        const { kind = "sgd", dtype, lr, momentum = 0, betas = [momentum, 0.9], decay = 0 } = matrix;
        const written = join(folder, `${what}.safetensors`);
        await output(
          ...["run", recording, "--optimizer", kind, "--recipe", "torch-2.13-cpu-for-loop"],
          ...[
            "--format",
            dtype === "float32" ? "fp32" : "bf16",
            "--lr",
            `${lr}`,
            "--weight-decay",
            `${decay}`,
          ],
          ...["--betas", betas.join(), "--quiet", "--write-weights", written],
        );
        // Torch's own fp32 root is not everywhere the correctly rounded one: those elements, and no others, may differ.
        const words = (bits: string) =>
          matrix.dtype === "float32" ? bits.match(/.{8}/g)! : bits.match(/.{4}/g)!;
        const [ours, theirs] = [words(bitsIn(written).p), words(bitsOf(end).p)];
        const apart = ours.flatMap((word, i) => (word === theirs[i] ? [] : [i]));
        expect(ours).toHaveLength(theirs.length);
        expect(apart.filter((i) => !wrong_roots.includes(i))).toEqual([]);
        expect(wrong_roots.length).toBeLessThan(ours.length / 3);
        if (matrix.root === "off") expect(apart.length).toBeGreaterThan(0);
        expect(bitsIn(join(recording, "base.safetensors"))).not.toEqual(bitsOf(end));
      },
    );
  });
});
