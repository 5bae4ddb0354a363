import type { MomentKind, Values } from "../../lens/input.js";
import type { RecipeSettings } from "../../update/optimizer.js";
import type { Moment } from "../../update/recipe/recipe.js";
import { RecipeStep } from "../../update/recipe/recipe-step.js";
import { momentKinds, type RecipePlan } from "../recipe-plan.js";
import type { WebGpuSettings } from "./admission.js";
import type { Batch, Piece } from "./batch.js";
import { momentPlanes, type StatePlane, statePlanes } from "./layout.js";

/** A state of a case or of the fp32 run that starts from recorded moments. */
export interface MomentLoad {
  /** The case; null for the fp32 run. */
  readonly of: number | null;
  readonly state: StatePlane;
  /** The recorded moment of a piece, zeros if it has none, and the function that converts its numbers to the state. */
  numbers(piece: Piece): { readonly values: Values; kept(recorded: Float32Array): Float32Array };
}

/** All such states of a job; none if no piece of the batch has recorded moments. */
export function momentLoads(
  cases: readonly WebGpuSettings[],
  recipes: RecipePlan | null,
  { pieces }: Batch,
): MomentLoad[] {
  if (recipes === null) return [];
  const recorded = momentKinds.filter((kind) => pieces.some((piece) => momentOf(piece, kind) !== undefined));
  return recorded.flatMap((kind) => [
    {
      of: null,
      state: { plane: kind === "M" ? momentPlanes.m : momentPlanes.v, packed: false },
      numbers: (piece) => ({ values: valuesOf(piece, kind), kept: (numbers) => numbers }),
    } satisfies MomentLoad,
    ...cases.flatMap((settings, c) => loadsOf(settings as RecipeSettings, c, kind)),
  ]);
}

function loadsOf(settings: RecipeSettings, caseIndex: number, kind: MomentKind): MomentLoad[] {
  const { recipe, optimizer, format } = settings;
  const { states } = statePlanes(settings);
  const step = new RecipeStep(recipe, optimizer, format, () => 0);
  const load = (moment: Moment, name: string, part: 0 | 1): MomentLoad => ({
    of: caseIndex,
    state: states.get(name)!,
    numbers(piece) {
      const kept = (recorded: Float32Array) => {
        const { settings: own, stepsTaken = 0 } = piece.input.optimizer ?? {};
        step.configure(own?.[0] ?? optimizer);
        return recorded.map((x) => step.startMoment(moment, x, stepsTaken)[part]);
      };
      return { values: valuesOf(piece, kind), kept };
    },
  });
  return recipe.moments
    .filter((moment) => moment.of === kind)
    .flatMap((moment) => [
      load(moment, moment.name, 0),
      ...(moment.carrier === undefined ? [] : [load(moment, moment.carrier, 1)]),
    ]);
}

function momentOf({ input }: Piece, kind: MomentKind): Values | undefined {
  return input.optimizer?.moments[kind];
}

function valuesOf(piece: Piece, kind: MomentKind): Values {
  return (
    momentOf(piece, kind) ?? {
      length: piece.input.weights.length,
      read: async (_, into) => void into.fill(0),
    }
  );
}
