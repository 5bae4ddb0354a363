import type { LaneSettings } from "../lane/refusal.js";
import { binClasses, binsOf, endRowWords, stepRowWords } from "./layout.js";

export interface CountsSize {
  readonly pieces: number;
  readonly steps: number;
  readonly milestones: number;
  /** Most words of the rows of steps. */
  readonly stepWords: number;
}

/** Where the counts of a batch lie in the device's buffer, in words. */
export class CountsLayout {
  /** Rows of milestones and of the end, each of so many cases and pieces; then histograms. */
  readonly ends: number;
  readonly histograms: readonly number[];
  /** Rows of steps, of so many at once. */
  readonly steps: number;
  readonly stepsAtOnce: number;
  readonly words: number;
  readonly #pieces: number;
  readonly #comparisons: number;
  readonly #cases: number;
  /** Words of a row of a step: alike for all cases, which are all schemes or all recipes. */
  readonly rowWords: number;

  constructor(cases: readonly LaneSettings[], { pieces, steps, milestones, stepWords }: CountsSize) {
    this.#pieces = pieces;
    this.#comparisons = milestones + 1;
    this.#cases = cases.length;
    this.rowWords = cases.length === 0 ? 0 : stepRowWords(cases[0]);
    this.ends = 0;
    let at = cases.length * this.#comparisons * pieces * endRowWords;
    this.histograms = cases.map(({ format }) => {
      const own = at;
      at += pieces * histogramWords({ format });
      return own;
    });
    this.steps = at;
    const perStep = cases.length * pieces * this.rowWords;
    this.stepsAtOnce = Math.max(1, Math.min(steps, Math.floor(stepWords / Math.max(1, perStep))));
    this.words = at + this.stepsAtOnce * perStep;
  }

  /** The rows of pieces of a comparison: a milestone, or after them the end. */
  end(ofCase: number, comparison: number): number {
    return this.ends + (ofCase * this.#comparisons + comparison) * this.#pieces * endRowWords;
  }

  /** The rows of pieces of a step. */
  step(ofCase: number, step: number): number {
    const at = (step % this.stepsAtOnce) * this.#cases + ofCase;
    return this.steps + at * this.#pieces * this.rowWords;
  }
}

export function histogramWords({ format }: Pick<LaneSettings, "format">): number {
  return 2 * binClasses.length * binsOf(format).count;
}
