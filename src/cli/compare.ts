import { Command } from "commander";
import type { ComparedRun, RunComparison } from "../lens/learning/run-comparison.js";
import { readOutcome } from "../source/outcome.js";
import { version } from "../version.js";
import { addOutputOptions, type OutputOptions, threadsOption } from "./common-options.js";
import { checkOutput, comparisonRenderers, emitBy } from "./emit.js";
import { lensFolder } from "./lens-recording.js";
import { addCaseOptions, type CaseOptions, caseGrid, engineOption } from "./options.js";
import type { Streams } from "./streams.js";

interface CompareOptions extends CaseOptions, OutputOptions {
  readonly engine: string;
  readonly threads?: number;
}

export function compareCommand(streams: Streams): Command {
  const command = new Command("compare")
    .description(
      "One table of recorded runs, a row each: sparsity, real and apparent, what is retained, and from outcome.json pass@k with " +
        "intervals, the k from which a run is below its base, KL and held-out tasks. What a run does not have stays empty, with the reason.",
    )
    .argument("<runs...>", "folders of recorded runs");
  addCaseOptions(command).addOption(engineOption()).addOption(threadsOption());
  // One way of storing for all runs, because the table has one column for it.
  command.options.find(({ long }) => long === "--scheme")!.default(["in-place"], "in-place");
  command.setOptionValueWithSource("scheme", ["in-place"], "default");
  return addOutputOptions(command, "run and k").action(
    async (paths: readonly string[], options: CompareOptions) => {
      checkOutput(options, streams);
      const cases = caseGrid(command, options);
      if (cases.length !== 1) command.error(`error: compare takes one way to store, found ${cases.length}`);
      const twin = paths.find((path, i) => paths.indexOf(path) !== i);
      if (twin !== undefined) command.error(`error: ${twin} was given twice: expected each run once`);
      const runs: ComparedRun[] = [];
      for (const path of paths) {
        const outcome = await readOutcome(path);
        const result = await lensFolder(path, cases, options, streams, false);
        const { cases: counted, input, skipped } = result;
        const [{ totals, end }] = counted;
        const { metadata, stepNumbers } = input;
        runs.push({ path, metadata, stepNumbers, totals, end, outcome, skipped });
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
