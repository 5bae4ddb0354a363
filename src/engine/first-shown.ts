import { exponentOf } from "../format/float64.js";
import { gapAt } from "../format/round.js";
import type { TensorInput } from "../lens/input.js";
import type { FirstShown, FirstShownBinade, FirstShownFormula } from "../lens/study/first-shown.js";
import { UpdateTally } from "../lens/tally.js";
import type { UpdateSettings } from "../update/settings.js";
import type { LensJob } from "./engine.js";
import { ReferenceLens } from "./reference/reference-lens.js";

/** The maximum numbers of weights and weight-steps in the study: about a second per case. */
const mostWeights = 2 ** 12;
const mostWeightSteps = 2 ** 21;
/** Binades with fewer weights are not reported. */
const fewest = 30;

/**
 * After how many steps weights first show, by their magnitude: a small sample of the job, its first weights
 * of each tensor in proportion to their number, run on the reference. Cases in fp32 and with shared scales
 * are excluded.
 */
export async function studyFirstShown(
  { tensors, stepNumbers, cases }: LensJob & { readonly cases: readonly UpdateSettings[] },
  formula: FirstShownFormula,
): Promise<FirstShown[]> {
  const studied = [...cases.keys()].filter((c) => cases[c].format.bits < 32 && !cases[c].blocks);
  const settings = studied.map((c) => cases[c]);
  if (settings.length === 0 || stepNumbers.length === 0) return [];
  const most = Math.max(1, Math.min(mostWeights, Math.floor(mostWeightSteps / stepNumbers.length)));
  const found = settings.map(() => new Map<number, number[]>());
  for (const { tensor, length } of sample(tensors, most)) {
    const firsts = await firstSteps(tensor, length, stepNumbers, settings);
    for (const [c, { start, first }] of firsts.entries()) {
      for (let i = 0; i < length; i++) {
        if (start[i] === 0 || !Number.isFinite(start[i])) continue;
        const exponent = exponentOf(start[i]);
        const steps = found[c].get(exponent) ?? [];
        found[c].set(exponent, steps);
        steps.push(first[i]);
      }
    }
  }
  return studied.map((c, i) => ({ case: c, binades: binadesOf(found[i], cases[c], formula) }));
}

/** The first weights of each tensor, in proportion to its size. */
function sample(tensors: readonly TensorInput[], most: number): { tensor: TensorInput; length: number }[] {
  const total = tensors.reduce((sum, { weights }) => sum + weights.length, 0);
  return tensors.flatMap((tensor) => {
    const { length } = tensor.weights;
    const taken = total <= most ? length : Math.round((length / total) * most);
    return taken === 0 ? [] : [{ tensor, length: taken }];
  });
}

/** The step (counted from 1) at which each weight first differs from its start; Infinity if it never does. */
async function firstSteps(
  { name, weights, updates }: TensorInput,
  length: number,
  stepNumbers: readonly number[],
  cases: readonly UpdateSettings[],
) {
  const lens = new ReferenceLens(cases);
  const given = new Float64Array(length);
  await weights.read(0, given);
  lens.begin({ tensor: name, start: 0, weights: given });
  const found = cases.map((_, c) => ({
    start: lens.weights(c).slice(),
    first: new Array<number>(length).fill(Infinity),
  }));
  const inputs = new Float32Array(length);
  for (const [i, step] of stepNumbers.entries()) {
    await updates[i].read(0, inputs);
    lens.step(
      inputs,
      step,
      cases.map(() => new UpdateTally()),
    );
    for (const [c, { start, first }] of found.entries()) {
      const now = lens.weights(c);
      for (let j = 0; j < length; j++) if (first[j] === Infinity && now[j] !== start[j]) first[j] = i + 1;
    }
  }
  return found;
}

function binadesOf(
  found: ReadonlyMap<number, number[]>,
  settings: UpdateSettings,
  formula: FirstShownFormula,
): FirstShownBinade[] {
  return [...found]
    .filter(([, firsts]) => firsts.length >= fewest)
    .sort(([a], [b]) => a - b)
    .map(([exponent, firsts]) => {
      firsts.sort((a, b) => a - b);
      const median = firsts[Math.ceil(firsts.length / 2) - 1];
      return {
        exponent,
        weights: firsts.length,
        shown: firsts.filter(Number.isFinite).length,
        medianStep: Number.isFinite(median) ? median : null,
        formula: formula.medianStep(gapAt(exponent, settings.format), settings),
      };
    });
}
