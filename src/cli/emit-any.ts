import type { OutputOptions } from "./common-options.js";
import {
  comparisonRenderers,
  diffRenderers,
  emit,
  emitBy,
  inspectionRenderers,
  learnRenderers,
  predictionRenderers,
  seriesRenderers,
  sweepRenderers,
} from "./emit.js";
import type { SavedResult } from "./read-result.js";
import type { Streams } from "./streams.js";

/** Writes a saved result of any kind according to the options. */
export async function emitAny(result: SavedResult, options: OutputOptions, streams: Streams): Promise<void> {
  if (result.schema === "precision-lens-diff/2") await emitBy(diffRenderers, result, options, streams);
  else if (result.schema === "precision-lens-series/1")
    await emitBy(seriesRenderers, result, options, streams);
  else if (result.schema === "precision-lens-sweep/2") await emitBy(sweepRenderers, result, options, streams);
  else if (result.schema === "precision-lens-prediction/1")
    await emitBy(predictionRenderers, result, options, streams);
  else if (result.schema === "precision-lens-learn/1") await emitBy(learnRenderers, result, options, streams);
  else if (result.schema === "precision-lens-inspect/1")
    await emitBy(inspectionRenderers, result, options, streams);
  else if (result.schema === "precision-lens-compare/1")
    await emitBy(comparisonRenderers, result, options, streams);
  else await emit(result, options, streams);
}
