import { describe, expect, test } from "vitest";
import { type Explanation, explain } from "../../../src/lens/explain/explain.js";
import { exactSum, locate, roundLocated } from "../../support/exact.js";
import {
  addendOf,
  fallOf,
  mayStay,
  meanOf,
  meanWalk,
  merged,
  neighbourOf,
  probabilityOf,
  type Question,
  type State,
  start,
  step,
  storedOf,
  type Way,
  walk,
} from "../../support/explained.js";
import { hardPairs, optionsOf, questions, schemeNames } from "../../support/hard-pairs.js";
import { allRoundings, expectedSpecial, toUnits } from "../../support/oracle.js";
import { fp32 } from "../../support/oracle-formats.js";
import { expectValid } from "../../support/schemas.js";
import { fullTier } from "../../support/tier.js";

/** As JSON has it. */
const numeral = (x: number | null) =>
  x === null ? null : Object.is(x, -0) ? "-0" : Number.isFinite(x) ? x : String(x);
const finite = (x: number) => (Number.isFinite(x) ? x : null);

function expectedWeight(question: Question) {
  const stored = storedOf(question);
  const [below, above] = Number.isFinite(stored)
    ? ([-1, 1] as const).map((side) => neighbourOf(stored, side, question.format))
    : // Next to an infinity is the largest finite number, next to NaN nothing.
      [stored > 0 ? question.format.largest : null, stored < 0 ? -question.format.largest : null];
  const gap = (neighbour: number | null) =>
    neighbour === null ? null : finite(Math.abs(neighbour - stored));
  return {
    given: numeral(question.weight),
    stored: numeral(stored),
    below: numeral(below!),
    above: numeral(above!),
    gapBelow: gap(below!),
    gapAbove: gap(above!),
    master: question.scheme === "master" ? numeral(addendOf(question)) : null,
  };
}

/** The sum that is stored, in units; null where it is not finite. */
function unitsOfSum(question: Question): bigint | null {
  const { update, opmath, scheme } = question;
  const addend = addendOf(question);
  const u = Math.fround(update);
  if (!Number.isFinite(addend) || !Number.isFinite(u)) return null;
  if (opmath === "exact" && scheme !== "master") return toUnits(addend) + toUnits(u);
  const sum = roundLocated(locate(exactSum(addend, u), fp32), fp32, "nearest-even", "ieee");
  return Number.isFinite(sum) ? toUnits(sum) : null;
}

function expectedFall(question: Question) {
  const { format } = question;
  const units = unitsOfSum(question);
  if (units === null) return { below: null, above: null, position: null, tie: false };
  const fall = fallOf(units, format);
  if (fall === null) return { below: 0, above: 0, position: 0, tie: false };
  if (fall.position !== null) {
    // Zero between its neighbours has the sign of the side from which it is reached.
    const sign = (x: number, side: number) => (x === 0 && format.signedZero ? side * 0 : x);
    const [low, high] = [sign(fall.low, 1), sign(fall.high, -1)];
    return { below: numeral(low), above: numeral(high), position: fall.position, tie: fall.tie };
  }
  const beyond = neighbourOf(units < 0n ? -format.largest : format.largest, units < 0n ? -1 : 1, format);
  return units < 0n
    ? { below: numeral(beyond), above: -format.largest, position: null, tie: false }
    : { below: format.largest, above: numeral(beyond), position: null, tie: false };
}

function classOf(before: State, u: number, after: State): keyof Explanation["step"]["chances"] {
  if (![before.weight, u, after.weight, after.carrier].every(Number.isFinite)) return "nonfinite";
  if (u === 0) return "none";
  if (after.weight !== before.weight) return "moved";
  return after.carrier !== before.carrier ? "kept" : "lost";
}

function expectedStep(question: Question) {
  const before = start(question);
  const u = Math.fround(question.update);
  const ways = step(before, u, question);
  const carrier = ({ carrier: held }: State) => (question.scheme === "in-place" ? null : numeral(held));
  const keyOf = (state: State) => JSON.stringify([numeral(state.weight), carrier(state)]);
  const mean = (terms: (state: State) => number[]) => {
    const sums = ways.map((way) => ({ ...way, value: terms(way.value) }));
    return sums.every(({ value }) => value.every(Number.isFinite)) ? meanOf(sums) : null;
  };
  const chance = (name: string) =>
    probabilityOf(ways.filter(({ value }: Way<State>) => classOf(before, u, value) === name));
  const { weight, carrier: master } = before;
  return {
    outcomes: merged(ways, keyOf),
    chances: {
      none: chance("none"),
      lost: chance("lost"),
      kept: chance("kept"),
      moved: chance("moved"),
      nonfinite: chance("nonfinite"),
    },
    displacement: mean((state) => [state.weight, -weight]),
    retained: mean(({ weight: w, carrier: c }) =>
      question.scheme === "master" ? [c, -master] : [w, c, -weight],
    ),
  };
}

function expectStays({ stays }: Explanation, question: Question): void {
  const stored = storedOf(question);
  if (!Number.isFinite(stored)) {
    expect(stays).toBeNull();
    return;
  }
  for (const [side, end, included] of [
    [-1n, Number(stays!.low), stays!.lowIncluded],
    [1n, Number(stays!.high), stays!.highIncluded],
  ] as const) {
    if (Number.isFinite(end)) {
      const units = toUnits(end);
      expect(mayStay(units, question), `${end} itself`).toBe(included);
      expect(mayStay(units + side, question), `beyond ${end}`).toBe(false);
      // 32 random bits tell of a number that is drawn only 2^-32 of a gap away.
      const gap = question.rounding === "stochastic" ? toUnits(end) - toUnits(stored) : 0n;
      const inside = gap === 0n ? units - side : units - gap / 2n ** 32n - side;
      if (end !== stored) expect(mayStay(inside, question), `within ${end}`).toBe(true);
    } else {
      expect(mayStay(side * 2n ** 2000n, question), "far beyond").toBe(true);
      expect(expectedSpecial(end, question.format, question.overflow) === stored).toBe(included);
    }
  }
}

