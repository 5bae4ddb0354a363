import { notImitated, optimizerNames, recipes } from "../../update/optimizer.js";

/** The list of recipes: `precision-lens recipes --json -`. */
export interface RecipeList {
  readonly schema: "precision-lens-recipes/1";
  readonly tool: { readonly name: string; readonly version: string };
  readonly recipes: readonly ListedRecipe[];
  /** Steps of frameworks that no recipe imitates. */
  readonly notImitated: readonly {
    readonly optimizer: string;
    readonly name: string;
    readonly reason: string;
  }[];
}

export interface ListedRecipe {
  readonly optimizer: string;
  readonly name: string;
  /** Framework, release and device that it stands for. */
  readonly of: string;
  /** Repository and file, or paper, where the sequence was read. */
  readonly source: string;
  /** Of the framework, in which the sequence is known to be this one. */
  readonly releases: string;
  /** What it was compared with bit for bit, and in which storage formats; null where it was not. */
  readonly verified: { readonly by: string; readonly formats: readonly string[] | "all" } | null;
  readonly scheme: string;
  readonly rounding: "nearest-even" | "stochastic";
  readonly moments: readonly string[];
  /** Which engines take it. */
  readonly engines: "all" | "reference";
  readonly remark: string | null;
}

/** The recipes for which every word occurs in the name or framework, or is the optimizer. */
export function recipeList(words: readonly string[], version: string): RecipeList {
  const has = (optimizer: string, ...texts: readonly string[]) =>
    words.every((word) => {
      const sought = word.toLowerCase();
      // Adam is in the name of AdamW.
      if (optimizerNames.some((name) => name === sought)) return optimizer === sought;
      return texts.some((text) => text.toLowerCase().includes(sought));
    });
  return {
    schema: "precision-lens-recipes/1",
    tool: { name: "precision-lens", version },
    recipes: optimizerNames.flatMap((optimizer) =>
      [...recipes[optimizer].values()]
        .filter(({ name, of: subject }) => has(optimizer, name, subject))
        .map((recipe): ListedRecipe => {
          const {
            name,
            of: subject,
            source,
            releases,
            verified,
            comparedIn,
            scheme,
            moments,
            whole,
            remark,
          } = recipe;
          return {
            ...{ optimizer, name, of: subject, source, releases },
            verified: verified === null ? null : { by: verified, formats: comparedIn ?? "all" },
            scheme,
            rounding: recipe.weight.some((line) => line.includes("S(")) ? "stochastic" : "nearest-even",
            moments: moments.map((moment) => moment.name),
            engines: whole ? "reference" : "all",
            remark: remark ?? null,
          };
        }),
    ),
    notImitated: optimizerNames.flatMap((optimizer) =>
      [...notImitated[optimizer]]
        .filter(([name]) => has(optimizer, name))
        .map(([name, reason]) => ({ optimizer, name, reason })),
    ),
  };
}
