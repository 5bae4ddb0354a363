import { type Command, InvalidArgumentError, Option } from "commander";
import { engineNames } from "../engine/engine-names.js";
import { blockFormats, isBlockFormat } from "../format/block/block-format.js";
import { type Opmath, opmaths } from "../format/operations.js";
import { type Overflow, overflows, type Rounding, roundings } from "../format/round.js";
import type { StepSettings } from "../source/recorded-optimizer.js";
import { type BlockSchemeName, blockSchemeNames } from "../update/block-scheme.js";
import { type BlockSettings, type ScaleTimes, scaleTimes, schemeSettings } from "../update/block-settings.js";
import { type RecipeSettings, recipeSettings, recipes } from "../update/optimizer.js";
import type { OptimizerName, OptimizerSettings } from "../update/recipe/recipe.js";
import { defaultEps } from "../update/recipe/recipe-step.js";
import { type SchemeName, schemeNames } from "../update/scheme.js";
import type { UpdateSettings } from "../update/settings.js";
import { finiteNumber, formatName, roundingName, storageName, wholeNumber } from "./common-options.js";
import { asUsage, ListOption, oneOf } from "./strict-options.js";

/** Options of the cases to count. */
export interface CaseOptions {
  readonly format: readonly string[];
  readonly scheme: readonly (SchemeName | BlockSchemeName)[];
  readonly rounding: readonly Rounding[];
  readonly through?: string;
  readonly scales: ScaleTimes;
  readonly momentum?: number;
  readonly opmath: Opmath;
  readonly overflow: Overflow;
  readonly seed: number;
}

const allSchemes = [...new Set([...schemeNames, ...blockSchemeNames])];

/** @param seed whether to offer the seed of stochastic rounding. */
export function addCaseOptions(command: Command, { seed = true } = {}): Command {
  const format = new ListOption(
    "--format <names>",
    `storage formats: bf16, fp16, e4m3fn, e5m10, ...; with shared scales (--scheme ${blockSchemeNames.join(", ")}): ${[...blockFormats.keys()].join(", ")}`,
    (text) => namesIn(text).map(storageName),
  );
  const scheme = new ListOption(
    "--scheme <names>",
    `how weights take updates: ${allSchemes.join(", ")}`,
    (text) => namesIn(text).map((name) => oneOf("scheme", name, allSchemes)),
  );
  const rounding = new ListOption(
    "--rounding <names>",
    `how sums are rounded: ${roundings.join(", ")}`,
    (text) => namesIn(text).map(roundingName),
  );
  command
    .addOption(format.default(["bf16"], "bf16"))
    .addOption(scheme.default(["in-place", "master"], "in-place,master"))
    .addOption(rounding.default(["nearest-even"], "nearest-even"))
    .addOption(throughOption())
    .addOption(
      new Option(
        "--scales <when>",
        "of formats with shared scales: scales are computed again after every step, or once at the start",
      )
        .choices(scaleTimes)
        .default("renewed"),
    )
    .option("--momentum <beta>", "first beta of the optimizer, for --scheme eco (default: 0.9)", finiteNumber)
    .addOption(opmathOption())
    .addOption(overflowOption());
  return seed ? command.option("--seed <n>", "seed of stochastic rounding", wholeNumber, 0) : command;
}

/** Options of updates computed from gradients. */
export interface OptimizerOptions {
  readonly optimizer?: OptimizerName;
  readonly recipe?: readonly string[];
  readonly lr?: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly override?: boolean;
}

export function addOptimizerOptions(command: Command): Command {
  const names = Object.keys(recipes) as OptimizerName[];
  return command
    .addOption(
      new Option("--optimizer <name>", "optimizer that computes the updates from gradients").choices(names),
    )
    .addOption(recipeOption(names).default(undefined, "master,fp32"))
    .option("--lr <x>", "learning rate (default: the recording's)", finiteNumber)
    .option(
      "--betas <a,b>",
      "decay rates of the moments (default: the recording's, or 0.9,0.999; of Lion 0.9,0.99; the first is SGD's momentum)",
      twoNumbers,
    )
    .option(
      "--eps <x>",
      `term added to the denominator (default: the recording's, or ${defaultEps})`,
      finiteNumber,
    )
    .option("--weight-decay <x>", "weight decay (default: the recording's, or 0)", finiteNumber)
    .option(
      "--override",
      "let these options override the recording, and accept missing moments and steps that no parameter has; a parameter " +
        "without gradients at some of the steps is never counted",
    );
}

