import { codeOf, decode } from "../format/encode.js";
import type { Format } from "../format/format.js";
import { format as formatNamed } from "../format/registry.js";
import { recipe as recipeNamed, recipes } from "../update/optimizer.js";
import type { OptimizerSettings, Recipe } from "../update/recipe/recipe.js";
import { RecipeStep, stateNames } from "../update/recipe/recipe-step.js";
import { withCode } from "./describe.js";
import { Draw } from "./draw.js";
import { sameNumber } from "./mistake.js";
import { column, type Subject } from "./subject.js";

/** A step of AdamW: which recipe, in which storage format, with which settings, and its number from 1 on. */
export interface AdamwTo {
  readonly recipe: string;
  readonly format: Format;
  readonly settings: OptimizerSettings;
  readonly step: number;
}

/** A weight's gradient, and its states by the names of the recipe, in their order. */
interface StepQuestion {
  readonly gradient: number;
  readonly states: readonly number[];
}

type States = readonly number[];

/**
 * One step of AdamW by a recipe. The known mistakes are other recipes, so an unknown framework sequence is
 * identified by name.
 *
 * @throws RangeError for an unknown recipe, and for one that rounds stochastically or takes more than one weight at a time.
 */
export function adamwSubject({
  recipe: name,
  format,
  settings,
  step,
}: AdamwTo): Subject<StepQuestion, States> {
  const recipe = recipeNamed("adamw", name);
  if (isStochastic(recipe))
    throw new RangeError(`recipe ${name} rounds stochastically: vectors are for the other ones`);
  if (recipe.whole)
    throw new RangeError(`recipe ${name} takes ${recipe.whole.what}: vectors are of one weight`);
  const names = stateNames(recipe);
  const formats = names.map((state) => formatOfState(state, recipe, format));
  const apply = stepOf(recipe, settings, format, step);
  const stored = recipe.fp32Storage ? formatNamed("fp32") : format;
  return {
    name: `adamw ${name} in ${stored.name}, step ${step}`,
    inputs: [column("g", stored.bits), ...names.map((state, i) => column(state, formats[i].bits))],
    results: names.map((state, i) => column(`new_${state}`, formats[i].bits)),
    exhaustive: false,
    *questions(level, seed) {
      const draw = new Draw(seed, `adamw ${name}`);
      const count = level === "1" ? 5_000 : 100_000;
      for (let i = 0; i < count; i++) yield questionOf(draw, names, formats, stored, settings);
    },
    answer: ({ gradient, states }) => apply(gradient, states),
    write({ gradient, states }, words, at) {
      words[at] = codeOf(gradient, stored);
      for (const [i, state] of states.entries()) words[at + 1 + i] = codeOf(state, formats[i]);
    },
    read: (words, at) => ({
      gradient: decode(words[at], stored),
      states: formats.map((each, i) => decode(words[at + 1 + i], each)),
    }),
    writeAnswer(states, words, at) {
      for (const [i, state] of states.entries()) words[at + i] = codeOf(state, formats[i]);
    },
    readAnswer: (words, at) => formats.map((each, i) => decode(words[at + i], each)),
    same: (a, b) => a.every((x, i) => sameNumber(x, b[i])),
    kindOf: ({ expected, found }) => names.filter((_, i) => !sameNumber(expected[i], found[i])).join(" and "),
    mistakes: () =>
      [...recipes.adamw.values()]
        .filter((other) => other !== recipe && !isStochastic(other) && !other.whole)
        .filter((other) => stateNames(other).join() === names.join())
        .map((other) => {
          const step_ = stepOf(other, settings, format, step);
          return {
            name: other.name,
            says: `the recipe ${other.name}`,
            answer: ({ gradient, states }: StepQuestion) => step_(gradient, states),
          };
        }),
    describe({ question, expected, found }) {
      const shown = (states: States) =>
        states.map((x, i) => `${names[i]} ${withCode(x, formats[i])}`).join(", ");
      const { gradient, states } = question;
      return `g ${withCode(gradient, stored)}, ${shown(states)} gives ${shown(found)}, expected ${shown(expected)}`;
    },
  };
}

function isStochastic(recipe: Recipe): boolean {
  return recipe.weight.some((line) => line.includes("S("));
}

function formatOfState(state: string, recipe: Recipe, format: Format): Format {
  const isMaster = recipe.carriers.some(({ name, from }) => name === state && from === "weight");
  return recipe.fp32Storage || state === "M" || state === "V" || isMaster ? formatNamed("fp32") : format;
}

function stepOf(recipe: Recipe, settings: OptimizerSettings, format: Format, t: number) {
  const step = new RecipeStep(recipe, settings, recipe.fp32Storage ? formatNamed("fp32") : format, () => 0);
  const names = stateNames(recipe).map((name) => step.register(name));
  const g = step.register("g");
  step.begin(t);
  return (gradient: number, states: States): number[] => {
    step.registers[g] = gradient;
    for (const [i, register] of names.entries()) step.registers[register] = states[i];
    step.apply();
    return names.map((register) => step.registers[register]);
  };
}

/** Realistic numbers: gradients of all magnitudes, consistent moments, weights that the update may move. */
function questionOf(
  draw: Draw,
  names: readonly string[],
  formats: readonly Format[],
  stored: Format,
  { lr }: OptimizerSettings,
): StepQuestion {
  const significand = () => draw.sign() * (1 + draw.bits() / 2 ** 32);
  const gradient = draw.below(50) === 0 ? 0 : draw.nearest(significand() * 2 ** draw.between(-24, 4), stored);
  // Of the size of the step, up to ten binades above it, where it is lost.
  const weight = draw.nearest(significand() * lr * 2 ** draw.between(-2, 14), stored);
  const states = names.map((name, i) => {
    const format = formats[i];
    if (name === "p") return weight;
    if (/^v$/i.test(name))
      return draw.nearest(Math.abs(significand() * gradient * gradient * 2 ** draw.between(-6, 4)), format);
    if (/^m$/i.test(name)) return draw.nearest(significand() * gradient * 2 ** draw.between(-6, 2), format);
    if (format !== stored)
      return draw.nearest(weight * (1 + (draw.bits() / 2 ** 32 - 0.5) * stored.epsilon), format);
    return draw.nearest(significand() * weight * stored.epsilon * 2 ** -draw.between(1, 6), format);
  });
  return { gradient, states };
}
