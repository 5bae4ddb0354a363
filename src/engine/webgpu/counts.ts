import type { WebGpuSettings } from "./admission.js";
import { binClasses, binsOf, endRowWords, stepRowWords } from "./layout.js";

export interface CountsSize {
  readonly pieces: number;
  readonly steps: number;
  readonly milestones: number;
  /** The maximum number of words for rows of steps. */
  readonly stepWords: number;
}

/** The layout of the counts of a batch in the device's buffer, in words. */
export class CountsLayout {
  /** The offsets of histograms, which follow the rows of milestones and ends of all cases and pieces. */
  readonly histograms: readonly number[];
  /** The offset of the rows of steps, and the number of steps that they have room for. */
  readonly steps: number;
  readonly stepsAtOnce: number;
  readonly words: number;
  readonly #pieces: number;
  readonly #comparisons: number;
  /** The words of a step's row of each case; of the rows of all cases before it, and of all cases. */
  readonly rowWords: readonly number[];
  readonly #rowsBefore: readonly number[];
  readonly #stepWords: number;

  constructor(cases: readonly WebGpuSettings[], { pieces, steps, milestones, stepWords }: CountsSize) {
    this.#pieces = pieces;
    this.#comparisons = milestones + 1;
    this.rowWords = cases.map(stepRowWords);
    this.#rowsBefore = this.rowWords.map((_, c) => sumOf(this.rowWords.slice(0, c)));
    this.#stepWords = sumOf(this.rowWords);
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
    return (ofCase * this.#comparisons + comparison) * this.#pieces * endRowWords;
  }

  /** The rows of pieces of a step. */
  step(ofCase: number, step: number): number {
    const before = (step % this.stepsAtOnce) * this.#stepWords + this.#rowsBefore[ofCase];
    return this.steps + before * this.#pieces;
  }
}

export function histogramWords(settings: Pick<WebGpuSettings, "format" | "blocks">): number {
  return 2 * binClasses.length * binsOf(settings).count;
}

function sumOf(words: readonly number[]): number {
  return words.reduce((sum, n) => sum + n, 0);
}
