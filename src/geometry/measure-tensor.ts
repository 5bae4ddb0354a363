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
  if (options.withoutSpectra !== null) {
    const measures = { ...bySize, ...allUnknown(spectralNames, options.withoutSpectra) };
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

function inOrder(measures: Measures): Measures {
  return Object.fromEntries(measureNames.map((name) => [name, measures[name]])) as unknown as Measures;
}
