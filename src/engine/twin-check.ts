import { exponentOf } from "../format/float64.js";
import type { Format } from "../format/format.js";
import { gapAt } from "../format/round.js";
import type { TensorInput, Values } from "../lens/input.js";
import { blockLength } from "../lens/sum.js";
import { summarizeCase } from "../lens/summarize.js";
import type { CaseSettings } from "../update/optimizer.js";
import { threefry2x32 } from "../update/threefry.js";
import type { Engine, LensJob } from "./engine.js";

/**
 * Whether an engine does as its specification: the same cases over the same hard numbers on both, every count, sum
 * and stored bit compared. Two steps and two chunks, so that everything is done a second time on other numbers.
 */
export async function agrees(
  engine: Pick<Engine, "run">,
  specification: Pick<Engine, "run">,
  cases: readonly CaseSettings[],
): Promise<boolean> {
  const [ours, theirs] = [await outcomeOf(engine, cases), await outcomeOf(specification, cases)];
  return ours === theirs;
}

async function outcomeOf(engine: Pick<Engine, "run">, cases: readonly CaseSettings[]): Promise<string> {
  const weights: number[][] = cases.map(() => []);
  const job: LensJob = { ...hardJob(cases[0].format), cases };
  const tallies = await engine.run(job, {
    weights: (c, _, __, stored) => {
      for (const weight of stored) weights[c].push(Object.is(weight, -0) ? -1e-300 : weight);
    },
  });
  return JSON.stringify([tallies.map(summarizeCase), weights.map((of) => of.map(String))]);
}

/** Weights and updates on which roundings, carries and sums go wrong if they can. */
export function hardJob(format: Format): Pick<LensJob, "tensors" | "stepNumbers" | "chunk"> {
  const numbers = hardNumbers(format);
  const steps = [numbers.map(([, u]) => u), numbers.map((_, i) => numbers[(i * 7 + 3) % numbers.length][1])];
  const tensor: TensorInput = {
    name: "hard",
    shape: [numbers.length],
    weights: valuesOf(numbers.map(([w]) => w)),
    updates: steps.map(valuesOf),
  };
  return { tensors: [tensor], stepNumbers: [0, 1], chunk: blockLength };
}

/** Pairs of a weight and an update: no NaN, no Inf, nothing that a device without subnormals could not take. */
function hardNumbers(format: Format): [number, number][] {
  const largest = Math.min(format.maxFinite, 2 ** 90);
  const smallest = Math.max(format.minPositive, 2 ** -70);
  const magnitudes = [0, -0, 1, 1 + format.epsilon, 1 - format.epsilon / 2, 1.5, 1.75, 2 - format.epsilon];
  for (const x of [smallest, 2 * smallest, 3 * smallest, Math.max(format.minNormal, 2 ** -70), largest / 4]) {
    magnitudes.push(x);
  }
  // Weights and updates of a training run, and numbers of every size between.
  for (let i = 0; magnitudes.length < 64; i++) {
    const [a, b] = threefry2x32([1, 2], [i, 0]);
    magnitudes.push(Math.fround((1 + a / 2 ** 32) * 2 ** ((b % 24) - 20)));
  }
  const parts = [0, -0, 0.5, 0.25, 0.75, 1, 1.5, 2 ** -6, 2 ** -20, 0.5 + 2 ** -9, 0.5 - 2 ** -9, 3.4];
  const pairs: [number, number][] = [];
  for (const magnitude of magnitudes) {
    const gap = gapAt(exponentOf(magnitude || smallest), format);
    for (const part of parts) {
      const update = Math.abs(part * gap) < 2 ** -79 ? 0 : Math.fround(part * gap);
      pairs.push([magnitude, update], [magnitude, -update], [-magnitude, update], [-magnitude, -update]);
    }
    pairs.push([magnitude, -magnitude], [magnitude, Math.fround(-magnitude / 3)]);
  }
  // A second block, not whole, that begins elsewhere in the list.
  const rest = pairs.length;
  while (pairs.length < blockLength + 1000) pairs.push(pairs[(pairs.length * 5 + 11) % rest]);
  return pairs;
}

function valuesOf(numbers: readonly number[]): Values {
  return {
    length: numbers.length,
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = numbers[start + i];
    },
  };
}
