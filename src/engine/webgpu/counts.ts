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
  /** Words of a row of a step of each case; and of the rows of the cases before it, and of all. */
  readonly rowWords: readonly number[];
  readonly #rowsBefore: readonly number[];
  readonly #stepWords: number;

  constructor(cases: readonly LaneSettings[], { pieces, steps, milestones, stepWords }: CountsSize) {
    this.#pieces = pieces;
    this.#comparisons = milestones + 1;
    this.rowWords = cases.map(stepRowWords);
    this.#rowsBefore = this.rowWords.map((_, c) => sumOf(this.rowWords.slice(0, c)));
    this.#stepWords = sumOf(this.rowWords);
    this.ends = 0;
    let at = cases.length * this.#comparisons * pieces * endRowWords;
    this.histograms = cases.map((settings) => {
      const own = at;
      at += pieces * histogramWords(settings);
      return own;
    });
    this.steps = at;
    const perStep = pieces * this.#stepWords;
    this.stepsAtOnce = Math.max(1, Math.min(steps, Math.floor(stepWords / Math.max(1, perStep))));
    this.words = at + this.stepsAtOnce * perStep;
  }

  /** The rows of pieces of a comparison: a milestone, or after them the end. */
  end(ofCase: number, comparison: number): number {
    return this.ends + (ofCase * this.#comparisons + comparison) * this.#pieces * endRowWords;
  }

  /** The rows of pieces of a step. */
  step(ofCase: number, step: number): number {
    const before = (step % this.stepsAtOnce) * this.#stepWords + this.#rowsBefore[ofCase];
    return this.steps + before * this.#pieces;
  }
}

export function histogramWords(settings: Pick<LaneSettings, "format">): number {
  return 2 * binClasses.length * binsOf(settings).count;
}

function sumOf(words: readonly number[]): number {
  return words.reduce((sum, n) => sum + n, 0);
}
