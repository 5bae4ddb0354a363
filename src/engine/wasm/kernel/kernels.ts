import type { Format } from "../../../format/format.js";
import { RecipeScalars } from "../../lane/recipe-scalars.js";
import { isCompared } from "../../recipe-plan.js";
import type { WasmSettings } from "../admission.js";
import type { FunctionWriter } from "../assembler/function.js";
import { type ExportedFunction, type MemorySize, moduleBytes } from "../assembler/module.js";
import type { Layout } from "../layout.js";
import { webAssembly } from "../platform.js";
import {
  writeBegin,
  writeBeginCounterfactual,
  writeDecode,
  writeScale,
  writeStepCounterfactual,
} from "./begin.js";
import { endParameters, writeEnd } from "./end.js";
import { locateParameters, writeLargest, writeLocate, writeMagnitudes } from "./largest.js";
import {
  momentParameters,
  recipeParameters,
  runParameters,
  writeBeginMoment,
  writeStepRun,
} from "./recipe.js";
import { writeBeginShared } from "./shared-ends.js";
import { stepParameters, writeStep } from "./step.js";
import { addExactly, writeAddExactly } from "./sum.js";

/** The modules of recent jobs, to reuse code that the engine's compiler has already optimized. */
const compiled = new Map<string, Promise<object>>();
const mostCompiled = 32;

/** The kernels for a job's synthetic numbers. */
export interface OwnKernels {
  /** Identifies them among others with the same layout. */
  readonly key: string;
  functions(layout: Layout): ExportedFunction[];
}

/** {@link kernelModule}, compiled and memoized. */
export function compileKernels(
  cases: readonly WasmSettings[],
  decoded: readonly Format[],
  layout: Layout,
  memory: MemorySize,
  own: OwnKernels | null = null,
): Promise<object> {
  // The seed is not in the kernels, nor are the optimizer's settings.
  const unseeded = cases.map((settings) => ({ ...settings, seed: 0, optimizer: null }));
  const key = JSON.stringify([unseeded, decoded, layout, memory, own?.key]);
  const module = compiled.get(key) ?? webAssembly!.compile(kernelModule(cases, decoded, layout, memory, own));
  compiled.delete(key);
  compiled.set(key, module);
  if (compiled.size > mostCompiled) compiled.delete([...compiled.keys()][0]);
  return module;
}

/**
 * The kernels of a job: a module specialized for its cases, with formats, roundings and addresses as constants.
 */
export function kernelModule(
  cases: readonly WasmSettings[],
  decoded: readonly Format[],
  layout: Layout,
  memory: MemorySize,
  own: OwnKernels | null = null,
): Uint8Array<ArrayBuffer> {
  const range = ["i32", "i32"] as const;
  const recipes = cases.filter((settings) => settings.recipe !== undefined);
  const scalars = recipes.length === 0 ? null : new RecipeScalars(recipes);
  const functions: ExportedFunction[] = [
    { name: addExactly, parameters: ["i32", "f64"], write: writeAddExactly },
    { name: "beginCounterfactual", parameters: range, write: (k) => writeBeginCounterfactual(k, layout) },
    scalars === null
      ? { name: "stepCounterfactual", parameters: range, write: (k) => writeStepCounterfactual(k, layout) }
      : {
          name: "stepCounterfactual",
          parameters: runParameters,
          write: (k) => writeStepRun(k, layout, scalars.run),
        },
    { name: "scale", parameters: ["i32", "i32", "i32"], write: writeScale },
    ...decoded.map((format, i) => ({
      name: `decode ${i}`,
      parameters: ["i32", "i32", "i32"] as const,
      write: (k: FunctionWriter) => writeDecode(k, format),
    })),
  ];
  functions.push(...(own?.functions(layout) ?? []));
  if (cases.some(({ blocks }) => blocks)) {
    functions.push({ name: "magnitudes", parameters: range, write: (k) => writeMagnitudes(k, layout) });
  }
  for (const [c, settings] of cases.entries()) {
    const caseLayout = layout.cases[c];
    const recipe = scalars && {
      lines: scalars.cases[c],
      first: c > 0 && isCompared(cases, c) ? layout.cases[0].weights : null,
    };
    functions.push(
      {
        name: `begin ${c}`,
        parameters: range,
        write: (k) =>
          settings.blocks
            ? writeBeginShared(k, settings, layout, caseLayout)
            : writeBegin(k, settings, layout, caseLayout),
      },
      {
        name: `step ${c}`,
        parameters: recipe ? [...stepParameters, ...recipeParameters] : stepParameters,
        write: (k) => writeStep(k, settings, layout, caseLayout, recipe),
      },
      {
        name: `end ${c}`,
        parameters: endParameters,
        write: (k) => writeEnd(k, settings, layout, caseLayout),
      },
    );
    if (settings.blocks) {
      const largest = (name: string, isBegin: boolean): ExportedFunction => ({
        name: `${name} ${c}`,
        parameters: range,
        write: (k) => writeLargest(k, settings, layout, caseLayout, isBegin),
      });
      functions.push(
        {
          name: `locate ${c}`,
          parameters: locateParameters,
          write: (k) => writeLocate(k, settings, caseLayout),
        },
        largest("beginLargest", true),
        largest("largest", false),
      );
    }
    if (!settings.recipe) continue;
    for (const m of settings.recipe.moments.keys()) {
      functions.push({
        name: `moment ${c} ${m}`,
        parameters: momentParameters,
        write: (k) => writeBeginMoment(k, settings, layout, caseLayout, m),
      });
    }
  }
  return moduleBytes(memory, functions);
}
