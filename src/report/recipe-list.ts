import type { ListedRecipe, RecipeList } from "../lens/run/recipe-list.js";
import { wrap } from "./columns.js";

/** The recipes of each optimizer: name, description, source, and what they were compared with. */
export function recipeListInWords({ recipes, notImitated }: RecipeList, width: number): string {
  const optimizers = [...new Set([...recipes, ...notImitated].map(({ optimizer }) => optimizer))];
  const parts = optimizers.map((optimizer) =>
    [
      `--optimizer ${optimizer}`,
      ...recipes
        .filter((recipe) => recipe.optimizer === optimizer)
        .flatMap((recipe) => ["", ...entry(recipe, width)]),
      ...notImitated
        .filter((recipe) => recipe.optimizer === optimizer)
        .flatMap(({ name, reason }) => ["", ...indented(`${name}: not imitated`, reason, width)]),
    ].join("\n"),
  );
  const starred = recipes.some(({ verified }) => verified === null);
  return [...parts, ...(starred ? [wrap(star, width).join("\n")] : [])].join("\n\n");
}

const star = "* Written from the source named, not compared bit for bit with a run.";

function entry(recipe: ListedRecipe, width: number): string[] {
  const { name, of: subject, source, releases, verified, engines, remark } = recipe;
  const compared =
    verified === null
      ? []
      : [`${verified.by}${verified.formats === "all" ? "" : ` (${verified.formats.join(", ")})`}`];
  const said = [
    subject,
    `${source}; releases: ${releases}`,
    ...compared,
    ...(engines === "reference" ? ["reference engine only: it needs more than one weight at a time"] : []),
    ...(remark === null ? [] : [remark]),
  ];
  return [
    `  ${name}${verified === null ? "*" : ""}`,
    ...said.flatMap((line) => wrap(line, width - 4).map((part) => `    ${part}`)),
  ];
}

function indented(heading: string, text: string, width: number): string[] {
  return [`  ${heading}`, ...wrap(text, width - 4).map((line) => `    ${line}`)];
}
