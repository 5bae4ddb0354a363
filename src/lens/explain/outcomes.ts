import type { Arithmetic } from "../../update/arithmetic.js";
import { storageArithmetic } from "../../update/arithmetic.js";
import { schemes, type WeightState } from "../../update/scheme.js";
import type { UpdateSettings } from "../../update/settings.js";

/** A possible state after a step, and its probability. */
export interface Outcome {
  readonly state: WeightState;
  /** numerator / 2^(32 draws): each stochastic rounding takes 32 random bits. */
  readonly numerator: bigint;
  readonly draws: number;
}

/** One more than the largest draw. */
const draw = 2 ** 32;

/**
 * All outcomes of one step: a single one with probability 1, except under stochastic rounding, where each
 * rounding has two results; all paths through a step are followed and counted over all random bits.
 */
export function outcomesOf(state: WeightState, update: number, settings: UpdateSettings): Outcome[] {
  const { step } = schemes[settings.scheme];
  const outcomes: Outcome[] = [];
  /** The directions of the first stochastic roundings of a path; later ones first go toward zero. */
  const paths: boolean[][] = [[]];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const ways = path;
    let draws = 0;
    let numerator = 1n;
    const decide = (x: number, rounded: (bits: number) => number): number => {
      const [toward, away] = [rounded(0), rounded(draw - 1)];
      if (Object.is(toward, away)) return toward;
      const share = Math.abs(x - toward) / Math.abs(away - toward);
      const first = firstDraw((bits) => Object.is(rounded(bits), away), draw - Math.floor(share * draw));
      if (draws === ways.length) {
        paths.push([...ways, true]);
        ways.push(false);
      }
      const goesAway = ways[draws++];
      numerator *= BigInt(goesAway ? draw - first : first);
      return goesAway ? away : toward;
    };
    const next = step(state, update, deciding(settings, decide));
    outcomes.push({ state: next, numerator, draws });
  }
  return outcomes;
}

/** An arithmetic in which each rounding is decided, given the result of each draw. */
function deciding(
  settings: UpdateSettings,
  decide: (x: number, rounded: (bits: number) => number) => number,
): Arithmetic {
  let bits = 0;
  const drawn = storageArithmetic(settings, () => bits);
  const by = (x: number, operation: () => number) =>
    decide(x, (given) => {
      bits = given;
      return operation();
    });
  return {
    store: (x) => by(x, () => drawn.store(x)),
    add: (a, b) => by(a + b, () => drawn.add(a, b)),
    subtract: (a, b) => by(a - b, () => drawn.subtract(a, b)),
  };
}

/**
 * The first draw that rounds away from zero, as all larger ones do. Valid if draw 0 does not and the last one
 * does.
 *
 * @param guess the probable value: a search takes ten times as long.
 */
function firstDraw(goesAway: (bits: number) => boolean, guess: number): number {
  if (goesAway(guess) && !goesAway(guess - 1)) return guess;
  let [low, high] = [0, draw - 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (goesAway(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** numerator / 2^(32 draws), rounded once. */
export function probability({ numerator, draws }: Pick<Outcome, "numerator" | "draws">): number {
  return Number(numerator) * 2 ** (-32 * draws);
}

/** The sum of probabilities of any draws, exactly. */
export function sumOf(
  outcomes: readonly Pick<Outcome, "numerator" | "draws">[],
): Pick<Outcome, "numerator" | "draws"> {
  const draws = Math.max(0, ...outcomes.map((outcome) => outcome.draws));
  const numerator = outcomes.reduce(
    (sum, outcome) => sum + (outcome.numerator << BigInt(32 * (draws - outcome.draws))),
    0n,
  );
  return { numerator, draws };
}
