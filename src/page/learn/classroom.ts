import { signal } from "@preact/signals";
import { compute, learnBase, learnTeacher } from "../compute/client.js";
import type { DuelFrame, DuelOutcome, DuelSettings } from "./duel.js";
import { lastStep } from "./state.js";

/** The worker's time per frame in milliseconds: the curves are updated ten times per second. */
const longest = 90;

/** Steps between frames if the system asks for reduced motion. */
export const stillEvery = 50;

/** Whether the system asks for reduced motion. */
export const calm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Trains the two models at full speed until the last step. */
export class Classroom {
  readonly frame = signal<DuelFrame | null>(null);
  /** The rewards of all steps so far, of each model. */
  readonly rewards = signal<readonly [readonly number[], readonly number[]]>([[], []]);
  readonly outcome = signal<DuelOutcome | null>(null);
  readonly playing = signal(false);
  readonly error = signal<string | null>(null);
  /** The current number of steps of both models per second. */
  readonly rate = signal(0);
  /** Incremented with each run, to discard frames of an old one. */
  #run = 0;
  #loop: Promise<void> = Promise.resolve();
  /** @param between steps between frames; 1: as many as fit in a tenth of a second. */
  constructor(readonly between = calm() ? stillEvery : 1) {}

  /** Begins a run from the base. */
  async open(settings: DuelSettings, play: boolean): Promise<void> {
    const run = ++this.#run;
    this.playing.value = false;
    this.frame.value = null;
    this.rewards.value = [[], []];
    this.outcome.value = null;
    this.error.value = null;
    await this.#guarded(run, async () => {
      const teacher = settings.run === "opd" ? await learnTeacher() : null;
      const base = await learnBase();
      // A later run may have its models first, and must not be replaced by this one.
      if (run !== this.#run) return;
      await compute("learnOpen", { settings, base, teacher });
      const frame = await compute("learnAdvance", 0);
      if (run !== this.#run) return;
      this.frame.value = frame;
      if (play) this.play();
    });
  }

  play(): void {
    if (this.playing.value) return;
    this.playing.value = true;
    const run = this.#run;
    // After a brief pause, wait for the previous loop to end.
    this.#loop = this.#loop.then(() => this.#guarded(run, () => this.#play(run)));
  }

  pause(): void {
    this.playing.value = false;
  }

  close(): void {
    this.#run += 1;
    this.playing.value = false;
  }

  async #play(run: number): Promise<void> {
    let steps = 1;
    let step = this.frame.value?.step ?? 0;
    let [chosen, master] = this.rewards.value;
    while (run === this.#run && this.playing.value && step < lastStep) {
      const toPicture = this.between - (step % this.between);
      const most = this.between === 1 ? lastStep - step : toPicture;
      const asked = Math.min(most, steps);
      const began = performance.now();
      const frame = await compute("learnAdvance", asked);
      const took = performance.now() - began;
      if (run !== this.#run) return;
      steps = Math.max(1, Math.min(10, Math.floor((longest * asked) / took)));
      step = frame.step;
      const [c, m] = frame.learners;
      chosen = [...chosen, ...c.rewards];
      master = [...master, ...m.rewards];
      // A pause shows its step immediately.
      if (asked < toPicture && this.between > 1 && this.playing.value) continue;
      this.rate.value = Math.round((1000 * asked) / took);
      this.rewards.value = [chosen, master];
      this.frame.value = frame;
      if (step === lastStep) this.outcome.value = await compute("learnOutcome", null);
    }
    if (run === this.#run) this.playing.value = false;
  }

  async #guarded(run: number, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (run !== this.#run) return;
      this.playing.value = false;
      this.error.value = error instanceof Error ? error.message : String(error);
    }
  }
}
