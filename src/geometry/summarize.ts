import {
  type Expectation,
  type GeometryOfLayer,
  type MeanMeasure,
  type MeanMeasures,
  type MeasureName,
  type ModelGeometry,
  measureNames,
  spectralNames,
  type TensorGeometry,
} from "../lens/geometry-result.js";
import { type ModuleKind, moduleKinds } from "../lens/module-kind.js";
import { unknown } from "./measures.js";
import { mean, sampleDeviation, studentT } from "./statistics.js";

/** How many layers there are, and in how many spectra were taken. */
export interface LayerSample {
  readonly layers: number;
  readonly of: number;
}

/** Means by kind of module, by layer and in all. */
export function summarizeGeometry(tensors: readonly TensorGeometry[], sample: LayerSample): ModelGeometry {
  const kinds = moduleKinds.flatMap((kind) => {
    const ofKind = tensors.filter((tensor) => tensor.kind === kind);
    return ofKind.length > 0 ? [{ kind, ...meansOf(ofKind, sample) }] : [];
  });
  return { totals: meansOf(tensors, sample), kinds, layers: layersOf(tensors), tensors };
}

function layersOf(tensors: readonly TensorGeometry[]): GeometryOfLayer[] {
  const byLayer = new Map<string, TensorGeometry[]>();
  for (const tensor of tensors) {
    if (tensor.stack === null) continue;
    const key = `${tensor.stack}.${tensor.layer}`;
    byLayer.set(key, [...(byLayer.get(key) ?? []), tensor]);
  }
  const stacks = [...new Set(tensors.map(({ stack }) => stack))];
  return [...byLayer.values()]
    .map((ofLayer) => ({
      stack: ofLayer[0].stack!,
      layer: ofLayer[0].layer!,
      spectra: ofLayer.some(({ spectrum }) => spectrum !== null),
      ...meansOf(ofLayer, null),
    }))
    .sort((a, b) => stacks.indexOf(a.stack) - stacks.indexOf(b.stack) || a.layer - b.layer);
}

/** @param sample null where the tensors are no sample of layers. */
function meansOf(tensors: readonly TensorGeometry[], sample: LayerSample | null): MeanMeasures {
  const elementsOf = ({ shape }: TensorGeometry) => shape[0] * shape[1];
  const by = (weightOf: (tensor: TensorGeometry) => number) =>
    Object.fromEntries(measureNames.map((name) => [name, meanOf(tensors, name, weightOf, sample)])) as Record<
      MeasureName,
      MeanMeasure
    >;
  return {
    tensors: tensors.length,
    elements: tensors.reduce((sum, tensor) => sum + elementsOf(tensor), 0),
    measures: by(() => 1),
    weighted: by(elementsOf),
  };
}

function meanOf(
  tensors: readonly TensorGeometry[],
  name: MeasureName,
  weightOf: (tensor: TensorGeometry) => number,
  sample: LayerSample | null,
): MeanMeasure {
  const having = tensors.filter(({ measures }) => measures[name].measured !== null);
  const first = having[0]?.measures[name];
  if (!first) return { ...unknown(commonReason(tensors, name)), tensors: 0 };
  const whole = having.reduce((sum, tensor) => sum + weightOf(tensor), 0);
  const shares = having.map((tensor) => weightOf(tensor) / whole);
  const average = (numberOf: (measure: TensorGeometry["measures"][MeasureName]) => number) =>
    having.reduce((sum, { measures }, i) => sum + shares[i] * numberOf(measures[name]), 0);
  const measured = average((measure) => measure.measured!);
  const expected = having.every(({ measures }) => measures[name].expected !== null)
    ? average((measure) => measure.expected!)
    : null;
  const deviations = having.map(({ measures }) => measures[name].deviation);
  const others = (first.others ?? []).flatMap(({ null: by }): Expectation[] => {
    const found = having.map(({ measures }) => measures[name].others?.find((other) => other.null === by));
    if (!found.every((other) => other !== undefined)) return [];
    return [{ null: by, expected: found.reduce((sum, other, i) => sum + shares[i] * other.expected, 0) }];
  });
  const interval = sample && intervalOf(having, name, measured, sample);
  return {
    measured,
    expected,
    null: expected === null ? null : first.null,
    ratio: expected !== null && expected > 0 ? measured / expected : null,
    tensors: having.length,
    ...(deviations.every((deviation) => deviation !== undefined) && {
      deviation: Math.sqrt(deviations.reduce((sum, deviation, i) => sum + (shares[i] * deviation) ** 2, 0)),
    }),
    ...(others.length > 0 && { others }),
    ...(expected === null && first.reason !== undefined && { reason: first.reason }),
    ...(interval && { interval }),
  };
}

/** The mean over sampled layers with Student's t interval and finite population correction. */
function intervalOf(
  having: readonly TensorGeometry[],
  name: MeasureName,
  middle: number,
  { layers, of: total }: LayerSample,
): [number, number] | null {
  if (layers === total || !(spectralNames as readonly MeasureName[]).includes(name)) return null;
  const byLayer = new Map<string, number[]>();
  for (const { stack, layer, measures } of having) {
    if (stack === null) continue;
    const key = `${stack}.${layer}`;
    byLayer.set(key, [...(byLayer.get(key) ?? []), measures[name].measured!]);
  }
  const means = [...byLayer.values()].map(mean);
  if (means.length < 2) return null;
  const left = Math.sqrt(1 - layers / total);
  const half = (studentT(means.length - 1) * sampleDeviation(means) * left) / Math.sqrt(means.length);
  return [Math.max(0, middle - half), middle + half];
}

/** Why none of them has the measure. */
function commonReason(tensors: readonly TensorGeometry[], name: MeasureName): string {
  const reasons = [...new Set(tensors.map(({ measures }) => measures[name].reason ?? ""))];
  return reasons.length === 1 ? reasons[0] : `${reasons.length} reasons: ${reasons.join("; ")}`.slice(0, 400);
}

/** The sampled layers of a stack, evenly spaced from first to last. */
export function sampledLayers(layers: readonly number[], most: number): Set<number> {
  const sorted = [...new Set(layers)].sort((a, b) => a - b);
  if (most === 0) return new Set();
  if (sorted.length <= most) return new Set(sorted);
  if (most === 1) return new Set([sorted[Math.floor(sorted.length / 2)]]);
  return new Set(
    Array.from({ length: most }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (most - 1))]),
  );
}

/** Kinds outside the layers, as large as many layer matrices. */
export const outsideLayers: ReadonlySet<ModuleKind> = new Set(["embedding", "head"]);
