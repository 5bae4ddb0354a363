import type { Observer } from "../engine/engine.js";
import { columnsOf, type Output } from "./streams.js";

/** Milliseconds of work after which progress is shown. */
const patience = 1000;

/** The unit shown: its name, and its size in counted items. */
export interface ProgressUnit {
  readonly name: string;
  readonly size: number;
}

const millionUpdates: ProgressUnit = { name: "million updates", size: 1e6 };
export const gigabytes: ProgressUnit = { name: "GB", size: 1e9 };

/**
 * A progress bar with rate and time left, only on a terminal and only for work of over a second. In a resumed run, work
 * done before the first call does not count for rate and time.
 *
 * @param output null for none.
 */
export async function progressBar(
  output: Output | null,
  unit = millionUpdates,
): Promise<Required<Pick<Observer, "progress">> & { stop(): void }> {
  if (!output?.isTTY) return { progress: () => {}, stop: () => {} };
  const { Presets, SingleBar } = await import("cli-progress");
  const began = Date.now();
  const bar = new SingleBar(
    {
      format: (_, { progress, total }, { rate, left }) =>
        progressLine({ progress, total: short(total), unit: unit.name, rate, left }, columnsOf(output)),
      stream: output,
      clearOnComplete: true,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  const stop = () => {
    bar.stop();
    process.off("exit", stop);
  };
  // Restore the cursor if interrupted.
  process.once("exit", stop);
  const inUnits = (n: number) => n / unit.size;
  let atFirst: number | null = null;
  return {
    progress(done, total) {
      atFirst ??= done;
      const milliseconds = Date.now() - began;
      if (milliseconds < patience || (!bar.isActive && done >= total)) return;
      const rate = (1000 * (done - atFirst)) / milliseconds;
      const shown = { rate: short(inUnits(rate)), left: duration((total - done) / rate) };
      if (!bar.isActive) bar.start(inUnits(total), inUnits(done), shown);
      bar.update(inUnits(done), shown);
    },
    stop,
  };
}

interface Shown {
  /** From 0 to 1. */
  readonly progress: number;
  readonly total: string;
  readonly unit: string;
  /** In units per second. */
  readonly rate: string;
  readonly left: string;
}

/**
 * A progress line shorter than the terminal's width. In order of priority: time left, total and rate, a longer bar.
 */
export function progressLine({ progress, total, unit, rate, left }: Shown, columns: number): string {
  const percentage = `${Math.floor(100 * progress)}%`;
  const texts = [
    `${percentage} of ${total} ${unit}, ${left} left, ${rate}/s`,
    `${percentage} of ${total} ${unit}, ${left} left`,
    `${percentage}, ${left} left`,
  ];
  const room = columns - 2;
  const text = texts.find(({ length }) => length + shortestBar <= room) ?? texts[2];
  const width = Math.max(0, Math.min(longestBar, room - text.length));
  const done = Math.round(progress * width);
  return `${"\u2588".repeat(done)}${"\u2591".repeat(width - done)} ${text}`;
}

const shortestBar = 10;
const longestBar = 40;

/** Two digits below ten, integers above: 0.21, 3.4, 1200. */
function short(x: number): string {
  return x < 10 ? String(Number(x.toPrecision(2))) : String(Math.round(x));
}

/** "2 h 05 min", "3 min 20 s", "8 s"; a dash if unknown. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
