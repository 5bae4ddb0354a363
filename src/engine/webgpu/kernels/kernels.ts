import type { RecipeScalars } from "../../lane/recipe-scalars.js";
import { isCompared } from "../../recipe-plan.js";
import type { WebGpuSettings } from "../admission.js";
import { elementsOfGroup } from "../layout.js";
import type { SourceGroup } from "../sources.js";
import { adamwKernel } from "./adamw.js";
import { beginCaseKernel, beginKernel, collectKernel } from "./begin.js";
import { endKernel } from "./end.js";
import { runKernel, type StepRecipe } from "./recipe.js";
import { advanceKernel, magnitudesKernel, scalesKernel } from "./scales.js";
import { beginSharedKernel, collectSharedKernel } from "./shared.js";
import { stepKernel } from "./step.js";
import type { UpdateSource } from "./updates.js";

/** The texts of the kernels of one case; those of one list run in order. */
export interface CaseKernels {
  /** Where scales are shared: what finds the magnitudes that scales follow from, before `begin` and before `step`. */
  readonly measureStart: readonly string[];
  readonly measure: readonly string[];
  readonly begin: readonly string[];
  /** Used instead of `begin` if the host rounds the weights, or counts those that rounding alters. */
  readonly beginUploaded: readonly string[];
  readonly step: readonly string[];
  readonly end: readonly string[];
  readonly collect: readonly string[];
}

/** The kernels of a group of tensors: see {@link SourceGroup}. */
export interface Kernels {
  readonly begin: string;
  /**
   * The kernel that runs before the cases in each step: it simulates updates, or applies gradients to the fp32
   * run. Its state is the moments. Null if updates are uploaded, or drawn by the step kernels.
   */
  readonly updates: string | null;
  readonly cases: readonly CaseKernels[];
  /** Takes the fp32 run alone through a step. */
  readonly advance: string;
}

export function kernelsOf(
  { weights, updates }: Pick<SourceGroup, "weights" | "updates">,
  cases: readonly WebGpuSettings[],
  scalars: RecipeScalars | null,
): Kernels {
  const source: UpdateSource =
    updates.kind === "drawn" ? { kind: "drawn", entries: updates.table.length } : { kind: "stored" };
  return {
    begin: beginKernel(weights),
    updates: scalars
      ? runKernel(scalars.run)
      : updates.kind === "simulated"
        ? adamwKernel(updates.run)
        : null,
    cases: cases.map((settings, c) => {
      const step = stepKernel(settings, {
        updates: source,
        advances: scalars === null && c === cases.length - 1,
        recipe: scalars && { lines: scalars.cases[c], weights: weightsOf(cases, c) },
      });
      const end = [endKernel(settings)];
      if (!settings.blocks) {
        return {
          measureStart: [],
          measure: [],
          begin: [beginCaseKernel(settings, "given")],
          beginUploaded: [beginCaseKernel(settings, "uploaded")],
          step: [step],
          end,
          collect: [collectKernel(settings)],
        };
      }
      const renewed = settings.scales === "renewed";
      const scales = scalesKernel(settings);
      return {
        measureStart: [magnitudesKernel(settings, null)],
        measure: renewed ? [magnitudesKernel(settings, source)] : [],
        begin: [scales, beginSharedKernel(settings, "given")],
        beginUploaded: [scales, beginSharedKernel(settings, "uploaded")],
        step: renewed ? [scales, step] : [step],
        end,
        collect: [collectSharedKernel(settings)],
      };
    }),
    advance: advanceKernel(source),
  };
}

/** For the comparison of recipes: the first case leaves its weights for the others. */
function weightsOf(cases: readonly WebGpuSettings[], c: number): StepRecipe["weights"] {
  if (!isCompared(cases, c)) return null;
  if (c > 0) return "compared";
  return leavesWeights(cases) ? "left" : null;
}

function leavesWeights(cases: readonly WebGpuSettings[]): boolean {
  return cases.some((_, c) => c > 0 && isCompared(cases, c));
}

/** The words of `updates` per workgroup, including the weights that the first case leaves there. */
export function updatesWords(cases: readonly WebGpuSettings[]): number {
  return (leavesWeights(cases) ? 2 : 1) * elementsOfGroup;
}
