import { isBlockFormat } from "../format/block/block-format.js";
import type { DifferenceResult } from "../lens/difference/difference-result.js";
import type { SeriesResult } from "../lens/difference/series.js";
import { defaultLayers, defaultRank, type Geometry } from "../lens/geometry-result.js";
import { defaultSample, type Inspection } from "../lens/inspect/inspection.js";
import type { LearnResult, LearnRun } from "../lens/learning/learning.js";
import { isFp32 } from "../lens/learning/learning-summary.js";
import type { RunComparison } from "../lens/learning/run-comparison.js";
import { printable } from "../lens/printable.js";
import type { Case } from "../lens/run/case.js";
import type { Result, ResultInput, ResultOptimizer } from "../lens/run/result.js";
import type { SyntheticInput } from "../lens/run/synthetic-result.js";
import type { PredictionResult } from "../lens/study/prediction.js";
import type { SweepCase, SweepResult } from "../lens/study/sweep.js";
import { rateText } from "./sweep.js";

/** The commands that reproduce a result; none if its input was passed to the library. */
export function runCommandLines(result: Result): string[] {
  const { input, settings, cases, geometry } = result;
  const { weights, updates, gradients, adapter, synthetic } = input;
  if (adapter !== undefined) return adapterCommandLines(result, weights!, adapter);
  if (synthetic) return simulateCommandLines(result, synthetic);
  if (weights === null || (updates ?? gradients) === null) return [];
  // A geometry is of the recorded run of a folder.
  const files = geometry
    ? [folderOf(weights), ...geometryWords(geometry)]
    : [
        "--weights",
        weights,
        ...(updates !== null ? ["--updates", updates] : ["--gradients", gradients!]),
        ...(input.moments === undefined ? [] : ["--moments", input.moments]),
      ];
  const { optimizer, seed, strict } = settings;
  const common = [
    ...(optimizer
      ? ["--optimizer", optimizer.name, ...givenWords(optimizer)]
      : settings.overflow === "ieee"
        ? []
        : ["--overflow", settings.overflow]),
    ...(seed === 0 ? [] : ["--seed", String(seed)]),
    ...(strict ? ["--strict"] : []),
  ];
  return caseOptions(cases).map((options) => commandLine(["run", ...files, ...options, ...common]));
}

function adapterCommandLines(
  { input, settings, cases, merge }: Result,
  weights: string,
  adapter: string,
): string[] {
  const { merged } = input;
  const { overflow, seed, strict } = settings;
  const more = [
    ...(merged === undefined ? [] : ["--merged", merged]),
    ...(merge?.cases.some(({ unmerge }) => unmerge !== null) ? ["--unmerge"] : []),
    ...(merge?.rounded ? ["--round-update", merge.rounded] : []),
    ...(overflow === "ieee" ? [] : ["--overflow", overflow]),
    ...(seed === 0 ? [] : ["--seed", String(seed)]),
    ...(strict ? ["--strict"] : []),
  ];
  return caseOptions(cases).map((options) =>
    commandLine(["run", "--weights", weights, "--adapter", adapter, ...options, ...more]),
  );
}

function simulateCommandLines({ input, settings, cases }: Result, synthetic: SyntheticInput): string[] {
  const words = [
    ...(settings.overflow === "ieee" ? [] : ["--overflow", settings.overflow]),
    ...syntheticWords(input, synthetic),
  ];
  // The fp32 run is added without an option.
  const asked = cases.filter(({ format, recipe }) => format !== "fp32" || recipe !== null);
  return caseOptions(asked.length > 0 ? asked : cases).map((each) =>
    commandLine(["simulate", ...each, ...words]),
  );
}

