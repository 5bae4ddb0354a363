import { realpathSync } from "node:fs";
import { type CheckpointPair, type PairOptions, pairUp } from "./pair-up.js";
import { openSide, type Side } from "./side.js";

/**
 * Opens two sides, each a safetensors file, its index, a folder with one of them, or the folder of a recorded run; no
 * data is read. What cannot be compared is left out and listed with its reason.
 *
 * @throws InputError if a file is not valid, if nothing can be compared, or, with `strict`, if anything cannot.
 */
export async function openPair(
  before: string,
  after: string,
  options: PairOptions = {},
): Promise<CheckpointPair> {
  const from = await openSide(before, "before");
  let to: Side | null = null;
  try {
    to = await openSide(after, "after");
    return pairUp(from, to, options, to.kind === "recorded run" && samePath(from.weights, to.weights));
  } catch (error) {
    await Promise.all([from.close(), to?.close()]);
    throw error;
  }
}

function samePath(a: string, b: string): boolean {
  return realpathSync(a) === realpathSync(b);
}