/** The given settings. */
export function givenSettings({
  lr,
  betas,
  eps,
  weightDecay,
}: Pick<OptimizerOptions, "lr" | "betas" | "eps" | "weightDecay">): StepSettings {
  return {
    ...(lr !== undefined && { lr }),
    ...(betas && { betas }),
    ...(eps !== undefined && { eps }),
    ...(weightDecay !== undefined && { weightDecay }),
  };
}

/** The recipes of optimizers; a star marks those not compared with their framework in any format. */
export function recipeOption(optimizers: readonly OptimizerName[]): Option {
  const listed = optimizers.map((optimizer) => {
    const names = [...recipes[optimizer].values()].map(
      ({ name, verified }) => `${name}${verified === null ? "*" : ""}`,
    );
    return `${optimizer}: ${names.join(", ")}`;
  });
  const about = `framework whose roundings the updates are computed with; ${listed.join("; ")} (* not compared with its framework)`;
  // Sequences that are not imitated are rejected later, with the reason, when the optimizer is known.
  return new ListOption("--recipe <names>", about, namesIn);
}

/** The cases for the given recipes, on the same gradients. */
export function recipeCases(
  { format, seed }: CaseOptions,
  optimizer: OptimizerName,
  recipe: readonly string[] = ["master", "fp32"],
  settings: OptimizerSettings,
): RecipeSettings[] {
  // A recipe that stores fp32 is a single case for all formats.
  const pairs = recipe.flatMap((name) =>
    (recipes[optimizer].get(name)?.fp32Storage ? ["fp32"] : format).map((storedAs) => ({
      name,
      of: storedAs,
    })),
  );
  return pairs.map(({ name, of: storedAs }) =>
    recipeSettings(optimizer, name, { ...settings, format: storedAs, seed }),
  );
}

export function twoNumbers(text: string): [number, number] {
  const numbers = text.split(",").map(finiteNumber);
  if (numbers.length !== 2) throw new InvalidArgumentError("expected two numbers, such as 0.9,0.999");
  return [numbers[0], numbers[1]];
}

export function throughOption(): Option {
  return new Option(
    "--through <format>",
    "format to which the master is rounded before it is quantized with shared scales, as trainers send bf16",
  ).argParser(formatName);
}

export function roundingOption(): Option {
  return new Option("--rounding <name>", `how sums are rounded: ${roundings.join(", ")}`)
    .argParser(roundingName)
    .default("nearest-even");
}

export function opmathOption(): Option {
  return new Option(
    "--opmath <name>",
    "fp32: operations in fp32, then one rounding; exact: one rounding of the exact result",
  )
    .choices(opmaths)
    .default("fp32");
}

export function overflowOption(): Option {
  return new Option("--overflow <name>", "beyond the largest finite number: Inf or NaN, or that number")
    .choices(overflows)
    .default("ieee");
}

export function engineOption(): Option {
  return new Option("--engine <name>", "engine that does the arithmetic")
    .choices(engineNames)
    .default("auto");
}

/** The grid of formats, schemes and roundings, in this order. `through` is for formats with shared scales. */
export function caseGrid(
  command: Command,
  { format, scheme, rounding, through, momentum, ...common }: CaseOptions,
): (UpdateSettings | BlockSettings)[] {
  if (momentum !== undefined && !scheme.includes("eco")) {
    command.error(`error: --momentum is for --scheme eco, found ${scheme.join(", ")}`);
  }
  if (!format.some(isBlockFormat)) {
    const given = through !== undefined ? "--through" : common.scales === "kept" ? "--scales kept" : null;
    if (given) command.error(`error: ${given} is for formats with shared scales, found ${format.join(", ")}`);
  }
  return asUsage(command, () =>
    format.flatMap((storedAs) =>
      scheme.flatMap((by) =>
        rounding.map((to) => {
          const first = isBlockFormat(storedAs) && through !== undefined ? { through } : {};
          const beta = momentum === undefined ? {} : { momentum };
          return schemeSettings({ ...common, ...first, ...beta, format: storedAs, scheme: by, rounding: to });
        }),
      ),
    ),
  );
}

/** Cases without block formats. @param what the option or command that requires that. */
export function plainCases(
  command: Command,
  what: string,
  cases: readonly (UpdateSettings | BlockSettings)[],
): UpdateSettings[] {
  return cases.map((settings) => {
    if (!settings.blocks) return settings;
    return command.error(
      `error: ${what} is for formats without shared scales, found ${settings.blocks.name}`,
    );
  });
}

function namesIn(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}
