import type { Format } from "../format/format.js";
import { type Measures, measureNames, spectralNames, type TensorGeometry } from "../lens/geometry-result.js";
import { type Module, moduleOf } from "../lens/module.js";
import { type Changes, type CodeCounterOf, countChanges, expectedMargins } from "./changes.js";
import type { MatrixPair } from "./matrix.js";
import { allUnknown } from "./measures.js";
import { profile, sizeMeasures, unchangedMeasures, type Walk } from "./size-measures.js";
import { type SpectralOptions, spectralMeasures } from "./spectral-measures.js";

export interface TensorOptions extends SpectralOptions {
  /** In which the sides are compared. */
  readonly format: Format;
  readonly walk: Walk | null;
  /** The reason for computing no spectra; null if they are computed. */
  readonly withoutSpectra: string | null;
  /** Whether to note which weights changed. */
  readonly mask?: boolean;
  /** Counts codes, where a matrix has them. */
  readonly codes?: CodeCounterOf | null;
}

export interface MeasuredTensor {
  readonly geometry: TensorGeometry;
  readonly changes: Changes;
}

/** The geometry of the change of one matrix. */
export async function measureTensor(matrix: MatrixPair, options: TensorOptions): Promise<MeasuredTensor> {
  const { name, rows, columns } = matrix;
  const module: Module = moduleOf(name);
  const changes = await countChanges(matrix, options.mask, options.codes);
  const measuredTensor = (
    rest: Pick<TensorGeometry, "measures" | "spectrum" | "profiles">,
  ): MeasuredTensor => ({
    geometry: { name, shape: [rows, columns], ...module, ...rest },
    changes,
  });
  const obstacle = obstacleOf(changes);
  if (obstacle !== null || changes.changeSquared === 0) {
    const unmeasured = allUnknown(measureNames, obstacle ?? "nothing changed");
    const measures =
      obstacle === null
        ? { ...unmeasured, ...unchangedMeasures(changes, options.format, options.walk) }
        : unmeasured;
    return measuredTensor({ spectrum: null, measures, profiles: null });
  }
  const margins = await expectedMargins(matrix, changes.counts, options.codes);
  const bySize = sizeMeasures(changes, margins, options.format, options.walk);
  const profiles = {
    rows: profile(changes.rows, columns, margins.rows),
    columns: profile(changes.columns, rows, margins.columns),
  };
  const withoutSpectra = options.withoutSpectra ?? extremeReason(changes);
  if (withoutSpectra !== null) {
    const measures = { ...bySize, ...allUnknown(spectralNames, withoutSpectra) };
    return measuredTensor({ spectrum: null, measures: inOrder(measures), profiles });
  }
  const { method, measures } = await spectralMeasures(matrix, changes, options);
  return measuredTensor({ spectrum: method, measures: inOrder({ ...bySize, ...measures }), profiles });
}

/** Why a matrix has no geometry; null if it has one. */
function obstacleOf({ nonfinite, baseSquared }: Changes): string | null {
  if (nonfinite > 0) return `${nonfinite} of its numbers ${nonfinite === 1 ? "is" : "are"} NaN or Inf`;
  return baseSquared === 0 ? "its base is zero" : null;
}

/** Sums of products and squares of numbers between these stay well within the range of fp32. */
const [leastMean, mostMean] = [1e-16, 1e16];

/** Why there is no spectrum of numbers that are very large or small; null if there is one. */
function extremeReason({ counts, baseSquared, changeSquared }: Changes): string | null {
  const means = [baseSquared / counts.elements, changeSquared / counts.elementsChanged].map(Math.sqrt);
  const beyond = means.find((mean) => mean < leastMean || mean > mostMean);
  return beyond === undefined
    ? null
    : `its numbers or their changes are about ${beyond.toExponential(0)}: products of these may leave the range of fp32`;
}

function inOrder(measures: Measures): Measures {
  return Object.fromEntries(measureNames.map((name) => [name, measures[name]])) as unknown as Measures;
}
