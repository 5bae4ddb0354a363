import { realpathSync } from "node:fs";
import { type CheckpointPair, type PairOptions, pairUp } from "./pair-up.js";
import { openSide } from "./side.js";

/**
 * Opens two sides, each a safetensors file, its index, a folder with one of them, or the folder of a recorded
 * run; no data is read. Tensors that cannot be compared are excluded and listed with the reason.
 *
 * @throws InputError if a file is not valid, if nothing can be compared, or, with `strict`, if anything cannot.
 */
export async function openPair(
  before: string,
  after: string,
  options: PairOptions = {},
): Promise<CheckpointPair> {
  const opened = await Promise.allSettled([
    openSide(before, "before"),
    openSide(after, "after", options.updates),
  ]);
  const sides = opened.flatMap((side) => (side.status === "fulfilled" ? [side.value] : []));
  try {
    for (const side of opened) if (side.status === "rejected") throw side.reason;
    const [from, to] = sides;
    return pairUp(from, to, options, to.kind === "recorded run" && samePath(from.weights, to.weights));
  } catch (error) {
    await Promise.all(sides.map((side) => side.close()));
    throw error;
  }
}

function samePath(a: string, b: string): boolean {
  return realpathSync(a) === realpathSync(b);
}
