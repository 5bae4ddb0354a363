import type { Case } from "../../lens/run/case.js";
import { LensRun, type RunSettings } from "./lens-run.js";
import { type PictureInks, paintChanges, type Span } from "./paint.js";

/** A request for the frame after more steps. */
export interface FrameRequest {
  readonly steps: number;
  readonly span: Span;
  readonly inks: PictureInks;
  /** Pixel buffers of earlier frames, for reuse. */
  readonly spare: readonly ArrayBuffer[];
}

/** The current state of one case. */
export interface CaseFrame {
  /** The counts of the last step. */
  readonly step: Case;
  readonly run: Case;
  /** RGBA, one pixel per weight. */
  readonly pixels: ArrayBuffer;
}

export interface Frame {
  readonly step: number;
  readonly side: number;
  /** The storages in order, then the fp32 truth. */
  readonly cases: readonly CaseFrame[];
}

/** Advances a run and paints it. */
export class Painter {
  readonly run: LensRun;
  readonly #side: number;
  #start: Float32Array[] = [];
  #before: Float32Array[] = [];

  private constructor(run: LensRun, side: number) {
    this.run = run;
    this.#side = side;
  }

  static async open(settings: RunSettings): Promise<Painter> {
    const painter = new Painter(await LensRun.open(settings), settings.side);
    painter.#start = await painter.#copies();
    painter.#before = painter.#start.map((weights) => weights.slice());
    return painter;
  }

  async frame({ steps, span, inks, spare }: FrameRequest): Promise<Frame> {
    for (let i = 0; i < steps; i++) {
      if (i === steps - 1)
        for (const c of this.#before.keys()) this.#before[c].set(await this.run.weights(c));
      await this.run.advance();
    }
    const counts = await this.run.counts();
    const truth = counts.run.length - 1;
    // The root mean square of the truth gets half of the full colour.
    const norms = { start: displacementNorm(counts.run[truth]), step: counts.step[truth].totals.updateNorm };
    const full = (2 * norms[span]) / this.#side;
    const cases: CaseFrame[] = [];
    for (const c of counts.run.keys()) {
      const before = span === "start" ? this.#start[c] : this.#before[c];
      const pixels = spare[c] ?? new ArrayBuffer(4 * before.length);
      paintChanges(before, await this.run.weights(c), full, inks, new Uint32Array(pixels));
      cases.push({ step: counts.step[c], run: counts.run[c], pixels });
    }
    return { step: this.run.step, side: this.#side, cases };
  }

  async #copies(): Promise<Float32Array[]> {
    const copies: Float32Array[] = [];
    for (const c of this.run.cases.keys()) copies.push((await this.run.weights(c)).slice());
    return copies;
  }
}

/** The displacement norm of the fp32 run. */
function displacementNorm({ end }: Case): number {
  return Math.sqrt(end.sums.displacementSquared.reduce((sum, part) => sum + part, 0));
}
