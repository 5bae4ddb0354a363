import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { visibleWidth } from "../../src/report/columns.js";
import { Captured, call, output } from "../support/cli.js";
import { sized } from "../support/tier.js";

/** Every command on terminals of 60 and 80 columns: nothing is cut, and the same is told at every width. */

const folder = mkdtempSync(join(tmpdir(), "precision-lens-widths-"));
const run = join(folder, "run");
const small = [
  "--elements",
  sized({ quick: "256", full: "1024" }),
  "--steps",
  sized({ quick: "2", full: "4" }),
];

beforeAll(async () => {
  await output("demo", "--write", run, "--quiet");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const commands: readonly (readonly string[])[] = [
  ["demo"],
  ["run", run, "--scheme", "in-place,two-term", "--rounding", "nearest-even,stochastic"],
  ["run", run, "--scheme", "in-place"],
  ["check", run, "--scheme", "in-place"],
  ["sweep", run],
  ["diff", run, run],
  ["diff", join(run, "base.safetensors"), join(run, "final-fp32.safetensors"), "--view", "bf16"],
  ["inspect", join(run, "base.safetensors"), "--as", "mxfp8-e4m3,nvfp4"],
  ["explain", "0.02", "1e-6"],
  ["explain", "0.02", "1e-6", "--rounding", "stochastic", "--scheme", "kahan"],
  ["explain", "0.02", "1e-6", "--format", "mxfp4", "--amax", "0.1"],
  ["simulate", ...small],
  ["simulate", "--model", "qwen2.5-0.5b", ...small],
  ["simulate", "--recipe", "master,kahan", ...small],
  ["predict", ...small],
  // Its self-checks take seconds, at either width.
  ...sized({ quick: [], full: [["doctor"]] }),
];

/** What a terminal of so many columns shows. */
async function shown(columns: number, ...args: readonly string[]): Promise<string> {
  const [out, err] = [new Captured(columns), new Captured(columns)];
  await call(args, { out, err, env: { NO_COLOR: "1" } });
  // Progress is gone when a command ends.
  return out.text;
}

/** Words, each once: of numbers, labels, headings, and of sentences. */
function words(text: string): Set<string> {
  return new Set(text.split(/[^\p{L}\p{N}.%|<>/+-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)));
}

describe("on a terminal", () => {
  test.each(commands.map((args) => [args.map((arg) => arg.replace(folder, "")).join(" "), args] as const))(
    "of 60 columns %s tells what it tells on one of 80, and nothing is cut",
    async (_, args) => {
      const [narrow, wide] = [await shown(60, ...args), await shown(80, ...args)];
      for (const [text, columns] of [
        [narrow, 60],
        [wide, 80],
      ] as const) {
        const tooWide = text.split("\n").filter((line) => visibleWidth(line) > columns && line.includes(" "));
        expect(tooWide).toEqual([]);
      }
      expect([...words(wide)].filter((word) => !words(narrow).has(word))).toEqual([]);
      expect([...words(narrow)].filter((word) => !words(wide).has(word))).toEqual([]);
    },
  );

  test.each(["", "run", "diff", "simulate", "vectors", "check"])(
    "the help of %s fits 60 columns",
    async (name) => {
      const out = new Captured(60);
      expect(
        await call(["help", ...(name === "" ? [] : [name])], { out, err: new Captured(60), env: {} }),
      ).toBe(0);
      expect(Math.max(...out.text.split("\n").map(visibleWidth))).toBeLessThanOrEqual(60);
    },
  );

  test("a sentence of an error is broken between its words, and in a pipe it is one line", async () => {
    const missing = join(folder, "missing");
    const err = new Captured(60);
    expect(await call(["run", missing], { out: new Captured(60), err, env: {} })).toBe(2);
    const lines = err.text.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join(" ")).toBe(
      `precision-lens: ${missing}: expected the folder of a recorded run, found nothing there`,
    );
  });

  test("bars have a legend, and without room for bars no glyph is explained", async () => {
    expect(await shown(80, "demo")).toMatch(/█ moved, [^▒]*▒ kept,[^░]*░ lost,/u);
    expect(await shown(60, "demo")).not.toMatch(/[█▒░]/u);
  });

  test("no kept where nothing can keep an update", async () => {
    const text = await shown(80, "run", run, "--scheme", "in-place");
    expect(text).not.toMatch(/\bkept\b|▒/u);
    expect(text).toContain("░ lost");
  });
});

test("simulate alone takes a preset, and says which", async () => {
  const [out, err] = [new Captured(), new Captured()];
  expect(await call(["simulate", "--elements", "64", "--json", "-"], { out, err, env: {} })).toBe(0);
  expect(err.text).toBe(
    "precision-lens: no --preset or --steps: taken as --preset rlvr, 300 steps, a learning rate of 1e-6\n",
  );
  const { input } = JSON.parse(out.text);
  expect(input).toMatchObject({ elements: 64, synthetic: { preset: "rlvr" } });
  expect(input.stepNumbers).toHaveLength(300);
});
