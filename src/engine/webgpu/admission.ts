import type { TensorInput } from "../../lens/input.js";
import { type BlockSettings, sharesScales } from "../../update/block-settings.js";
import type { CaseSettings } from "../../update/optimizer.js";
import { type LaneSettings, refusal as ofLanes } from "../lane/refusal.js";
import { sharedBlock } from "./layout.js";

/** What this engine takes and refuses: what is written in lanes, and beside it some formats with shared scales. */

/** Codes and scales that are a view of the fp32 run, made anew after every step. */
export interface SharedMaster extends BlockSettings {
  readonly scheme: "master";
}

export type WebGpuSettings = LaneSettings | SharedMaster;

/** Whether the weights of a case that was taken share scales. */
export function isShared(settings: object): settings is SharedMaster {
  return sharesScales(settings);
}

/** A tensor as far as its blocks depend on it. */
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

/** Why it does not take such cases of such tensors, in a few words, or null. */
export function refusal(cases: readonly CaseSettings[], tensors: readonly Shaped[] = []): string | null {
  for (const settings of cases) {
    const reason = sharesScales(settings) ? ofShared(settings, tensors) : ofLanes([settings]);
    if (reason !== null) return reason;
  }
  return null;
}

function ofShared(settings: BlockSettings, tensors: readonly Shaped[]): string | null {
  const { blocks, scheme, scales, through } = settings;
  const { name, rows, columns, scale, rule } = blocks;
  // A scale is the exponent field of an fp32 number.
  const isField = !scale.signed && scale.exponentBits === 8 && scale.precision === 1;
  const isRow = rows === 1 && columns === sharedBlock;
  if (!isRow || !isField || rule.tensorScale !== null)
    return `of formats with shared scales it takes those of ${sharedBlock} along a row with scales of e8m0fnu, not ${name}`;
  if (scheme !== "master") return `it takes ${name} under scheme master, not ${scheme}`;
  if (scales !== "renewed") return `it takes ${name} with renewed scales, not ${scales} ones`;
  // What is quantized is an fp32 number, and rounding knows no format without a sign.
  if (through !== null && !(through.signed && through.minPositive >= 2 ** -149))
    return `it takes ${name} through signed formats within fp32, not through ${through.name}`;
  const cut = tensors.find(({ shape }) => (shape.at(-1) ?? 1) % columns !== 0);
  if (cut === undefined) return null;
  return `it takes ${name} in rows of a multiple of ${columns}, and ${cut.name} has shape [${cut.shape.join(", ")}]`;
}
