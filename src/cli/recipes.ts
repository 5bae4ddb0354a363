import { Command } from "commander";
import { recipeList } from "../lens/run/recipe-list.js";
import { recipeListInWords } from "../report/recipe-list.js";
import { version } from "../version.js";
import { type AnswerOptions, addAnswerOptions, checkAnswer, writeAnswer } from "./answer.js";
import { columnsOf, type Streams } from "./streams.js";

export function recipesCommand({ out }: Streams): Command {
  const command = new Command("recipes")
    .description(
      "Lists the recipes: exact sequences of operations and roundings by which one framework steps. " +
        "Words choose among them: recipes muon, recipes adam cuda.",
    )
    .argument("[words...]", "of the optimizer, the name, or the framework");
  return addAnswerOptions(command, "the list").action((words: string[], options: AnswerOptions) => {
    checkAnswer(options);
    const list = recipeList(words, version);
    if (list.recipes.length + list.notImitated.length === 0) {
      command.error(`error: no recipe has the words ${words.join(" ")}: recipes without words lists all`);
    }
    const width = Math.min(columnsOf(out), 120);
    writeAnswer(list, () => `${recipeListInWords(list, width)}\n`, options, out);
  });
}
