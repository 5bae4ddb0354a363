import { Command } from "commander";
import { recipeList } from "../lens/run/recipe-list.js";
import { recipeListInWords } from "../report/recipe-list.js";
import { version } from "../version.js";
import { columnsOf, type Streams } from "./streams.js";

export function recipesCommand({ out }: Streams): Command {
  return new Command("recipes")
    .description(
      "Lists the recipes: exact sequences of operations and roundings by which one framework steps. " +
        "Words choose among them: recipes muon, recipes adam cuda.",
    )
    .argument("[words...]", "of the optimizer, the name, or the framework")
    .option("--json <file>", "- for stdout; nothing else is offered")
    .action(async (words: string[], { json }: { json?: string }, command: Command) => {
      if (json !== undefined && json !== "-") command.error("error: --json takes only -, for stdout");
      const list = recipeList(words, version);
      if (list.recipes.length + list.notImitated.length === 0) {
        command.error(`error: no recipe has the words ${words.join(" ")}: recipes without words lists all`);
      }
      const width = Math.min(columnsOf(out) ?? 80, 120);
      out.write(json === "-" ? `${JSON.stringify(list)}\n` : `${recipeListInWords(list, width)}\n`);
    });
}