/** The command that reproduces a sweep, or one for each format and rounding if the cases are not a grid. */
export function sweepCommandLines({ input, settings, rates, answers }: SweepResult): string[] {
  const { synthetic, weights } = input;
  const { overflow, seed, learns, keeps } = settings;
  const words = [
    ...(synthetic ? syntheticWords(input, synthetic, rates) : []),
    ...(synthetic ? [] : ["--scale", rates.map(exact).join(",")]),
    ...(synthetic || seed === 0 ? [] : ["--seed", String(seed)]),
    ...(overflow === "ieee" ? [] : ["--overflow", overflow]),
    ...["--learns", String(learns), "--keeps", String(keeps)],
  ];
  const folder = synthetic ? [] : [folderOf(weights!)];
  return caseOptions(answers.cases).map((each) => commandLine(["sweep", ...folder, ...each, ...words]));
}

export function predictionCommandLine({ input, format, optimizer }: PredictionResult): string {
  const { synthetic, weights, elements } = input;
  const words = synthetic
    ? syntheticWords(input, synthetic)
    : [folderOf(weights!), ...optimizerWords(optimizer)];
  // Without it `predict` takes a sample.
  const all = synthetic && !words.includes("--elements") ? ["--elements", String(elements)] : [];
  return commandLine(["predict", ...words, ...all, "--format", format]);
}

/** All settings, whether given, from the preset or defaults, so that the preset does not matter. */
function syntheticWords(
  input: Pick<ResultInput, "elements" | "stepNumbers" | "weights">,
  { weights, gradients, optimizer, ...synthetic }: SyntheticInput,
  rates: readonly number[] = [optimizer.lr],
): string[] {
  const shape = weights && /[\d.]+$/.exec(weights.queryKeyDistribution);
  const sampled = input.elements < synthetic.parameters;
  return [
    ...(synthetic.preset === null ? [] : ["--preset", synthetic.preset]),
    ...["--steps", String(input.stepNumbers.length)],
    ...(input.weights === null ? [] : ["--weights", input.weights]),
    ...(synthetic.model === null ? [] : ["--model", synthetic.model]),
    ...(sampled || (synthetic.model === null && weights)
      ? ["--elements", synthetic.shape?.join("x") ?? String(input.elements)]
      : []),
    ...(weights ? ["--sigma", String(weights.sigma), "--base-format", weights.format] : []),
    ...(shape ? ["--qk-shape", shape[0]] : []),
    ...optimizerWords(optimizer, rates),
    ...["--schedule", optimizer.schedule, "--warmup", String(optimizer.warmup)],
    ...["--gradient", gradients.snr === 0 ? "noise" : `signal:${gradients.snr}`, "--noise", gradients.noise],
    // The norm is the one after clipping: clipping at it changes nothing.
    ...["--gradient-norm", String(gradients.norm), "--clip", String(gradients.norm)],
    ...["--scale-spread", String(gradients.scaleSpread)],
    ...(synthetic.source === "gradients" ? [] : ["--source", synthetic.source]),
    ...["--seed", String(synthetic.seed)],
  ];
}

/** The settings given in addition to those of the recording. */
function givenWords({ recorded, ...settings }: ResultOptimizer): string[] {
  if (recorded === undefined) return optimizerWords(settings);
  return [...optimizerWords(recorded.given), ...(recorded.override ? ["--override"] : [])];
}

/** The settings that do not vary. */
function optimizerWords(
  { lr, betas, eps, weightDecay }: Partial<Omit<ResultOptimizer, "name">>,
  rates: readonly unknown[] = lr === undefined ? [] : [lr],
): string[] {
  return [
    ...(rates.length > 0 ? ["--lr", rates.map(exact).join(",")] : []),
    ...(betas === undefined ? [] : ["--betas", betas.join(",")]),
    ...(eps === undefined ? [] : ["--eps", String(eps)]),
    ...(weightDecay === undefined ? [] : ["--weight-decay", String(weightDecay)]),
  ];
}

/** All digits of a rate, in the notation of headlines and axes: 1e-6 and not 0.000001. */
function exact(rate: unknown): string {
  return typeof rate === "number" && rate !== 0 && Math.abs(rate) < 1e-3
    ? rate.toExponential()
    : String(rate);
}