function expectOutlook(outlook: Explanation["schemes"][number], question: Question): void {
  const finiteInput = Number.isFinite(storedOf(question)) && Number.isFinite(Math.fround(question.update));
  const nothing = { firstVisibleStep: null, expectedStep: null, weight: null, carrier: null };
  if (!finiteInput) {
    expect(outlook).toMatchObject({ ...nothing, never: "nonfinite", searched: 0 });
    return;
  }
  if (question.rounding === "stochastic") {
    expectDrawn(outlook, question);
    return;
  }
  const { ended, taken, state } = walk(question, 500);
  if (ended === "shown") {
    expect(outlook).toMatchObject({
      firstVisibleStep: taken,
      weight: numeral(state.weight),
      carrier: question.scheme === "in-place" ? null : numeral(state.carrier),
      never: null,
      searched: taken,
    });
  } else if (ended === "open") {
    expect(outlook).toMatchObject(nothing);
    expect(["saturated", "stuck"]).toContain(outlook.never);
  } else if (outlook.never !== "saturated") {
    expect(outlook).toMatchObject({ ...nothing, never: ended, searched: taken });
  } else {
    expect([question.scheme, ended]).toEqual(["master", "stuck"]);
  }
}

function expectDrawn(outlook: Explanation["schemes"][number], question: Question): void {
  const before = start(question);
  const ways = step(before, Math.fround(question.update), question);
  const staying = ways.filter(({ value }) => value.weight === before.weight);
  expect(outlook.firstVisibleStep).toBeNull();
  if (staying.every(({ value }) => value.carrier === before.carrier)) {
    // Every step is like the first.
    const leaves = 1 - probabilityOf(staying);
    expect(outlook.expectedStep).toBe(leaves === 0 ? null : 1 / leaves);
    expect(outlook.never).toBe(leaves === 0 ? "stuck" : null);
    return;
  }
  if (outlook.never === "saturated") {
    expect(walk({ ...question, rounding: "toward-zero" }, 500).ended).not.toBe("shown");
    return;
  }
  const { mean, open } = meanWalk(question, 5000);
  if (outlook.never === "not within the search") {
    // The largest number is never left: by a master with the probability `open`, by other carriers for certain.
    expect(outlook.expectedStep).toBeNull();
    expect(Math.abs(outlook.chanceWithin! - (1 - open))).toBeLessThan(1e-9);
    return;
  }
  if (open === 1) {
    expect(outlook).toMatchObject({ expectedStep: null, never: "stuck" });
    return;
  }
  expect(open).toBeLessThan(1e-16);
  // Sums of at most 5,000 products, rounded in another order: 2^-53 each.
  expect(Math.abs(outlook.expectedStep! / mean - 1)).toBeLessThan(5000 * 2 ** -52);
}

describe.each(hardPairs)("$name: $weight and $update in $format.name", (pair) => {
  // In the quick tier two schemes under each rounding, and of the next pair the two others.
  const asked = questions.filter((_, i) => fullTier || (i + hardPairs.indexOf(pair)) % 2 === 0);
  test.each(asked)("$rounding, $scheme", (how) => {
    const question: Question = { ...pair, ...how };
    const explanation = explain(pair.weight, pair.update, optionsOf(question));
    expectValid("explanation", JSON.parse(JSON.stringify(explanation)));
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(explanation).toMatchObject({ ...optionsOf(question), weight: expectedWeight(question) });

    const { sum } = explanation;
    const units = unitsOfSum(question);
    if (units !== null) expect(toUnits(Number(sum.value)) + toUnits(sum.tail)).toBe(units);
    expect(sum).toMatchObject(expectedFall(question));

    const inPlace: Question = {
      ...question,
      scheme: "in-place",
      ...(how.scheme === "master" && { opmath: "fp32" }),
    };
    const direct = step({ weight: addendOf(question), carrier: 0 }, Math.fround(pair.update), inPlace);
    expect(new Map(sum.roundsTo.map(({ value, probability }) => [value, probability]))).toEqual(
      merged(direct, ({ weight }) => numeral(weight) as string),
    );

    expectStays(explanation, question);

    const { outcomes, ...means } = expectedStep(question);
    const { outcomes: told, ...rest } = explanation.step;
    expect(rest).toEqual(means);
    expect(new Map(told.map((one) => [JSON.stringify([one.weight, one.carrier]), one.probability]))).toEqual(
      outcomes,
    );
    const [u, before] = [Math.fround(pair.update), start(question)];
    for (const { weight, carrier, becomes } of told) {
      expect(becomes).toBe(classOf(before, u, { weight: Number(weight), carrier: Number(carrier ?? 0) }));
    }
  });

  test.each(allRoundings)("%s: the same update at every step, in each scheme", (rounding) => {
    const { schemes } = explain(
      pair.weight,
      pair.update,
      optionsOf({ ...pair, rounding, scheme: "in-place" }),
    );
    expect(schemes.map(({ scheme }) => scheme)).toEqual(schemeNames);
    for (const outlook of schemes) expectOutlook(outlook, { ...pair, rounding, scheme: outlook.scheme });
  });
});
