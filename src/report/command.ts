import type { DifferenceResult } from "../lens/difference-result.js";
import { printable } from "../lens/printable.js";
import type { Case, Result } from "../lens/result.js";
import type { SyntheticInput } from "../lens/synthetic-result.js";

/** The commands that count a result again; nothing for one whose input was given to the library. */
export function runCommandLines(result: Result): string[] {
  const { input, settings, cases } = result;
  const { weights, updates, gradients, synthetic } = input;
  if (synthetic) return simulateCommandLines(result, synthetic);
  if (weights === null || (updates ?? gradients) === null) return [];
  const files = [
    "--weights",
    weights,
    ...(updates !== null ? ["--updates", updates] : ["--gradients", gradients!]),
  ];
  const { optimizer, seed, strict } = settings;
  const common = [
    ...(optimizer
      ? [
          ...[
            "--optimizer",
            optimizer.name,
            "--lr",
            String(optimizer.lr),
            "--betas",
            optimizer.betas.join(","),
          ],
          ...["--eps", String(optimizer.eps), "--weight-decay", String(optimizer.weightDecay)],
        ]
      : settings.overflow === "ieee"
        ? []
        : ["--overflow", settings.overflow]),
    ...(seed === 0 ? [] : ["--seed", String(seed)]),
    ...(strict ? ["--strict"] : []),
  ];
  return caseOptions(cases).map((of) => commandLine(["run", ...files, ...of, ...common]));
}

/** Every setting as it was, whether it was given, the preset's or a default: the same under any preset. */
function simulateCommandLines({ input, settings, cases }: Result, of: SyntheticInput): string[] {
  const { weights, gradients, optimizer } = of;
  const shape = weights && /[\d.]+$/.exec(weights.queryKeyDistribution);
  const sampled = input.elements < of.parameters;
  const words = [
    ...(of.preset === null ? [] : ["--preset", of.preset]),
    ...["--steps", String(input.stepNumbers.length)],
    ...(input.weights === null ? [] : ["--weights", input.weights]),
    ...(of.model === null ? [] : ["--model", of.model]),
    ...(sampled || (of.model === null && weights) ? ["--elements", String(input.elements)] : []),
    ...(weights ? ["--sigma", String(weights.sigma), "--base-format", weights.format] : []),
    ...(shape ? ["--qk-shape", shape[0]] : []),
    ...["--lr", String(optimizer.lr), "--betas", optimizer.betas.join(","), "--eps", String(optimizer.eps)],
    ...["--weight-decay", String(optimizer.weightDecay), "--schedule", optimizer.schedule],
    ...["--warmup", String(optimizer.warmup)],
    ...["--gradient", gradients.snr === 0 ? "noise" : `signal:${gradients.snr}`, "--noise", gradients.noise],
    // The norm is that after clipping: to clip there changes nothing.
    ...["--gradient-norm", String(gradients.norm), "--clip", String(gradients.norm)],
    ...["--scale-spread", String(gradients.scaleSpread)],
    ...(of.source === "gradients" ? [] : ["--source", of.source]),
    ...(settings.overflow === "ieee" ? [] : ["--overflow", settings.overflow]),
    ...["--seed", String(of.seed)],
  ];
  // The fp32 run beside the others is not asked for.
  const asked = cases.filter(({ format, recipe }) => format !== "fp32" || recipe !== null);
  return caseOptions(asked.length > 0 ? asked : cases).map((each) =>
    commandLine(["simulate", ...each, ...words]),
  );
}

export function diffCommandLine({ input, settings }: DifferenceResult): string {
  return commandLine([
    "diff",
    input.before.path,
    input.after.path,
    ...(settings.view === null ? [] : ["--view", settings.view]),
    ...(settings.strict ? ["--strict"] : []),
    ...(settings.seed === 0 ? [] : ["--seed", String(settings.seed)]),
  ]);
}

/** The options that make these cases: of one command where they are a grid, else of one for each format and rounding. */
function caseOptions(cases: readonly Case[]): string[][] {
  const values = (of: (each: Case) => string) => [...new Set(cases.map(of))];
  if (cases.every(({ recipe }) => recipe !== null)) {
    // A recipe that stores fp32 does so whatever the format, so these are no grid of formats.
    const formats = values(({ format }) => format).filter(
      (format, _, all) => all.length === 1 || format !== "fp32",
    );
    return [["--format", formats.join(","), "--recipe", values(({ recipe }) => recipe!.name).join(",")]];
  }
  const options = (of: readonly Case[]) => {
    const list = (name: (each: Case) => string) => [...new Set(of.map(name))].join(",");
    const [{ opmath }] = of;
    return [
      ...["--format", list(({ format }) => format), "--scheme", list(({ scheme }) => scheme)],
      ...["--rounding", list(({ rounding }) => rounding)],
      ...(opmath === "fp32" ? [] : ["--opmath", opmath]),
    ];
  };
  if (isGrid(cases)) return [options(cases)];
  const groups = new Map<string, Case[]>();
  for (const of of cases) {
    const key = `${of.format} ${of.rounding} ${of.opmath}`;
    groups.set(key, [...(groups.get(key) ?? []), of]);
  }
  return [...groups.values()].map(options);
}

/** Whether the cases are every format under every scheme and rounding, in the order in which `run` takes them. */
function isGrid(cases: readonly Case[]): boolean {
  const values = (of: (each: Case) => string) => [...new Set(cases.map(of))];
  const roundings = values(({ rounding }) => rounding);
  const grid = values(({ format }) => format).flatMap((format) =>
    values(({ scheme }) => scheme).flatMap((scheme) =>
      roundings.map((rounding) => `${format} ${scheme} ${rounding}`),
    ),
  );
  const found = cases.map(({ format, scheme, rounding }) => `${format} ${scheme} ${rounding}`);
  return values(({ opmath }) => opmath).length === 1 && grid.join() === found.join();
}

function commandLine(words: readonly string[]): string {
  return ["precision-lens", ...words.map(quoted)].join(" ");
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  const shown = printable(word);
  return /^[\w./,:=+@%-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}
