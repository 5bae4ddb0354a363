import { describe, expect, test } from "vitest";
import { explain } from "../../src/lens/explain/explain.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderExplanation } from "../../src/report/explanation.js";
import {
  addendOf,
  mayStart,
  mayStay,
  neighbourOf,
  probabilityOf,
  type Question,
  quotient,
  type State,
  start,
  step,
  storedOf,
  walk,
} from "../support/explained.js";
import { hardPairs, optionsOf, questions, schemeNames } from "../support/hard-pairs.js";
import { allRoundings, toUnits } from "../support/oracle.js";
import { fullTier } from "../support/tier.js";

/** The text as one line, since sentences are wrapped. */
const flat = (text: string) => text.replace(/\s+/g, " ");

const short = (x: number) => String(Number(x.toPrecision(6)));

const carriers = {
  "in-place": "none",
  master: "fp32 master",
  kahan: "compensation",
  "two-term": "second term",
} as const;

/** The probabilities of what may be said of the first step. */
function chancesOf(question: Question) {
  const before = start(question);
  const u = Math.fround(question.update);
  const ways = step(before, u, question);
  const probability = (is: (after: State) => boolean) => probabilityOf(ways.filter(({ value }) => is(value)));
  const isNumber = ({ weight, carrier }: State) => Number.isFinite(weight) && Number.isFinite(carrier);
  const finite = Number.isFinite(before.weight) && Number.isFinite(u);
  const stored = [...new Set(ways.map(({ value }) => value.weight))];
  return {
    zero: finite && u === 0,
    infinite: !finite,
    moves: finite ? probability((after) => isNumber(after) && after.weight !== before.weight) : 0,
    leaves: finite ? probability((after) => !isNumber(after)) : 1,
    keeps: finite
      ? probability(
          (after) => isNumber(after) && after.weight === before.weight && after.carrier !== before.carrier,
        )
      : 0,
    stored,
  };
}

/** What the sentence on the weight has to be, by the arithmetic alone. */
function verdictOf(question: Question): RegExp {
  const { zero, infinite, moves, leaves, keeps, stored } = chancesOf(question);
  const carrier = carriers[question.scheme];
  if (zero) return /The update is zero in fp32: a real zero\./;
  const before = storedOf(question);
  if (infinite && Number.isNaN(before)) return /The weight is NaN, and stays so\./;
  if (infinite && before === -Infinity) {
    return stored[0] === before
      ? /The weight is -Inf, and stays so\./
      : /The weight is -Inf, and becomes NaN\./;
  }
  if (infinite) return /The update is Inf: the stored weight saturates at 3\.38953e\+38\./;
  if (leaves === 1) {
    const name = Number.isNaN(stored[0]!) ? "NaN" : "Inf";
    return new RegExp(`The stored weight becomes ${name}\\.`);
  }
  if (moves === 1) return /The stored weight moves to [-.\d]+( or [-.\d]+)*\./;
  if (keeps === 1) return new RegExp(`The stored weight stays; the ${carrier} holds what it cannot show\\.`);
  if (moves > 0) return new RegExp(`The stored weight moves with probability ${short(100 * moves)}%`);
  if (leaves > 0)
    return new RegExp(`The stored weight becomes (Inf|NaN) with probability ${short(100 * leaves)}%`);
  if (keeps > 0) {
    return new RegExp(
      `The stored weight stays; the ${carrier} changes with probability ${short(100 * keeps)}%`,
    );
  }
  if (question.rounding === "stochastic") return /The stored weight cannot move\./;
  if (carrier !== "none") return new RegExp(`Nothing happens: the ${carrier} does not change either\\.`);
  return /Nothing happens: the update is lost\./;
}

/** Where in-place storage begins to move the weight, on the side of the update: found by trying. */
function boundaryOf(question: Question): RegExp | null {
  const stored = storedOf(question);
  const { update, format, rounding, scheme } = question;
  const u = Math.fround(update);
  if (rounding === "stochastic" || !Number.isFinite(stored + u) || u === 0) return null;
  const it = scheme === "master" ? "the master" : "w \\+ u";
  const side = u > 0 ? 1n : -1n;
  if (!mayStart(question)) return /the master is stored as another number even without the update\./;
  const at = toUnits(stored);
  if (!mayStay(at + side, question) && addendOf(question) !== stored)
    return new RegExp(`Under ${rounding} w stays until ${it} passes ${text(stored)}[.:]`);
  if (!mayStay(at + side, question))
    return new RegExp(`Under ${rounding} w stays only as long as ${it} is w`);
  const next = neighbourOf(stored, u > 0 ? 1 : -1, format);
  if (next !== null && Number.isFinite(next)) {
    const end = toUnits(next);
    if (mayStay(end - side, question)) {
      return new RegExp(`Under ${rounding} w stays until ${it} reaches the next number, ${text(next)}[.:]`);
    }
    return half(at + (end - at) / 2n, `half way to ${text(next)}`);
  }
  if (mayStay(side * 2n ** 2000n, question)) {
    return new RegExp(
      `All that lies beyond ${text(stored)} (saturates there|is brought back to it by ${rounding})`,
    );
  }
  const inward = neighbourOf(stored, u > 0 ? -1 : 1, format)!;
  return half(at + (at - toUnits(inward)) / 2n, "half a gap beyond");

  function half(units: bigint, where: string): RegExp {
    expect([mayStay(units - side, question), mayStay(units + side, question)]).toEqual([true, false]);
    const itself = mayStay(units, question) ? "stays" : "does not";
    const value = text(quotient(units, 2n ** 1074n));
    return new RegExp(
      `Under ${rounding} w stays until ${it} passes ${value}, ${where}, which itself ${itself}[.:]`,
    );
  }
  function text(x: number): string {
    const digits = x.toFixed(60).replace(/\.?0+$/, "");
    return (digits.length > 24 || digits === "0" ? short(x) : digits).replace(/[.+]/g, "\\$&");
  }
}

