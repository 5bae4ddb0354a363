import { Command } from "commander";
import type { ComparedRun, RunComparison } from "../lens/learning/run-comparison.js";
import { summarize } from "../lens/run/summarize.js";
import { Tally } from "../lens/tally.js";
import { readOutcome } from "../source/outcome.js";
import { hasOnlyGradients, onlyGradients, type Recording } from "../source/recording.js";
import { storedAs } from "../source/stored-as.js";
import { type UpdateSettings, updateSettings } from "../update/settings.js";
import { version } from "../version.js";
import { addOutputOptions, type OutputOptions, threadsOption } from "./common-options.js";
import { checkOutput, comparisonRenderers, emitBy } from "./emit.js";
import { lensFolder } from "./lens-recording.js";
import { addCaseOptions, type CaseOptions, caseGrid, engineOption } from "./options.js";
import type { Streams } from "./streams.js";
import { asUsage } from "./strict-options.js";

interface CompareOptions extends CaseOptions, OutputOptions {
  readonly engine: string;
  readonly threads?: number;
}

/** The options that say how updates are stored. */
const storageOptions = ["format", "scheme", "rounding"] as const;

/** The counts of a run without updates. */
const { totals, end } = summarize(new Tally(), 0, false);
const nothing = { metadata: {}, stepNumbers: [], totals, end, skipped: [] };

/** How a recording says that its run is stored, as a case to count; null if it does not say. */
function statedCase(command: Command, recording: Recording, common: CompareOptions): UpdateSettings | null {
  const { format, scheme, rounding, dtype } = storedAs(recording);
  if (format === null && scheme === null) return null;
  const { opmath, overflow, seed } = common;
  return asUsage(command, () =>
    updateSettings({
      ...{ format: format ?? dtype ?? "bf16", scheme: scheme ?? "in-place" },
      ...{ rounding: rounding ?? "nearest-even", opmath, overflow, seed },
    }),
  );
}

export function compareCommand(streams: Streams): Command {
  const command = new Command("compare")
    .description(
      "One table of recorded runs, a row each: sparsity, real and apparent, what is retained, and from outcome.json pass@k with " +
        "intervals, the k from which a run is below its base, KL and held-out tasks. Updates are counted as the recording says that the " +
        "run is stored, else as if stored as bf16 in-place, or as if stored as the options say. What a run does not have stays " +
        "empty, with the reason.",
    )
    .argument("<runs...>", "folders of recorded runs");
  addCaseOptions(command).addOption(engineOption()).addOption(threadsOption());
  command.options.find(({ long }) => long === "--scheme")!.default(["in-place"], "in-place");
  command.setOptionValueWithSource("scheme", ["in-place"], "default");
  return addOutputOptions(command, "run and k").action(
    async (paths: readonly string[], options: CompareOptions) => {
      checkOutput(options, streams);
      const cases = caseGrid(command, options);
      if (cases.length !== 1) command.error(`error: compare takes one way to store, found ${cases.length}`);
      const twin = paths.find((path, i) => paths.indexOf(path) !== i);
      if (twin !== undefined) command.error(`error: ${twin} was given twice: expected each run once`);
      const isGiven = storageOptions.some((name) => command.getOptionValueSource(name) === "cli");
      const runs: ComparedRun[] = [];
      for (const path of paths) {
        const outcome = await readOutcome(path);
        if (await hasOnlyGradients(path)) {
          runs.push({ path, outcome, ...nothing, uncounted: `it has ${onlyGradients}` });
          continue;
        }
        let own: ComparedRun["storedAs"];
        const caseOf = (recording: Recording) => {
          const stated = isGiven ? null : statedCase(command, recording, options);
          if (stated === null) return cases;
          const { format, scheme, rounding } = stated;
          own = { format: format.name, scheme, rounding };
          return [stated];
        };
        const result = await lensFolder(path, caseOf, options, streams, false);
        const { cases: counted, input, skipped } = result;
        const [{ totals, end }] = counted;
        const { metadata, stepNumbers } = input;
        runs.push({
          ...{ path, metadata, stepNumbers, ...(own && { storedAs: own }) },
          ...{ totals, end, outcome, skipped },
        });
      }
      const [{ format, scheme, rounding, seed }] = cases;
      const result: RunComparison = {
        schema: "precision-lens-compare/1",
        tool: { name: "precision-lens", version },
        input: { runs: runs.length },
        settings: { format: format.name, scheme, rounding, seed },
        runs,
      };
      await emitBy(comparisonRenderers, result, options, streams);
    },
  );
}