/** The folder of the recorded run that has these weights. */
function folderOf(weights: string): string {
  const folder = /^(.*)[\\/]/.exec(weights)?.[1];
  return folder === "" ? "/" : (folder ?? ".");
}

export function diffCommandLine({ input, settings, geometry }: DifferenceResult): string {
  const walk = geometry?.walk ?? null;
  return commandLine([
    "diff",
    input.before.path,
    input.after.path,
    ...(geometry?.others ?? []).map(({ path }) => path),
    ...(geometry ? geometryWords(geometry) : []),
    ...(walk === null ? [] : ["--lr", exact(walk.lr), "--steps", String(walk.steps)]),
    ...pairWords(settings),
  ]);
}

/** The options of a comparison of checkpoints. */
function pairWords({ view, strict, rename = [], commonRows, seed }: DifferenceResult["settings"]): string[] {
  return [
    ...(view === null ? [] : ["--view", view]),
    ...(strict ? ["--strict"] : []),
    ...rename.flatMap((rule) => ["--rename", rule]),
    ...(commonRows ? ["--common-rows"] : []),
    ...(seed === 0 ? [] : ["--seed", String(seed)]),
  ];
}

/** The options of a geometry but for rate and steps, which a recorded run tells itself. */
function geometryWords({ rank, sampled, layers, curve = [] }: Geometry): string[] {
  const spectra = new Map<string, number>();
  for (const { stack, spectra: taken } of layers)
    spectra.set(stack, (spectra.get(stack) ?? 0) + (taken ? 1 : 0));
  const most = Math.max(0, ...spectra.values());
  return [
    "--geometry",
    ...(rank === defaultRank ? [] : ["--rank", String(rank)]),
    ...(sampled.all ? ["--layers", "all"] : most === defaultLayers ? [] : ["--layers", String(most)]),
    ...(curve.length === 0 ? [] : ["--milestones", curve.map(({ updates }) => updates).join(",")]),
  ];
}

export function seriesCommandLine({ input, settings }: SeriesResult): string {
  return commandLine(["diff", ...input.checkpoints.map(({ path }) => path), ...pairWords(settings)]);
}

export function inspectCommandLine({ input, settings: { as, sample } }: Inspection): string {
  const tried = [
    "--as",
    as.join(","),
    ...(sample === defaultSample ? [] : ["--sample", String(sample ?? "all")]),
  ];
  return commandLine(["inspect", input.path, ...(as.length === 0 ? [] : tried)]);
}

/** The commands that train the models again, one for each kind of training, because learning rates differ. */
export function learnCommandLines({ runs, settings, input }: LearnResult): string[] {
  return unique(runs, ({ run }) => run).flatMap((run) => {
    const ofRun = runs.filter((learnRun) => learnRun.run === run);
    // fp32 is always trained.
    const asked = ofRun.filter((learnRun) => !isFp32(learnRun));
    const { klPrompts, steps } = settings;
    const words = [
      ...["--run", run, "--lr", unique(ofRun, ({ lr }) => rateText(lr)).join(","), "--steps", String(steps)],
      ...["--seed", unique(ofRun, ({ seed }) => seed).join(",")],
      ...(input.base === "addition" ? [] : ["--base", input.base]),
      ...(klPrompts === 0 ? [] : ["--kl", klPrompts === input.prompts ? "all" : "sample"]),
      ...(ofRun.some(({ geometry }) => geometry) ? ["--geometry"] : []),
    ];
    const storages = unique(asked.length > 0 ? asked : ofRun, (learnRun) =>
      JSON.stringify(storageOf(learnRun)),
    ).map((text): CaseNames => JSON.parse(text));
    return caseOptions(storages).map((options) => commandLine(["learn", ...words, ...options]));
  });
}

function storageOf({ format, scheme, rounding, opmath }: LearnRun): CaseNames {
  return { format, scheme, rounding, opmath };
}

function unique<Of, Value>(all: readonly Of[], keyOf: (each: Of) => Value): Value[] {
  return [...new Set(all.map(keyOf))];
}

