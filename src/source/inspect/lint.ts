import type { InspectedTensor, Lint } from "../../lens/inspect/inspection.js";
import { quote } from "../input-error.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";

/** An inspected tensor, and its tensor scale if it has one. */
export interface LookedAt {
  readonly tensor: InspectedTensor;
  readonly stored: StoredTensor;
  readonly tensorScale: number | null;
}

/** Scales of weights within one tensor do not differ by a larger ratio than this. */
const implausible = 2 ** 60;

/** Likely mistakes, in tensor order. */
export function lint(looked: readonly LookedAt[], all: ReadonlyMap<string, StoredTensor>): Lint[] {
  const isScaled = [...all.values()].some(({ scaled }) => scaled !== undefined);
  const shapes = [...all.values()].flatMap(({ name, obstacle }): Lint[] =>
    obstacle === undefined ? [] : [{ rule: "scales-shape", tensor: name, finding: obstacle.reason }],
  );
  return [...looked.flatMap((each) => lintOf(each, isScaled)), ...shapes, ...gateUp(looked)];
}

function lintOf({ tensor, stored }: LookedAt, othersAreScaled: boolean): Lint[] {
  const found: Lint[] = [];
  const add = (rule: Lint["rule"], finding: string) => found.push({ rule, tensor: tensor.name, finding });
  const isCodes = stored.scaled === undefined && /^F[48]_?(?:E4M3|E5M2)?(?:FNUZ)?$/.test(stored.dtype.name);
  if (isCodes && tensor.shape.length > 1) {
    const others = othersAreScaled ? ", as those of other tensors here have" : "";
    add("scales-missing", `it is ${stored.dtype.name} and has no scales${others}`);
  }
  for (const { name, count, zeros, nonfinite, negative, smallest, largest } of tensor.scales ?? []) {
    const scalesText = `of ${count} scales in ${quote(name)}`;
    if (zeros > 0) add("scales-zero", `${zeros} ${scalesText} ${are(zeros)} zero`);
    if (nonfinite > 0) add("scales-nonfinite", `${nonfinite} ${scalesText} ${are(nonfinite)} NaN or Inf`);
    if (negative > 0) add("scales-negative", `${negative} ${scalesText} ${are(negative)} below zero`);
    const reason = whyUninitialised(count, smallest, largest);
    if (reason !== null) add("scales-uninitialised", `the scales in ${quote(name)} ${reason}`);
  }
  const ofScales = (tensor.scales ?? []).some(({ nonfinite }) => nonfinite > 0);
  if (tensor.nonfinite > 0 && !ofScales) {
    add(
      "numbers-nonfinite",
      `${tensor.nonfinite} of ${tensor.elements} numbers ${are(tensor.nonfinite)} NaN or Inf`,
    );
  }
  return found;
}

function are(count: number): string {
  return count === 1 ? "is" : "are";
}

/** Why scales appear uninitialised; null if they do not. */
function whyUninitialised(count: number, smallest: number | null, largest: number | null): string | null {
  if (smallest === null || largest === null) return null;
  if (largest / smallest > implausible) {
    return `range from ${smallest.toExponential(2)} to ${largest.toExponential(2)}, like uninitialised memory`;
  }
  // Calibrated scales of many blocks are not all equal.
  return count >= 16 && smallest === 1 && largest === 1 ? "are all 1, as before they are set" : null;
}

const gates: readonly (readonly [gate: RegExp, up: string])[] = [
  [/\bgate_proj(?=\.|$)/, "up_proj"],
  [/\bw1(?=\.|$)/, "w3"],
];

/** Kernels that fuse gate and up projections read one scale for both. */
function gateUp(looked: readonly LookedAt[]): Lint[] {
  const byName = new Map(looked.map((each) => [each.tensor.name, each]));
  return looked.flatMap(({ tensor, tensorScale }): Lint[] => {
    if (tensorScale === null) return [];
    for (const [gate, up] of gates) {
      const twin = byName.get(tensor.name.replace(gate, up));
      if (!gate.test(tensor.name) || twin?.tensorScale == null || twin.tensorScale === tensorScale) continue;
      const finding = `its tensor scale is ${tensorScale}, that of ${quote(twin.tensor.name)} ${twin.tensorScale}`;
      return [{ rule: "gate-up-scales-differ", tensor: tensor.name, finding }];
    }
    return [];
  });
}
