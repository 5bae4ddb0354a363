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
export function passRates(achievement: Achievement): PassAt[] {
  const { passAt } = achievement;
  if (!isCounted(achievement)) {
    // Whole numbers come first among the keys of an object, in ascending order.
    return Object.entries(passAt).map(([k, mean]) => ({ k: Number(k), mean, half: null }));
  }
  return usual
    .filter((k) => k <= achievement.samplesPerPrompt)
    .map((k) => ({ k, ...meanOf(byPrompt(achievement, k)) }));
}

type Counted = Achievement & { readonly correct: readonly number[]; readonly samplesPerPrompt: number };

function isCounted(achievement: Achievement): achievement is Counted {
  return achievement.correct !== null && achievement.samplesPerPrompt !== null;
}

/** pass@k of each prompt. */
function byPrompt({ correct, samplesPerPrompt }: Counted, k: number): number[] {
  return correct.map((c) => passOf(samplesPerPrompt, c, k));
}

/** A mean, and half of its 95% interval. */
function meanOf(each: readonly number[]): { mean: number; half: number | null } {
  const n = each.length;
  const mean = each.reduce((sum, x) => sum + x, 0) / n;
  const squares = each.reduce((sum, x) => sum + (x - mean) * (x - mean), 0);
  return { mean, half: n < 2 ? null : 1.96 * Math.sqrt(squares / (n - 1) / n) };
}

/** 1 - C(n - c, k) / C(n, k), as a product. */
function passOf(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let failed = 1;
  for (let i = 0; i < k; i++) failed *= (n - c - i) / (n - i);
  return 1 - failed;
}

/** Whether a base and a run have counts of as many prompts, which are then taken to be the same ones in the same order. */
export function isPaired(base: Achievement, run: Achievement): boolean {
  return isCounted(base) && isCounted(run) && base.correct.length === run.correct.length;
}

/**
 * What a run adds to the pass@k of its base, for each k that both have. With counts of the same prompts, the mean over prompts of
 * the run's pass@k minus the base's: how hard a prompt is leaves no trace in its interval. With counts of other prompts the two
 * intervals are independent, and their squares add up. Without counts, or of a single prompt, there is no interval.
 */
export function passGains(base: Achievement, run: Achievement): PassAt[] {
  const ofBase = new Map(passRates(base).map((rate) => [rate.k, rate]));
  return passRates(run).flatMap(({ k, mean, half }) => {
    const from = ofBase.get(k);
    if (from === undefined) return [];
    if (isCounted(base) && isCounted(run) && isPaired(base, run)) {
      const before = byPrompt(base, k);
      return [{ k, ...meanOf(byPrompt(run, k).map((pass, i) => pass - before[i])) }];
    }
    const known = half !== null && from.half !== null;
    return [{ k, mean: mean - from.mean, half: known ? Math.hypot(half, from.half) : null }];
  });
}

/** The smallest k at which a run is below its base. */
export interface Crossover {
  readonly k: number;
  /** Whether by more than its 95% interval; null where that is unknown. */
  readonly beyondChance: boolean | null;
}

/**
 * The smallest k at which a run is below its base, of those that both have: beyond chance, else at all. Null where it never is.
 */
export function crossover(base: Achievement, run: Achievement): Crossover | null {
  const below = passGains(base, run)
    .filter(({ mean }) => mean < 0)
    .map(({ k, mean, half }) => ({ k, beyondChance: half === null ? null : mean + half < 0 }));
  return below.find(({ beyondChance }) => beyondChance) ?? below[0] ?? null;
}
