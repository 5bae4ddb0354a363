import type { Arithmetic } from "../../update/arithmetic.js";
import { storageArithmetic } from "../../update/arithmetic.js";
import { schemes, type WeightState } from "../../update/scheme.js";
import type { UpdateSettings } from "../../update/settings.js";

/** A state that a step may lead to, and its probability. */
export interface Outcome {
  readonly state: WeightState;
  /** numerator / 2^(32 draws): each rounding that is drawn takes 32 random bits. */
  readonly numerator: bigint;
  readonly draws: number;
}

/** One more than the largest draw. */
const draw = 2 ** 32;

/**
 * All that one step may lead to: one outcome with probability 1, but under stochastic rounding. Each of its roundings goes
 * one of two ways; the paths through a step are followed one by one, and counted over all random bits.
 */
export function outcomesOf(state: WeightState, update: number, settings: UpdateSettings): Outcome[] {
  const { step } = schemes[settings.scheme];
  const outcomes: Outcome[] = [];
  /** Which way the first roundings of a path go, that are drawn; what follows goes toward zero first. */
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

/** An arithmetic whose every rounding of a number, about x, is decided, given what each draw would make of it. */
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
 * The first draw that rounds away from zero: all larger ones do, too. Valid where draw 0 does not and the last does.
 *
 * @param guess what it probably is: a search takes ten times as long.
 */
function firstDraw(goesAway: (bits: number) => boolean, guess: number): number {
  let [low, high] = [0, draw - 1];
  if (guess > low && guess < high && goesAway(guess) && !goesAway(guess - 1)) return guess;
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
