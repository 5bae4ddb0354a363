import type { Engine } from "../engine.js";
import { selfCheck } from "../self-check.js";
import { walk } from "../walk.js";
import { ReferenceLens } from "./reference-lens.js";

/** The oracle: the scalar specification, weight by weight, on one thread. */
export const reference: Engine = {
  name: "reference",
  device: "CPU, scalar TypeScript, one thread",
  selfCheck: () => selfCheck(reference),
  remark: ({ cases }) => {
    const whole = cases.some(({ recipe }) => recipe?.whole);
    if (!whole && !cases.some(({ blocks }) => blocks)) return null;
    const what = whole ? "Recipes that take whole tensors" : "Formats with shared scales";
    return `${what} are counted by the reference, one weight after the other, and all cases beside them.`;
  },
  open: async (cases) => new ReferenceLens(cases),
  run: (job, observer) => walk(job, new ReferenceLens(job.cases), observer),
};
