import type { TensorInput } from "../../lens/input.js";
import { laneCount } from "../../lens/sum.js";
import type { BlockSettings } from "../../update/block-settings.js";
import type { CaseSettings } from "../../update/optimizer.js";
import type { LensJob } from "../engine.js";
import { type LaneSettings, refusal as ofLanes } from "../lane/refusal.js";

/** The cases that this engine supports: those of engine/lane, and formats with shared scales under a master. */

/** Codes and scales that are a view of an fp32 master. */
export interface SharedMaster extends BlockSettings {
  readonly scheme: "master";
}

export type WebGpuSettings = LaneSettings | SharedMaster;

/** A job of such cases. */
export interface WebGpuJob extends LensJob {
  readonly cases: readonly WebGpuSettings[];
}

/** The properties of a tensor that determine its blocks. */
type Shaped = Pick<TensorInput, "name" | "shape">;

/** @throws RangeError where {@link refusal} has a reason. */
export function takenBy(
  cases: readonly CaseSettings[],
  tensors: readonly Shaped[],
): readonly WebGpuSettings[] {
  const reason = refusal(cases, tensors);
  if (reason !== null) throw new RangeError(`engine webgpu: ${reason}`);
  return cases as readonly WebGpuSettings[];
}

/** Why the engine does not support such cases of such tensors, in a few words, or null. */
export function refusal(cases: readonly CaseSettings[], tensors: readonly Shaped[] = []): string | null {
  return ofLanes(cases, (settings) => ofShared(settings, tensors));
}

/** Kernels count rows and columns in 32 bits; a row alone may be longer. */
const mostRows = 2 ** 31;

function ofShared(settings: BlockSettings, tensors: readonly Shaped[]): string | null {
  const { blocks, scheme, through } = settings;
  const { name } = blocks;
  if (scheme !== "master") return `it takes ${name} under scheme master, not ${scheme}`;
  // The number to quantize is an fp32 number, and unsigned formats cannot be rounded to.
  if (through !== null && !(through.signed && through.minPositive >= 2 ** -149))
    return `it takes ${name} through signed formats within fp32, not through ${through.name}`;
  const named = (tensor: Shaped) => `${tensor.name} has shape [${tensor.shape.join(", ")}]`;
  // The pairs that four threads process at once must be within one block.
  const cut = tensors.find(({ shape }) => (shape.at(-1) ?? 1) % laneCount !== 0);
  if (cut) return `it takes ${name} in rows of a multiple of ${laneCount}, and ${named(cut)}`;
  const large = tensors.find(({ shape }) => {
    const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
    return rows > mostRows || (columns > mostRows && shape.slice(0, -1).some((length) => length > 1));
  });
  return large ? `it takes ${name} in at most 2^31 rows of 2^31 numbers, and ${named(large)}` : null;
}
