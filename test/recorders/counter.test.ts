import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { classes } from "../../src/lens/classify.js";
import type { Result } from "../../src/lens/run/result.js";
import { temporaryFolder } from "../source/support.js";
import { output } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { expectValid } from "../support/schemas.js";
import { sized } from "../support/tier.js";
import { train } from "./support.js";

const folder = temporaryFolder();

interface Counts extends Readonly<Record<string, number | null>> {}

/** A line that the counter writes. */
interface Line {
  readonly step: number;
  readonly lr: readonly number[];
  readonly elements: number;
  readonly unreachable: number;
  readonly changedOutside: number;
  readonly notCounted: Readonly<Record<string, number>>;
  readonly cases: readonly (Counts & {
    readonly format: string;
    readonly scheme: string;
    readonly by?: Readonly<Record<string, Counts>>;
  })[];
}

const shares = ["realSparsity", "apparentSparsity", "hiddenShare"] as const;

/** Only what both tell, of a step or a tensor. */
const told = (line: object) =>
  Object.fromEntries([...classes, ...shares].map((name) => [name, (line as Counts)[name]]));

async function replayed(run: string): Promise<Result> {
  const options = ["--format", "bf16,fp16", "--scheme", "in-place,master", "--quiet", "--json", "-"];
  return JSON.parse(await output("run", join(folder, run), ...options));
}

/** Expects every class and share of every step and every case to be that of the recording. */
function expectSame(lines: readonly Line[], { cases, input }: Result): void {
  expect(lines.map(({ step }) => step)).toEqual(input.stepNumbers);
  for (const [i, { format, scheme, steps }] of cases.entries()) {
    const counted = lines.map((line) => line.cases[i]);
    expect(counted.map((line) => [line.format, line.scheme])).toEqual(steps.map(() => [format, scheme]));
    expect(counted.map(told), `${format} ${scheme}`).toEqual(steps.map(told));
  }
}

/** How many weight-steps of a class the lines have, in all cases. */
const total = (lines: readonly Line[], name: string) =>
  lines.flatMap(({ cases }) => cases).reduce((sum, counts) => sum + (counts[name] as number), 0);

type Training = readonly [run: string, options: object];

describeNeeding(requirements.torch, "the counter", () => {
  describe("counts every class of every step as run does from the recording of the same steps", () => {
    const fundamental: readonly Training[] = [
      ["adamw", { kind: "adamw", lr: 1e-5 }],
      // Updates that no fp32 number stands for: what is missed goes into the next one.
      ["adamw-harsh", { kind: "adamw", lr: 0.3, decay: 0.5 }],
      ["clamped", { kind: "adamw", lr: 1e-3, clamp: 0.2 }],
    ];
    const others: readonly Training[] = [
      ["sgd", { kind: "sgd", lr: 1e-3 }],
      ["window", { kind: "adamw", lr: 1e-6, window: [2, 5] }],
      ["mixed", { kind: "adamw", lr: 1e-5, dtype: "bfloat16" }],
      ["lbfgs", { kind: "lbfgs", lr: 1e-2 }],
    ];
    test.each(sized({ quick: fundamental, full: [...fundamental, ...others] }))(
      "%s",
      async (run, options) => {
        const counting = { formats: ["bf16", "fp16"], by: "name" };
        const trained = { ...options, counting };
        const { lines } = await train<{ lines: Line[] }>("train", join(folder, run), trained, {
          lenient: run === "clamped",
        });
        const result = await replayed(run);
        expectSame(lines, result);
        for (const line of lines) expectValid("counts", line);
        for (const [i, { tensors }] of result.cases.entries()) {
          for (const { name, totals } of tensors) {
            for (const className of classes) {
              const counts = lines.map(({ cases }) => cases[i].by![name][className] as number);
              expect(
                counts.reduce((a, b) => a + b),
                `${name} ${className}`,
              ).toBe(totals[className]);
            }
          }
        }
        expect(lines[0].elements).toBe(result.input.elements);
        if (run === "adamw-harsh")
          expect(Math.max(...lines.map((line) => line.unreachable))).toBeGreaterThan(500);
        if (run === "clamped") expect(lines[1].changedOutside).toBeGreaterThan(100);
        if (run === "adamw") {
          expect(lines.map(({ lr }) => lr[1])).toEqual([2.5e-6, 2.5e-6, 1.25e-6, 1.25e-6, 6.25e-7, 6.25e-7]);
          for (const className of classes.slice(0, 4))
            expect(total(lines, className), className).toBeGreaterThan(100);
        }
      },
    );

    test("any bits: NaN, infinities, zeros of both signs, subnormal numbers, ties", async () => {
      const { lines } = await train<{ lines: Line[] }>("hard", join(folder, "hard"));
      expectSame(lines, await replayed("hard"));
      for (const className of classes) expect(total(lines, className), className).toBeGreaterThan(1000);
    });
  });

  test("the line in the README keeps to the schema, and its classes add up", () => {
    const readme = readFileSync(new URL("../../recorders/README.md", import.meta.url), "utf8");
    const line = JSON.parse(/```json\n(\{"schema": "precision-lens-counts[^`]*)```/.exec(readme)![1]) as Line;
    expectValid("counts", line);
    for (const counts of line.cases) {
      expect(classes.reduce((sum, className) => sum + (counts[className] as number), 0)).toBe(line.elements);
    }
  });

  describe("inside Python", () => {
    const names = readFileSync(new URL("counter_test.py", import.meta.url), "utf8")
      .split(/^class /m)
      .slice(1)
      .flatMap((text) =>
        [...text.matchAll(/^ {4}def (test_\w+)/gm)].map(([, name]) => `${/^\w+/.exec(text)![0]}.${name}`),
      );
    let failures: Record<string, string | null>;
    beforeAll(async () => {
      failures = await train("counter_tests", folder, {}, { lenient: true });
    }, 300_000);

    test("every test ran", () => expect(Object.keys(failures).sort()).toEqual([...names].sort()));

    test.each(names)("%s", (name) => expect(failures[name]).toBeNull());
  });
});
