import { Command, Option } from "commander";
import { blockFormat, isBlockFormat } from "../format/block/block-format.js";
import { roundings } from "../format/round.js";
import { InputError } from "../source/input-error.js";
import { Collected } from "../vectors/collected.js";
import { describeMissing, describeOutcome } from "../vectors/describe.js";
import { levels } from "../vectors/rounding-inputs.js";
import {
  askedOperations,
  defaultSettings,
  settingsOf,
  subjectOf,
  type VectorSettings,
} from "../vectors/settings.js";
import { wordsOf } from "../vectors/subject.js";
import { rowsOfTable } from "../vectors/table.js";
import { textForms } from "../vectors/text.js";
import { version } from "../version.js";
import { type AnswerOptions, addAnswerOptions, checkAnswer, writeAnswer } from "./answer.js";
import { CheckFailed } from "./check-failed.js";
import { finiteNumber, formatName, roundingName, wholeNumber } from "./common-options.js";
import { opmathOption, overflowOption, twoNumbers } from "./options.js";
import { openVectors } from "./read-vectors.js";
import type { Streams } from "./streams.js";
import { asArgument, asUsage } from "./strict-options.js";
import { type VectorsForm, vectorPieces } from "./vectors-as.js";
import { isFramework, verifyFramework } from "./verify-framework.js";
import { expectApart } from "./write-output.js";
import { writePieces, writePiecesTo } from "./write-pieces.js";

interface VectorsOptions extends VectorSettings, AnswerOptions {
  readonly as: VectorsForm;
  readonly out?: string;
  readonly verify?: string;
}

const anyFormat = asArgument((text: string) => (isBlockFormat(text) ? blockFormat(text).name : text));

export function vectorsCommand(streams: Streams): Command {
  const { rounding, from, seed, recipe, step, lr, betas, eps, weightDecay } = defaultSettings;
  const command = new Command("vectors")
    .description(
      "Writes operands and correct results as hexadecimal codes, hard cases first, to test a kernel, an RTL unit or an emulator. " +
        "--verify reads results back and reports which are wrong and which mistake it looks like.",
    )
    .option(
      "--format <name>",
      "format of the results: bf16, fp16, e4m3fn, ...; of quantize mxfp4, nvfp4, ...",
      formatOrBlock,
      "bf16",
    )
    .addOption(
      new Option("--operation <name>", "operation that is tested").choices(askedOperations).default("round"),
    )
    .option("--rounding <name>", `how results are rounded: ${roundings.join(", ")}`, roundingName, rounding)
    .addOption(overflowOption())
    .addOption(opmathOption().default("exact"))
    .option("--from <name>", "format of the inputs of round, or fp64", sourceName, from)
    .addOption(
      new Option("--level <n>", "number of cases: a few thousand, some hundred thousand, or all")
        .choices(levels)
        .default("1"),
    )
    .option("--seed <n>", "seed of the random cases", wholeNumber, seed)
    .addOption(
      new Option("--as <form>", "form of the vectors; testfloat is that of testfloat_gen, with flags")
        .choices([...textForms, "safetensors"])
        .default("hex"),
    )
    .option("--out <file>", "file to write to instead of stdout")
    .option("--recipe <name>", "framework whose AdamW is tested", recipe)
    .option("--step <n>", "number of the step of AdamW, from 1", wholeNumber, step)
    .option("--lr <x>", "learning rate of AdamW", finiteNumber, lr)
    .option("--betas <a,b>", "decay rates of AdamW's moments", twoNumbers, [...betas] as [number, number])
    .option("--eps <x>", "term that AdamW adds to the denominator", finiteNumber, eps)
    .option("--weight-decay <x>", "weight decay of AdamW", finiteNumber, weightDecay)
    .option(
      "--verify <file>",
      "read results back and tell what is wrong with them: text (TestFloat's too), JSON, safetensors, or what the doctor for frameworks wrote",
    );
  addAnswerOptions(command, "what --verify found");
  return command.action(async ({ as, out, verify, json, quiet, ...settings }: VectorsOptions) => {
    if (json !== undefined && verify === undefined) command.error("error: --json goes with --verify");
    if (verify !== undefined) {
      const answer = { json, quiet };
      checkAnswer(answer);
      if (json !== undefined && json !== "-") expectApart([json], [verify]);
      return isFramework(verify)
        ? verifyFramework(verify, answer, streams)
        : verifyVectors(verify, settings, answer, streams);
    }
    if (as === "safetensors" && out === undefined && streams.out.isTTY) {
      command.error("error: --as safetensors is no text: expected --out FILE, or stdout to be no terminal");
    }
    const pieces = asUsage(command, () => vectorPieces(settings, as));
    if (out === undefined) await writePieces(streams.out, pieces);
    else writePiecesTo(out, pieces);
  });
}

function formatOrBlock(text: string): string {
  return isBlockFormat(text) ? anyFormat(text) : formatName(text);
}

function sourceName(text: string): string {
  return ["fp64", "float64", "double"].includes(text) ? "fp64" : formatName(text);
}

async function verifyVectors(
  path: string,
  assumed: VectorSettings,
  answer: AnswerOptions,
  { out }: Streams,
): Promise<void> {
  const file = await openVectors(path, assumed);
  const subject = subjectOf(file.settings);
  const collected = new Collected(subject);
  const inputWords = wordsOf(subject.inputs);
  await file.rows((words, at) => {
    const question = subject.read(words, at);
    const expected = subject.answer(question);
    if (expected !== null) collected.add(question, expected, subject.readAnswer(words, at + inputWords));
  });
  if (collected.cases === 0) throw new InputError(path, "vectors", "none");
  const outcome = collected.outcome();
  const { cases, wrong, kinds, mistakes, first } = outcome;
  const rows = file.saysSo ? rowsOfTable(file.settings) : null;
  const missing = rows === null ? null : Math.max(0, rows - cases);
  const report = {
    schema: "precision-lens-verification/1",
    tool: { name: "precision-lens", version },
    vectors: settingsOf(file.settings),
    cases,
    missing,
    wrong,
    kinds,
    mistakes,
    first: first.map((compared) => subject.describe(compared)),
  };
  const inWords = () => [
    ...describeMissing(file.settings, cases, missing),
    describeOutcome(subject, outcome),
  ];
  writeAnswer(report, () => `${inWords().join("\n")}\n`, answer, out);
  if (wrong > 0) throw new CheckFailed();
}