const rows = {
  "in-place": "in-place",
  master: "fp32 master",
  kahan: "Kahan compensation",
  "two-term": "two terms (Collage)",
};

/** The line of a scheme below the heading. */
function lineOf(text: string, scheme: keyof typeof rows): string {
  const lines = text.slice(text.indexOf("The same update at every step")).split("\n");
  return lines
    .find((line) => line.startsWith(`  ${rows[scheme]} `))!
    .slice(3 + rows[scheme].length)
    .trim();
}

describe.each(hardPairs)("$name: $weight and $update in $format.name", (pair) => {
  // Of each pair another sixth in the quick tier; the numbers that are told lens/explain/explain-table.test.ts has.
  const asked = questions.filter((_, i) => fullTier || (i + hardPairs.indexOf(pair)) % 6 === 0);
  test.each(asked)("$rounding, $scheme: the words say what is so, of this rounding and no other", (how) => {
    const question: Question = { ...pair, ...how };
    const { rounding, scheme, overflow, format } = question;
    const text = renderExplanation(explain(pair.weight, pair.update, optionsOf(question)));
    const words = flat(text);

    expect(words).toMatch(verdictOf(question));
    expect(
      words.match(/The (stored )?weight (moves|becomes|stays|cannot|is)|Nothing happens|The update is/g),
    ).toHaveLength(1);

    const boundary = scheme === "in-place" || scheme === "master" ? boundaryOf(question) : null;
    if (boundary) expect(words).toMatch(boundary);
    else expect(words).not.toMatch(/Under |All that lies/);

    expect(words).toContain(`(${rounding})`);
    for (const other of allRoundings.filter((each) => each !== rounding)) expect(words).not.toContain(other);
    for (const other of schemeNames.filter((each) => each !== scheme)) {
      // The last lines compare all schemes; nothing before speaks of another.
      expect(words.slice(0, words.indexOf("The same update"))).not.toContain(
        carriers[other].replace("none", "no carrier"),
      );
    }
    if (rounding === "stochastic") {
      expect(words).not.toMatch(/\blost\b|nearer|half|would have to|first shows at|each step starts|Under /);
    } else {
      expect(words).not.toMatch(/probability|average|chance|draw|may round/);
      if (!rounding.startsWith("nearest")) expect(words).not.toMatch(/half|tie/);
    }
    const saturating = overflow === "saturate" || format.beyond === "nothing";
    if (saturating) expect(words).not.toMatch(/becomes|rounds to -?(Inf|NaN) \(/);
    else expect(words).not.toContain("saturate");

    const line = text.split("\n").find((each) => /^ *[*|].*[|*]/.test(each));
    expect(line, text).toBeDefined();
    for (const each of text.split("\n")) {
      expect(visibleWidth(each), each).toBeLessThanOrEqual(80);
      expect(each).not.toMatch(/ $/);
    }
    expect(text).not.toMatch(/undefined|null|Infinity/);
  });

  test.each(allRoundings)("%s: what repeating it does, scheme by scheme", (rounding) => {
    const text = renderExplanation(
      explain(pair.weight, pair.update, optionsOf({ ...pair, rounding, scheme: "in-place" })),
    );
    const isGiven = Object.is(storedOf({ ...pair, rounding, scheme: "in-place" }), pair.weight);
    const start = isGiven ? "" : " \\(a master starts from [-.\\de]+, others from [-.\\de]+\\)";
    expect(flat(text)).toMatch(new RegExp(`The same update at every step, ${rounding}${start}:`));
    for (const scheme of schemeNames) {
      const question: Question = { ...pair, rounding, scheme };
      const said = lineOf(text, scheme);
      const { zero, infinite } = chancesOf(question);
      if (zero) expect(said).toBe("never: there is nothing to show");
      else if (infinite) expect(said).toBe("never: not a finite number");
      else if (rounding === "stochastic") expect(said).toMatch(/^(shows (after|in|within)|never: )/);
      else {
        const { ended, taken } = walk(question, 500);
        if (ended === "shown") expect(said).toMatch(new RegExp(`^first shows at step ${taken}( \\(|$)`));
        else if (ended === "nonfinite") expect(said).toBe(`leaves the finite numbers at step ${taken}`);
        else expect(said).toMatch(/^never: /);
      }
    }
  });
});
