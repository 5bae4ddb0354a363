import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { compareEnds, type EndComparison } from "../lens/compare.js";
import { wrap } from "../report/columns.js";
import { count, percent, share } from "../report/numbers.js";
import { recordedRun } from "../source/recording.js";
import { openCheckpoint } from "../source/safetensors/checkpoint.js";
import { updateSettings } from "../update/settings.js";
import { checkOutput, emit, terminal } from "./emit.js";
import { lensRecording } from "./lens-recording.js";
import { addOutputOptions, engineOption, type OutputOptions } from "./options.js";

/** The same distance from src/cli and from dist/cli. */
const example = fileURLToPath(new URL("../../src/example/", import.meta.url));

const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "bf16", scheme: "kahan" }),
  updateSettings({ format: "bf16", rounding: "stochastic" }),
  updateSettings({ format: "fp32" }),
];

export function demoCommand(): Command {
  const command = new Command("demo")
    .summary("the embedded recorded run, every way to store its weights")
    .description(
      "A real RLVR run (GRPO on a tiny decoder that adds numbers; AdamW, learning rate 1e-5, fp32 master):\n" +
        "its first 8 steps stored in bf16 in every way, and as an fp32 run would have stored them.",
    )
    .addOption(engineOption());
  return addOutputOptions(command).action(async (options: OutputOptions & { engine: string }) => {
    checkOutput(options);
    const result = await lensRecording({
      paths: await recordedRun(example),
      cases,
      engine: options.engine,
      strict: true,
      quiet: options.quiet ?? false,
    });
    const before = paragraph(
      "The first 8 of 300 steps of a real RLVR run (GRPO, AdamW at 1e-5), stored in five ways.",
    );
    const next = paragraph("Next: precision-lens explain 0.02 1e-6; precision-lens run --help");
    emit(result, options, { before: `${before}\n`, after: `\n${paragraph(await endOfRun())}\n${next}` });
  });
}

function paragraph(text: string): string {
  return `${wrap(text, Math.min(terminal().columns, 100)).join("\n")}\n`;
}

/** What the whole run looked like at its end, in bf16 and in its fp32 master. */
async function endOfRun(): Promise<string> {
  const parts = ["base", "final-bf16", "final-fp32"].map((name) =>
    openCheckpoint(`${example}${name}.safetensors`),
  );
  const [base, stored, master] = await Promise.all(parts);
  const all: EndComparison = { elements: 0, unchanged: 0, unchangedInMaster: 0 };
  for (const [name, { values }] of base.tensors) {
    const tensor = await compareEnds(
      values!,
      stored.tensors.get(name)!.values!,
      master.tensors.get(name)!.values!,
    );
    all.elements += tensor.elements;
    all.unchanged += tensor.unchanged;
    all.unchangedInMaster += tensor.unchangedInMaster;
  }
  await Promise.all([base, stored, master].map((checkpoint) => checkpoint.close()));
  const hidden = all.unchanged - all.unchangedInMaster;
  return (
    `At the end of the run ${percent(share(all.unchanged, all.elements))} of the bf16 weights were bit for bit what ` +
    `they had been, and ${percent(share(hidden, all.unchanged))} of these had moved in the fp32 master: only ` +
    `${count(all.unchangedInMaster)} of ${count(all.elements)} weights had learned nothing.`
  );
}
