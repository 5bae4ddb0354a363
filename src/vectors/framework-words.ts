import { format as formatNamed } from "../format/registry.js";
import { Collected, type Outcome } from "./collected.js";
import { count, describeOutcome, share, withCode } from "./describe.js";
import { type ComparedRecipe, compareRecipes, type FirstDifference } from "./framework.js";
import { codesOf, type FrameworkCast, type FrameworkFile } from "./framework-file.js";
import { type AnySubject, defaultSettings, subjectOf } from "./settings.js";

/** A cast, compared with both overflow modes; the better match is assumed. */
export interface ComparedCast {
  readonly from: string;
  readonly to: string;
  readonly overflow: "ieee" | "saturate";
  readonly subject: AnySubject;
  readonly outcome: Outcome<unknown, unknown>;
}

/** The verdict on a framework's file. */
export interface FrameworkOutcome {
  readonly file: FrameworkFile;
  /** Every recipe that keeps what the framework keeps, the nearest first. */
  readonly recipes: readonly ComparedRecipe[];
  readonly casts: readonly ComparedCast[];
}

export function examineFramework(file: FrameworkFile): FrameworkOutcome {
  return { file, recipes: compareRecipes(file), casts: file.casts.map(compareCast) };
}

/** Whether all bits are those of a recipe, and all casts right. */
export function isRight({ recipes, casts }: FrameworkOutcome): boolean {
  return recipes[0]?.wrong === 0 && casts.every(({ outcome }) => outcome.wrong === 0);
}

/** The recipes that give every bit. */
export function same(recipes: readonly ComparedRecipe[]): readonly ComparedRecipe[] {
  const [first] = recipes;
  if (first?.wrong !== 0) return [];
  return recipes.filter(({ wrong, isStochastic }) => wrong === 0 && isStochastic === first.isStochastic);
}

function compareCast({ from, to, inputs, results }: FrameworkCast): ComparedCast {
  const [questions, answers] = [codesOf(inputs), codesOf(results)];
  const compared = (["ieee", "saturate"] as const).map((overflow): ComparedCast => {
    const subject = subjectOf({ ...defaultSettings, format: to, from, overflow });
    const collected = new Collected(subject);
    for (let i = 0; i < questions.length; i++) {
      const question = subject.read(questions, i);
      const expected = subject.answer(question);
      if (expected !== null) collected.add(question, expected, subject.readAnswer(answers, i));
    }
    return { from, to, overflow, subject, outcome: collected.outcome() };
  });
  return compared.reduce((best, other) => (other.outcome.wrong < best.outcome.wrong ? other : best));
}

/** As lines: the matching recipe, or where it differs from the nearest one; then each cast. */
export function describeFramework({ file, recipes, casts }: FrameworkOutcome): string[] {
  const { framework, version, device, optimizer, format, steps } = file;
  const elements = file.shape.reduce((product, side) => product * side, 1);
  return [
    `${framework} ${version} on ${device}, ${optimizer} in ${format}, ${count(elements)} elements, ${steps.length} steps`,
    ...verdict(file, recipes),
    ...casts.flatMap(({ overflow, subject, outcome }) => [
      "",
      describeOutcome(subject, outcome) + (overflow === "saturate" ? "; it saturates" : ""),
    ]),
  ];
}

const named = ({ recipe: { optimizer, name } }: ComparedRecipe) => `${name} of ${optimizer}`;

function verdict({ format, steps }: FrameworkFile, recipes: readonly ComparedRecipe[]): string[] {
  const [nearest] = recipes;
  if (nearest === undefined) {
    const found = Object.keys(steps[0].states);
    return [`No recipe keeps what it keeps: ${found.length === 0 ? "no states" : found.join(", ")}.`];
  }
  const right = same(recipes);
  if (right.length > 0) {
    const names = right.map(named).join(", or ");
    const but = nearest.isStochastic ? " but for which way a number was rounded, which is drawn" : "";
    return [
      `It is the recipe ${names}: all of ${count(nearest.cases)} steps of an element, every bit${but}.`,
    ];
  }
  const { cases, wrong, first } = nearest;
  return [
    `It is none of the recipes. Nearest is ${named(nearest)}: ${count(wrong)} of ${count(cases)} steps of an element differ (${share(wrong, cases)}).`,
    ...nearest.stages.map(({ state, wrong, of: total }) => `  ${stageIn(state, wrong, total)}`),
    ...(first === null ? [] : [describeFirst(first, format)]),
    ...recipes
      .slice(1, 3)
      .map((other) => `Next: ${named(other)}, ${share(other.wrong, other.cases)} differ.`),
  ];
}

function stageIn(state: string, wrong: number, total: number): string {
  const names: Readonly<Record<string, string>> = { m: "first moment", v: "second moment" };
  const what =
    state === "p" ? "weight, where the moments are right" : `${names[state.toLowerCase()]} (${state})`;
  if (total === 0) return `${what}: nowhere`;
  const found =
    wrong === 0
      ? `all of ${count(total)}, every bit`
      : `${count(wrong)} of ${count(total)} differ (${share(wrong, total)})`;
  return `${what}: ${found}`;
}

function describeFirst(first: FirstDifference, formatName: string): string {
  const { step, element, state, gradient, before, expected, found } = first;
  const format = formatNamed(formatName);
  const formatOfState = (name: string) => (/^[MVP]$/.test(name) ? formatNamed("fp32") : format);
  const states = Object.entries(before).map(([name, x]) => `${name} ${withCode(x, formatOfState(name))}`);
  return (
    `  first: step ${step}, element ${element}, g ${withCode(gradient, format)}, ${states.join(", ")}: ` +
    `${state} became ${withCode(found, formatOfState(state))}, expected ${withCode(expected, formatOfState(state))}`
  );
}
