import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** The frames of an animation: two seconds at 60 per second. */
const frames = 120;

/**
 * Counts up to `steps` frame by frame, from 0 or from its last value; jumps there if `steps` decreases, or with reduced
 * motion.
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
