import type { SkippedTensor } from "../lens/input.js";
import type { Result, ResultInput, ResultOptimizer, SelfCheck } from "../lens/result.js";
import { summarizeCase } from "../lens/summarize.js";
import type { RecipeSettings } from "../update/optimizer.js";
import { betasOf, defaultEps } from "../update/recipe/recipe-step.js";
import { version } from "../version.js";
import type { Engine, LensJob, Observer } from "./engine.js";

/** A job, and what its result says of where it came from. */
export interface DescribedJob extends LensJob {
  readonly source: Pick<ResultInput, "kind" | "weights" | "updates" | "gradients" | "metadata">;
  readonly skipped: readonly SkippedTensor[];
  readonly strict: boolean;
}

/** Runs a job on an engine that passed its self-check, and assembles the result. */
export async function runLens(
  job: DescribedJob,
  { engine, selfCheck }: { readonly engine: Engine; readonly selfCheck: SelfCheck },
  observer?: Observer,
): Promise<Result> {
  let handedOver = 0;
  const tallies = await engine.run(job, {
    ...observer,
    handedOver: (weightSteps) => {
      handedOver = weightSteps;
    },
  });
  const [first] = job.cases;
  return {
    schema: "precision-lens/1",
    tool: { name: "precision-lens", version },
    input: {
      ...job.source,
      tensors: job.tensors.length,
      elements: job.tensors.reduce((sum, { weights }) => sum + weights.length, 0),
      stepNumbers: job.stepNumbers,
    },
    settings: {
      optimizer: "recipe" in first ? resultOptimizer(first) : null,
      overflow: first.overflow,
      seed: first.seed,
      strict: job.strict,
    },
    engine: { name: engine.name, device: engine.device, selfCheck, ...(handedOver > 0 && { handedOver }) },
    cases: tallies.map(summarizeCase),
    skipped: job.skipped,
  };
}

function resultOptimizer({ recipe, optimizer }: RecipeSettings): ResultOptimizer {
  const [b1, b2] = betasOf(recipe.optimizer, optimizer);
  const { lr, eps = defaultEps, weightDecay = 0 } = optimizer;
  return { name: recipe.optimizer, lr, betas: [b1, b2], eps, weightDecay };
}
