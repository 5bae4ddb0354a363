import type { SkippedTensor } from "../lens/input.js";
import { printable } from "../lens/printable.js";
import { count } from "./numbers.js";

/** Tensors that were left out, with their reasons; five at most. */
export function skippedLines(skipped: readonly SkippedTensor[]): string[] {
  const shown = skipped
    .slice(0, 5)
    .map(({ name, reason }) => `  ${printable(name, 120)}: ${printable(reason, 300)}`);
  const more = skipped.length > 5 ? [`  and ${count(skipped.length - 5)} more`] : [];
  return [`${count(skipped.length)} not counted:`, ...shown, ...more];
}
