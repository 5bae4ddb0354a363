import { signal } from "@preact/signals";
import { compute } from "../compute/client.js";
import { RemoteError } from "../compute/rpc.js";
import type { CaseFrame, Frame } from "./frame.js";
import type { PictureInks, Span } from "./paint.js";
import type { EngineInUse, RunSettings } from "./run.js";

/** The worker's time per frame in milliseconds: 30 frames per second are smooth, and controls respond at once. */
const longest = 1000 / 34;
/** The maximum number of steps between two frames. */
const mostSteps = 32;

/** Plays a run: requests the next frame once the last one has arrived and its time has come. */
export class Player {
  readonly frame = signal<Frame | null>(null);
  readonly engine = signal<EngineInUse | null>(null);
  readonly playing = signal(false);
  readonly error = signal<string | null>(null);
  /** The current number of steps per second. */
  readonly rate = signal(0);
  /** The requested number of steps per second. */
  pace = 30;
  /** The step to stop at. */
  until = Infinity;

  readonly #inks: () => PictureInks;
  readonly #span: () => Span;
  /** Incremented with each run, to discard frames of an old one. */
  #run = 0;
  #spare: ArrayBuffer[] = [];
  #busy = false;
  #owed = 0;
  #last = 0;
  /** The number of steps that currently fit into {@link longest}. */
  #most = 1;
  #shown: number[] = [];

  constructor(inks: () => PictureInks, span: () => Span) {
    this.#inks = inks;
    this.#span = span;
  }

  /**
   * Starts a run and shows its start; then plays it, or runs to a step at full speed and stops there.
   *
   * @returns whether this run is the current one and found no GPU.
   */
  async open(settings: RunSettings, { play, goTo = 0 }: { play: boolean; goTo?: number }): Promise<boolean> {
    const run = ++this.#run;
    this.playing.value = false;
    this.#spare = [];
    this.#shown = [];
    const failure = await this.#guarded(run, async () => {
      const engine = await compute("open", settings);
      if (run !== this.#run) return;
      this.engine.value = engine;
      await this.#advance(run, 0);
      while (run === this.#run && (this.frame.value?.step ?? 0) < goTo) {
        await this.#advance(run, Math.min(32, goTo - this.frame.value!.step));
      }
      if (run === this.#run && play) this.play();
    });
    return failure instanceof RemoteError && failure.kind === "no-gpu";
  }

  play(): void {
    if (this.playing.value) return;
    this.playing.value = true;
    this.#owed = 1;
    this.#last = performance.now();
    requestAnimationFrame(this.#tick);
  }

  pause(): void {
    this.playing.value = false;
  }

  /** Runs some steps at once. */
  async step(steps: number): Promise<void> {
    this.pause();
    const run = this.#run;
    await this.#guarded(run, () => this.#advance(run, steps));
  }

  /** Repaints the current state. Reads signals with peek(), so that effects which call this do not depend on them. */
  repaint(): void {
    const run = this.#run;
    if (this.frame.peek() && !this.playing.peek()) void this.#guarded(run, () => this.#advance(run, 0));
  }

  /** Ends the run. */
  close(): void {
    this.#run += 1;
    this.playing.value = false;
  }

  readonly #tick = (): void => {
    if (!this.playing.value) return;
    requestAnimationFrame(this.#tick);
    this.#next();
  };

  /** Requests the next frame if it is time. */
  #next(): void {
    const now = performance.now();
    this.#owed = Math.min(this.#most, this.#owed + ((now - this.#last) * this.pace) / 1000);
    this.#last = now;
    const left = this.until - (this.frame.value?.step ?? 0);
    if (left <= 0) this.pause();
    if (left <= 0 || this.#busy || this.#owed < 1) return;
    const steps = Math.min(left, Math.floor(this.#owed));
    this.#owed -= steps;
    const run = this.#run;
    void this.#guarded(run, () => this.#advance(run, steps));
  }

  async #advance(run: number, steps: number): Promise<void> {
    this.#busy = true;
    const began = performance.now();
    const spare = this.#spare;
    this.#spare = [];
    const request = { steps, span: this.#span(), inks: this.#inks(), spare };
    const frame = await compute("frame", request, spare).finally(() => {
      this.#busy = false;
    });
    if (run !== this.#run) return;
    this.#measure(steps, performance.now() - began);
    // The pixels of the previous frame have been drawn and can be reused.
    this.#spare =
      this.frame.value?.cases.length === frame.cases.length ? pixelsOf(this.frame.value.cases) : [];
    if (this.#spare.some((buffer) => buffer.byteLength !== frame.cases[0].pixels.byteLength))
      this.#spare = [];
    this.frame.value = frame;
    // Now and not at the next tick, until which the worker would be idle, a third of its time.
    if (this.playing.value) this.#next();
  }

  #measure(steps: number, took: number): void {
    const now = performance.now();
    if (steps > 0) this.#most = Math.max(1, Math.min(mostSteps, Math.floor((longest * steps) / took)));
    for (let i = 0; i < steps; i++) this.#shown.push(now);
    while (this.#shown[0] < now - 1000) this.#shown.shift();
    this.rate.value = this.#shown.length;
  }

  /** @returns the error; null if there is none, or if this run is no longer the current one. */
  async #guarded(run: number, work: () => Promise<void>): Promise<unknown> {
    try {
      await work();
      if (run === this.#run) this.error.value = null;
      return null;
    } catch (error) {
      if (run !== this.#run) return null;
      this.playing.value = false;
      this.error.value = error instanceof Error ? error.message : String(error);
      return error;
    }
  }
}

function pixelsOf(cases: readonly CaseFrame[]): ArrayBuffer[] {
  return cases.map(({ pixels }) => pixels);
}
