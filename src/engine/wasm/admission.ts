import type { TensorInput } from "../../lens/input.js";
import { laneCount } from "../../lens/sum.js";
import { type BlockScheme, blockSchemes } from "../../update/block-scheme.js";
import type { BlockSettings } from "../../update/block-settings.js";
import type { CaseSettings } from "../../update/optimizer.js";
import { type Scheme, schemes } from "../../update/scheme.js";
import { type LaneSettings, refusal as ofLanes } from "../lane/refusal.js";

/** The cases that this engine supports: those of engine/lane, and formats with shared scales. */

export type WasmSettings = LaneSettings | BlockSettings;

/** The carrier of a case, and which number holds the sum of its updates. */
export function schemeOf(settings: WasmSettings): Pick<Scheme | BlockScheme, "carrier" | "holds"> {
  return settings.blocks ? blockSchemes[settings.scheme] : schemes[settings.scheme];
}

/** The properties of a tensor that determine its blocks. */
type Shaped = Pick<TensorInput, "name" | "shape">;

/** @throws RangeError where {@link refusal} has a reason. */
export function takenBy(
  engine: string,
  cases: readonly CaseSettings[],
  tensors: readonly Shaped[] = [],
): readonly WasmSettings[] {
  const reason = refusal(cases, tensors);
  if (reason !== null) throw new RangeError(`engine ${engine}: ${reason}`);
  return cases as readonly WasmSettings[];
}

/** Why the engine does not support such cases of such tensors, in a few words, or null. */
export function refusal(cases: readonly CaseSettings[], tensors: readonly Shaped[] = []): string | null {
  return ofLanes(cases, (settings) => ofShared(settings, tensors));
}

/** Whether the numbers that determine the scales depend on earlier scales: then no other kernel can find their magnitudes beforehand. */
export function dependsOnScales({ scheme, scales }: BlockSettings): boolean {
  return scheme !== "master" && scales === "renewed";
}

function ofShared(settings: BlockSettings, tensors: readonly Shaped[]): string | null {
  const { blocks, scheme, through } = settings;
  const { name, rows, columns, rule } = blocks;
  const renewed = dependsOnScales(settings);
  if (renewed && (rows > 1 || rule.tensorScale !== null))
    return `it takes ${name} under scheme ${scheme} with kept scales, not with renewed ones`;
  // The number to quantize is an fp32 number, and unsigned formats cannot be rounded to.
  if (through !== null && !(through.signed && through.minPositive >= 2 ** -149))
    return `it takes ${name} through signed formats within fp32, not through ${through.name}`;
  // A group of lanes must be within one block.
  const multiple = renewed ? columns : laneCount;
  const cut = tensors.find(({ shape }) => (shape.at(-1) ?? 1) % multiple !== 0);
  if (cut === undefined) return null;
  const how = renewed ? ` under scheme ${scheme}` : "";
  return `it takes ${name}${how} in rows of a multiple of ${multiple}, and ${cut.name} has shape [${cut.shape.join(", ")}]`;
}