/** Runs are named as in the report, which does not have their full paths. */
export function compareCommandLine({ runs, settings }: RunComparison): string {
  const { format, scheme, rounding, seed } = settings;
  const [given] = caseOptions([{ format, scheme, rounding, opmath: "fp32" }]);
  // Given options would win over what the recordings say.
  const storage = runs.some(({ storedAs }) => storedAs) ? [] : given;
  return commandLine([
    "compare",
    ...runs.map(({ path }) => path),
    ...storage,
    ...(seed === 0 ? [] : ["--seed", String(seed)]),
  ]);
}

/** The names of a case of any result. */
type CaseNames = SweepCase & Partial<Pick<Case, "recipe">>;

/** The options for these cases: one command if they are a grid, else one for each format and rounding. */
function caseOptions(cases: readonly CaseNames[]): string[][] {
  const values = (nameOf: (each: CaseNames) => string) => [...new Set(cases.map(nameOf))];
  if (cases.every(({ recipe }) => recipe)) {
    // A recipe that stores fp32 ignores the format, so these are not a grid of formats.
    const formats = values(({ format }) => format).filter(
      (format, _, all) => all.length === 1 || format !== "fp32",
    );
    return [["--format", formats.join(","), "--recipe", values(({ recipe }) => recipe!.name).join(",")]];
  }
  const options = (group: readonly CaseNames[]) => {
    const list = (name: (each: CaseNames) => string) => [...new Set(group.map(name))].join(",");
    const { opmath } = group.find(({ format }) => !isBlockFormat(format)) ?? group[0];
    const [{ through, scales }] = group.filter(({ format }) => isBlockFormat(format)).concat({} as CaseNames);
    const momentum = group.find((each) => each.momentum !== undefined)?.momentum;
    return [
      ...["--format", list(({ format }) => format), "--scheme", list(({ scheme }) => scheme)],
      ...["--rounding", list(({ rounding }) => rounding)],
      ...(through === undefined ? [] : ["--through", through]),
      ...(scales === undefined ? [] : ["--scales", scales]),
      ...(momentum === undefined ? [] : ["--momentum", String(Number(momentum.toPrecision(7)))]),
      ...(opmath === "fp32" ? [] : ["--opmath", opmath]),
    ];
  };
  if (isGrid(cases)) return [options(cases)];
  const groups = new Map<string, CaseNames[]>();
  for (const names of cases) {
    const key = `${names.format} ${names.rounding} ${names.opmath} ${names.through} ${names.scales}`;
    groups.set(key, [...(groups.get(key) ?? []), names]);
  }
  return [...groups.values()].map(options);
}

/** Whether the cases are all combinations of formats, schemes and roundings, in the order of `run`. */
function isGrid(cases: readonly CaseNames[]): boolean {
  const values = (nameOf: (each: CaseNames) => string) => [...new Set(cases.map(nameOf))];
  const roundings = values(({ rounding }) => rounding);
  const grid = values(({ format }) => format).flatMap((format) =>
    values(({ scheme }) => scheme).flatMap((scheme) =>
      roundings.map((rounding) => `${format} ${scheme} ${rounding}`),
    ),
  );
  const found = cases.map(({ format, scheme, rounding }) => `${format} ${scheme} ${rounding}`);
  // `through` applies only to formats with shared scales, and only fp32 opmath exists for these.
  const sharing = cases.filter(({ format }) => isBlockFormat(format));
  const plain = cases.filter((names) => !sharing.includes(names));
  const alike = new Set(sharing.map(({ through, scales }) => `${through} ${scales}`)).size <= 1;
  const opmaths = new Set((plain.length > 0 ? plain : cases).map(({ opmath }) => opmath));
  return opmaths.size === 1 && alike && grid.join() === found.join();
}

function commandLine(words: readonly string[]): string {
  return ["precision-lens", ...words.map(shellWord)].join(" ");
}

/** Quotes a word for a shell if needed. */
export function shellWord(word: string): string {
  const shown = printable(word);
  return /^[\w./,:=+@%…-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}
