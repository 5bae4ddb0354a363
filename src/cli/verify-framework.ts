import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { InputError } from "../source/input-error.js";
import { isFrameworkFile, readFrameworkFile } from "../vectors/framework-file.js";
import { describeFramework, examineFramework, isRight, same } from "../vectors/framework-words.js";
import { VectorsError } from "../vectors/read-text.js";
import { version } from "../version.js";
import { type AnswerOptions, writeAnswer } from "./answer.js";
import { CheckFailed } from "./check-failed.js";
import type { Streams } from "./streams.js";

/** Whether a file was written by the framework doctor; false if it cannot be read. */
export function isFramework(path: string): boolean {
  try {
    const file = openSync(path, "r");
    const start = Buffer.alloc(256);
    const length = readSync(file, start, 0, start.length, 0);
    closeSync(file);
    return isFrameworkFile(start.toString("latin1", 0, length));
  } catch {
    return false;
  }
}

/** Reports which recipe a framework's steps follow, and how it casts. @throws CheckFailed if any bit differs. */
export function verifyFramework(path: string, answer: AnswerOptions, { out }: Streams): void {
  const outcome = examineFramework(read(path));
  const { file, recipes, casts } = outcome;
  const report = {
    schema: "precision-lens-framework-verification/1",
    tool: { name: "precision-lens", version },
    framework: {
      name: file.framework,
      version: file.version,
      device: file.device,
      optimizer: file.optimizer,
    },
    format: file.format,
    is: same(recipes).map(({ recipe: { optimizer, name } }) => ({ optimizer, name })),
    recipes: recipes.map(({ recipe: { optimizer, name }, cases, wrong, stages, isStochastic, first }) => ({
      ...{ optimizer, name, cases, wrong, stages, isStochastic },
      first: first === null ? null : { step: first.step, element: first.element, state: first.state },
    })),
    casts: casts.map(({ from, to, overflow, subject, outcome }) => ({
      ...{ from, to, overflow, cases: outcome.cases, wrong: outcome.wrong },
      mistakes: outcome.mistakes,
      first: outcome.first.map((compared) => subject.describe(compared)),
    })),
  };
  writeAnswer(report, () => `${describeFramework(outcome).join("\n")}\n`, answer, out);
  if (!isRight(outcome)) throw new CheckFailed();
}

function read(path: string) {
  try {
    return readFrameworkFile(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof VectorsError) throw new InputError(path, error.expected, error.found);
    throw error;
  }
}
