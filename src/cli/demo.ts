import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { DifferenceTally } from "../lens/difference/difference.js";
import { printable } from "../lens/printable.js";
import { wrap } from "../report/columns.js";
import { shellWord } from "../report/command.js";
import { count, percent, share } from "../report/numbers.js";
import { InputError } from "../source/input-error.js";
import { comparePair } from "../source/pair/compare-pair.js";
import { openPair } from "../source/pair/open-pair.js";
import { updateSettings } from "../update/settings.js";
import { addOutputOptions, type OutputOptions, threadsOption } from "./common-options.js";
import { checkOutput, emit } from "./emit.js";
import { lensFolder } from "./lens-recording.js";
import { engineOption } from "./options.js";
import { type Output, type Streams, terminal } from "./streams.js";
import { expectFolder, makeFolder } from "./write-figures.js";
import { writeWhole } from "./write-output.js";

/** The same relative path from src/cli and from dist/cli. */
const example = fileURLToPath(new URL("../../src/example/", import.meta.url));

const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "bf16", scheme: "kahan" }),
  updateSettings({ format: "bf16", rounding: "stochastic" }),
  updateSettings({ format: "fp32" }),
];

export function demoCommand(streams: Streams): Command {
  const command = new Command("demo")
    .description(
      "A real RLVR run (GRPO on a tiny decoder that adds numbers; AdamW, learning rate 1e-5, fp32 master): " +
        "its first 8 steps stored in bf16 in every way, and as an fp32 run would have stored them.",
    )
    .option("--write <folder>", "write the run there instead, to try other commands on")
    .addOption(engineOption())
    .addOption(threadsOption());
  return addOutputOptions(command).action(
    async (options: OutputOptions & { engine: string; threads?: number; write?: string }) => {
      if (options.write !== undefined) return writeExample(options.write, options.quiet ? null : streams.out);
      checkOutput(options, streams);
      const result = await lensFolder(example, () => cases, options, streams, true);
      const { columns } = terminal(streams);
      const paragraph = (text: string) => `${wrap(text, Math.min(columns, 100)).join("\n")}\n`;
      const before = paragraph(
        "The first 8 of 300 steps of a real RLVR run (GRPO, AdamW at 1e-5), stored in five ways.",
      );
      const next = "Next:\n  precision-lens explain 0.02 1e-6\n  precision-lens run --help\n";
      await emit(result, options, streams, {
        before: `${before}\n`,
        after: `\n${paragraph(await endOfRun())}\n${next}`,
      });
    },
  );
}

/** Writes the embedded run into a folder; replaces no files. */
function writeExample(folder: string, out: Output | null): void {
  expectFolder(folder);
  const files = ["base", "updates", "final-fp32"].map((name) => `${name}.safetensors`);
  const there = files.find((name) => existsSync(join(folder, name)));
  if (there !== undefined) throw new InputError(folder, "a folder without a recorded run", there);
  makeFolder(folder);
  for (const name of files) writeWhole(join(folder, name), readFileSync(join(example, name)));
  const run = shellWord(folder);
  out?.write(
    [
      `${files.join(", ")} are in ${printable(folder)}. Try:`,
      `  precision-lens run ${run} --format bf16,fp16,e4m3fn`,
      `  precision-lens sweep ${run}`,
      `  precision-lens diff ${run} ${run}`,
      `  precision-lens diff ${shellWord(join(folder, files[0]))} ${shellWord(join(folder, files[2]))} --view bf16`,
      "",
    ].join("\n"),
  );
}

/** The end of the whole run: its fp32 master, and its bf16 view. */
async function endOfRun(): Promise<string> {
  const pair = await openPair(`${example}base.safetensors`, `${example}final-fp32.safetensors`);
  const { tallies } = await comparePair(pair, { sample: 0, seed: 0 });
  await pair.close();
  const all = new DifferenceTally();
  for (const tally of tallies) all.merge(tally);
  const { elements, unchanged, hidden } = all;
  return (
    `At the end of the run ${percent(share(unchanged, elements))} of the bf16 weights were bit for bit what ` +
    `they had been, and ${percent(share(hidden, unchanged))} of these had moved in the fp32 master: only ` +
    `${count(unchanged - hidden)} of ${count(elements)} weights had learned nothing.`
  );
}
