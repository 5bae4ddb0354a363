import { format } from "../format/registry.js";
import { updateSettings } from "../update/settings.js";
import type { DiffOptions } from "./diff-options.js";
import { checkOutput, emit, outputFiles } from "./emit.js";
import { lensAdapter, storedFormat } from "./lens-adapter.js";
import type { Streams } from "./streams.js";
import { warnOfSkipped } from "./warn-of-skipped.js";
import { expectApart } from "./write-output.js";

/** The action of `diff` if AFTER is a LoRA adapter. */
export async function mergeAdapter(
  base: string,
  adapter: string,
  options: DiffOptions,
  streams: Streams,
): Promise<void> {
  checkOutput(options, streams);
  const { view, merged, unmerge = false, roundUpdate, threads, strict = false, quiet } = options;
  const result = await lensAdapter({
    base,
    adapter,
    merged,
    unmerge,
    roundUpdate,
    cases: (opened) => [
      updateSettings({ format: format(view ?? storedFormat(opened, base)), scheme: "in-place" }),
    ],
    engine: "auto",
    threads,
    strict,
    progress: quiet ? null : streams.err,
    opened: (files) => expectApart(outputFiles(options), files),
  });
  if (!quiet) warnOfSkipped(result, streams);
  await emit(result, options, streams);
}
