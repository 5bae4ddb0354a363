import { afterEach, describe, expect, test, vi } from "vitest";
import { duration, progressBar, progressLine } from "../../src/cli/progress.js";
import { Captured } from "../support/cli.js";

describe("progressBar", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** What is shown of work of two seconds, a quarter of it before the first call. */
  async function shownOn(output: Captured | null): Promise<string> {
    await import("cli-progress");
    vi.useFakeTimers();
    const { progress, stop } = await progressBar(output);
    progress(10e6, 40e6);
    vi.advanceTimersByTime(1500);
    progress(25e6, 40e6);
    vi.advanceTimersByTime(500);
    progress(40e6, 40e6);
    stop();
    return output?.text ?? "";
  }

  test("tells the rate and what is left on a terminal, gives the cursor back, and is gone", async () => {
    const listeners = process.listenerCount("exit");
    const shown = await shownOn(new Captured(120));
    expect(shown).toContain("62% of 40 million updates, 2 s left, 10/s");
    const [hidden, back] = ["\u001b[?25l", "\u001b[?25h"].map((sequence) => shown.lastIndexOf(sequence));
    expect(hidden).toBeGreaterThan(-1);
    expect(back).toBeGreaterThan(hidden);
    expect(process.listenerCount("exit")).toBe(listeners);
  });

  test.each([40, 60, 80, 120])(
    "has its time left on a terminal of %d columns, and is not cut there",
    (columns) => {
      for (const total of ["0.21", "3000"]) {
        const shown = { progress: 0.5, total, unit: "million updates", rate: "1200", left: "1 h 05 min" };
        const line = progressLine(shown, columns);
        expect(line.length).toBeLessThan(columns);
        expect(line).toContain("50%");
        expect(line).toContain("1 h 05 min left");
        const [bar] = line.split(" ");
        expect(bar.length).toBeGreaterThanOrEqual(10);
        expect(Math.abs(2 * bar.lastIndexOf("\u2588") + 2 - bar.length)).toBeLessThan(2);
      }
    },
  );

  test("is silent in a pipe", async () => {
    expect(await shownOn(new Captured())).toBe("");
    expect(await shownOn(null)).toBe("");
  });

  test("does not show for less than a second", async () => {
    const output = new Captured(120);
    const { progress, stop } = await progressBar(output);
    progress(1, 2);
    progress(2, 2);
    stop();
    expect(output.text).toBe("");
  });
});

test.each([
  [0, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3600, "1 h 00 min"],
  [7 * 3600 + 301, "7 h 05 min"],
  [Infinity, "–"],
  [NaN, "–"],
])("%d seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
