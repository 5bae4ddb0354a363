import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Frames of a play: at sixty a second, two seconds. */
const frames = 120;

/**
 * Counts up to `steps` frame by frame, from 0 or from where it was; is there at once where there are fewer than before, and
 * where the visitor wants nothing to move.
 */
export function usePlayed(steps: number): number {
  const shown = useSignal(still() ? steps : 0);
  useEffect(() => {
    if (still() || shown.peek() >= steps) {
      shown.value = steps;
      return;
    }
    const aFrame = Math.ceil((steps - shown.peek()) / frames);
    let next = requestAnimationFrame(function tick() {
      shown.value = Math.min(steps, shown.peek() + aFrame);
      if (shown.peek() < steps) next = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(next);
  }, [steps]);
  return Math.min(shown.value, steps);
}

function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
