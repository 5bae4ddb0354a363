import type { Case } from "../../lens/run/case.js";
import { CpuRun } from "./cpu-run.js";
import { GpuRun } from "./gpu-run.js";
import type { PictureInks, Span } from "./paint.js";
import type { MatrixRun, RunSettings } from "./run.js";
import { mostOnCpu, pictureSide } from "./sizes.js";

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
  /** RGBA, a square of pixels. */
  readonly pixels: ArrayBuffer;
}

export interface Frame {
  readonly step: number;
  /** Of the matrix. */
  readonly side: number;
  /** The storages in order, then fp32. */
  readonly cases: readonly CaseFrame[];
}

/** Advances a run and paints it. */
export class Painter {
  readonly settings: RunSettings;
  readonly run: MatrixRun;

  private constructor(settings: RunSettings, run: MatrixRun) {
    this.settings = settings;
    this.run = run;
  }

  static async open(settings: RunSettings): Promise<Painter> {
    const run = await (settings.side > mostOnCpu ? GpuRun.open(settings) : CpuRun.open(settings));
    return new Painter(settings, run);
  }

  async frame({ steps, span, inks, spare }: FrameRequest): Promise<Frame> {
    await this.run.advance(steps);
    const counts = await this.run.counts();
    const { side } = this.settings;
    const fp32 = counts.run.length - 1;
    const norms = { start: displacementNorm(counts.run[fp32]), step: counts.step[fp32].totals.updateNorm };
    // The root mean square in fp32 gets half of the full colour.
    const full = (2 * norms[span]) / side;
    const cases: CaseFrame[] = [];
    for (const [c, run] of counts.run.entries()) {
      const pixels = spare[c] ?? new ArrayBuffer(4 * pictureSide(side) ** 2);
      await this.run.paint(c, span, full, inks, new Uint32Array(pixels));
      cases.push({ step: counts.step[c], run, pixels });
    }
    return { step: this.run.step, side, cases };
  }
}

/** The displacement norm of the fp32 run. */
function displacementNorm({ end }: Case): number {
  return Math.sqrt(end.sums.displacementSquared.reduce((sum, part) => sum + part, 0));
}
