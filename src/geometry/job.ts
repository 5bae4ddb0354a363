import type { Format } from "../format/format.js";
import type { DifferenceTallyJson } from "../lens/difference/difference.js";
import type { TensorGeometry } from "../lens/geometry-result.js";
import type { CodeCounterOf } from "./changes.js";
import type { MatrixPair } from "./matrix.js";
import { type MeasuredTensor, measureTensor } from "./measure-tensor.js";
import type { ProductsOf } from "./products.js";
import { type SharedChanges, sharedChanges, type Walk } from "./size-measures.js";

/** The task for one tensor of one base and any number of tuned models. Plain data. */
export interface TensorTask {
  readonly rank: number;
  readonly seed: number;
  readonly walk: Walk | null;
  /** The reason for computing no spectra; null if they are computed. */
  readonly withoutSpectra: string | null;
}

/** The result. Plain data. */
export interface TensorPart {
  /** One for each tuned model that has the tensor. */
  readonly geometries: readonly TensorGeometry[];
  /** Of the first with the second, the first with the third, the second with the third and so on. */
  readonly shared: readonly SharedChanges[];
  /** Of a single model, the counts of `diff`, where they were made on the way. */
  readonly difference: DifferenceTallyJson | null;
}

/** What the arithmetic runs on. */
export interface Engines {
  readonly products: ProductsOf;
  /** Null if codes are counted as numbers. */
  readonly codes: CodeCounterOf | null;
}

/** @param models the tensor of each tuned model, paired with the base's. */
export async function measureModels(
  models: readonly { readonly matrix: MatrixPair; readonly format: Format }[],
  task: TensorTask,
  { products, codes }: Engines,
): Promise<TensorPart> {
  const measured: MeasuredTensor[] = [];
  for (const { matrix, format } of models) {
    const mask = models.length > 1;
    measured.push(await measureTensor(matrix, { ...task, format, mask, products, codes }));
  }
  return {
    geometries: measured.map(({ geometry }) => geometry),
    shared: pairsOf(measured.length).map(([a, b]) => sharedChanges(measured[a].changes, measured[b].changes)),
    difference: measured.length === 1 ? (measured[0].changes.difference?.toJSON() ?? null) : null,
  };
}

/** (0, 1), (0, 2), (1, 2), ... */
export function pairsOf(models: number): [number, number][] {
  return Array.from({ length: models }, (_, b) =>
    Array.from({ length: b }, (_, a): [number, number] => [a, b]),
  )
    .flat()
    .sort(([a, b], [c, d]) => a - c || b - d);
}
