import { comparerOf, provenKernel } from "../engine/wasm/difference/comparison.js";
import { comparisonsOf, seriesOf } from "../lens/difference/series.js";
import type { RangePool } from "../source/pair/compare-pair.js";
import { differenceOf } from "../source/pair/difference-of.js";
import { openPair } from "../source/pair/open-pair.js";
import type { DiffOptions } from "./diff-options.js";
import { checkOutput, emitBy, outputFiles, seriesRenderers } from "./emit.js";
import { pairOptions, pairSettings } from "./pair-options.js";
import { gigabytes, progressBar } from "./progress.js";
import type { Streams } from "./streams.js";
import { expectApart } from "./write-output.js";

/**
 * The action of `diff` for more than two checkpoints: compares them two at a time.
 *
 * @throws InputError, CommanderError
 */
export async function diffSeries(
  paths: readonly string[],
  options: DiffOptions,
  pool: RangePool | null,
  streams: Streams,
): Promise<void> {
  checkOutput(options, streams);
  const { sample, seed } = options;
  const kernel = await provenKernel();
  pool?.prepare(kernel);
  const bar = await progressBar(options.quiet ? null : streams.err, gigabytes);
  const comparisons = comparisonsOf(paths.length);
  let done = 0;
  try {
    const result = await seriesOf(paths.length, async (before, after) => {
      const pair = await openPair(paths[before], paths[after], pairOptions(options));
      try {
        expectApart(outputFiles(options), pair.files);
        const difference = await differenceOf(pair, {
          ...pairSettings(options),
          sample,
          seed,
          comparer: comparerOf(kernel),
          pool,
          progress: (bytes, total) => bar.progress(done * total + bytes, comparisons * total),
        });
        done += 1;
        return difference;
      } finally {
        await pair.close();
      }
    });
    void pool?.close();
    bar.stop();
    await emitBy(seriesRenderers, result, options, streams);
  } finally {
    bar.stop();
  }
}
