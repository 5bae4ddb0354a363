import type { Result } from "../lens/run/result.js";
import { quote } from "../source/input-error.js";
import { type Streams, wrappedFor } from "./streams.js";

/** Warns of the number of excluded tensors, with the reason for the first. */
export function warnOfSkipped({ skipped }: Pick<Result, "skipped">, { err }: Streams): void {
  if (skipped.length === 0) return;
  const [{ name, reason }] = skipped;
  const which =
    skipped.length === 1
      ? `1 tensor was not counted, ${quote(name)}`
      : `${skipped.length} tensors were not counted; the first, ${quote(name)}`;
  err.write(wrappedFor(err, `precision-lens: ${which}: ${reason}\n`));
}
