/** The outcome of a training run, from `outcome.json` of a recorded run, and figures derived from it. */
export interface Outcome {
  readonly task: string | null;
  readonly base: Achievement | null;
  readonly run: Achievement | null;
  /** Tasks that were not trained for. */
  readonly heldOut: readonly HeldOut[];
}

export interface HeldOut {
  readonly name: string;
  readonly base: Achievement | null;
  readonly run: Achievement | null;
}

/** A model's result on a task; null for what was not given. */
export interface Achievement {
  readonly prompts: number | null;
  readonly samplesPerPrompt: number | null;
  /** Right answers among the samples of each prompt. */
  readonly correct: readonly number[] | null;
  readonly passAt: Readonly<Record<string, number>>;
  readonly klForward: number | null;
  readonly klReverse: number | null;
}

/** pass@k, and half of its 95% interval over prompts; null if only the number was given. */
export interface PassAt {
  readonly k: number;
  readonly mean: number;
  readonly half: number | null;
}

/** The k at which pass@k is computed from counts, as far as there are samples. */
const usual = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/**
 * pass@k of a model: from the counts of each prompt by the unbiased estimator 1 - C(n - c, k) / C(n, k), for
 * k up to the samples a prompt (Chen et al., 2021); or as given.
 */
export function passRates({ correct, samplesPerPrompt, passAt }: Achievement): PassAt[] {
  if (correct === null || samplesPerPrompt === null) {
    // Whole numbers come first among the keys of an object, in ascending order.
    return Object.entries(passAt).map(([k, mean]) => ({ k: Number(k), mean, half: null }));
  }
  return usual
    .filter((k) => k <= samplesPerPrompt)
    .map((k) => {
      const each = correct.map((c) => passOf(samplesPerPrompt, c, k));
      const n = each.length;
      const mean = each.reduce((sum, p) => sum + p, 0) / n;
      const squares = each.reduce((sum, p) => sum + (p - mean) * (p - mean), 0);
      return { k, mean, half: n < 2 ? null : 1.96 * Math.sqrt(squares / (n - 1) / n) };
    });
}

/** 1 - C(n - c, k) / C(n, k), as a product. */
function passOf(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let failed = 1;
  for (let i = 0; i < k; i++) failed *= (n - c - i) / (n - i);
  return 1 - failed;
}

/** The smallest k at which a run is below its base, of those that both have; null where there is none. */
export function crossover(base: Achievement, run: Achievement): number | null {
  const ofBase = new Map(passRates(base).map(({ k, mean }) => [k, mean]));
  return passRates(run).find(({ k, mean }) => mean < (ofBase.get(k) ?? -1))?.k ?? null;
}
