import { exponentOf } from "../format/float64.js";
import { defineFormat, type Format } from "../format/format.js";
import { format } from "../format/registry.js";
import { gapAt, type Overflow, type Rounding, roundings } from "../format/round.js";
import type { Mistake } from "./mistake.js";
import { overflow, zeros } from "./range-mistakes.js";
import {
  type RoundingQuestion,
  type RoundingTo,
  type Row,
  right,
  unbounded,
  type Wrong,
} from "./rounding-to.js";

/** All known mistakes of a rounding to this format; of two that look alike, the likelier comes first. */
export function roundingMistakes(to: RoundingTo): Mistake<RoundingQuestion, number>[] {
  const rounded = [...ties(to), ...otherRoundings(to)];
  const all = [
    ...rounded,
    ...throughFormats(to),
    ...subnormals(to),
    ...overflow(to),
    ...zeros(to),
    ...afterFormats(to, rounded),
  ];
  return all.map(([name, says, wrong]) => ({
    name,
    says,
    answer: ({ x, randomBits }) => wrong(x, randomBits),
  }));
}

function ties(to: RoundingTo): Row[] {
  if (to.rounding !== "nearest-even" && to.rounding !== "nearest-away") return [];
  const rows: Row[] =
    to.rounding === "nearest-even"
      ? [
          [
            "half away",
            "ties going away from zero instead of to even",
            right(to, { rounding: "nearest-away" }),
          ],
        ]
      : [
          [
            "half even",
            "ties going to even instead of away from zero",
            right(to, { rounding: "nearest-even" }),
          ],
        ];
  return [
    ...rows,
    ["half up", "ties going up, toward +Inf (floor(x + 1/2), as Math.round)", tieTo(to, "toward-positive")],
    ["half down", "ties going down, toward -Inf", tieTo(to, "toward-negative")],
    ["half toward zero", "ties going toward zero", tieTo(to, "toward-zero")],
    ["half to odd", "ties going to odd instead of to even", tieTo(to, "to-odd")],
  ];
}

/** Ties in the direction of another rounding, everything else correct. */
function tieTo(to: RoundingTo, rounding: Rounding): Wrong {
  const [asked, ofTies] = [right(to), right(to, { rounding })];
  return (x, bits) => (isTie(x, to.format) ? ofTies(x, bits) : asked(x, bits));
}

function isTie(x: number, resultFormat: Format): boolean {
  const magnitude = Math.abs(x);
  if (x === 0 || !(magnitude < 2 * resultFormat.maxFinite)) return false;
  const gap = gapAt(Math.min(exponentOf(magnitude), resultFormat.maxExponent), resultFormat);
  return (magnitude / gap) % 1 === 0.5;
}

function otherRoundings(to: RoundingTo): Row[] {
  const others = roundings.filter((each) => each !== to.rounding && each !== "stochastic");
  const rows = others.flatMap((rounding): Row[] => {
    const isTruncation = rounding === "toward-zero";
    const says = `${isTruncation ? "truncation (toward zero)" : `rounding ${rounding}`} instead of ${to.rounding}`;
    return withAnyOverflow(to, rounding).map(([how, wrong]) => [
      isTruncation ? "truncated" : rounding,
      `${says}${how}`,
      wrong,
    ]);
  });
  if (to.rounding !== "stochastic") return rows;
  const given = right(to);
  return [
    [
      "compares the random bits",
      "going up where the random bits are below the fraction, not where their sum carries",
      (x, bits) => given(x, ~bits >>> 0),
    ],
    [
      "16 random bits",
      "using the upper 16 random bits only",
      (x, bits) => given(x, (bits & 0xffff0000) >>> 0),
    ],
    ["16 random bits", "using the lower 16 random bits only", (x, bits) => given(x, (bits << 16) >>> 0)],
    ["8 random bits", "using the upper 8 random bits only", (x, bits) => given(x, (bits & 0xff000000) >>> 0)],
    ...rows,
  ];
}

/**
 * A rounding with its own overflow, then with that of nearest-even: code that drops bits carries on to Inf or NaN, where
 * IEEE 754's toward-zero stops at the largest number.
 */
function withAnyOverflow(to: RoundingTo, rounding: Rounding): [how: string, wrong: Wrong][] {
  const own = right(to, { rounding });
  const ending = (overflow: Overflow): Wrong => {
    const nearest = right(to, { rounding: "nearest-even", overflow });
    const { maxFinite } = to.format;
    return (x, bits) =>
      Math.abs(x) > maxFinite && Math.abs(unbounded(x, { ...to, rounding }, bits)) > maxFinite
        ? nearest(x < 0 ? -Infinity : Infinity, 0)
        : own(x, bits);
  };
  return [
    ["", own],
    ["", ending(to.overflow)],
    to.overflow === "ieee" ? [", saturating", ending("saturate")] : [", not saturating", ending("ieee")],
  ];
}

const intermediates = ["fp32", "fp16", "bf16", "tf32"].map((name) => format(name));

/** Formats that a number may be rounded to before, and that rounding. */
function widerFormats(to: RoundingTo): [wider: Format, first: Wrong][] {
  return intermediates
    .filter(({ precision }) => precision > to.format.precision)
    .map((wider) => [wider, right(to, { format: wider, rounding: "nearest-even", overflow: "ieee" })]);
}

/** Rounding twice: to a wider format first. */
function throughFormats(to: RoundingTo): Row[] {
  const then = right(to);
  return widerFormats(to).flatMap(([wider, first]): Row[] => {
    const truncated = right(to, { format: wider, rounding: "toward-zero" });
    const once = `two roundings, to ${wider.name} first`;
    return [
      [`through ${wider.name}`, once, (x, bits) => then(first(x, bits), bits)],
      [`through ${wider.name}`, `${once} by truncation`, (x, bits) => then(truncated(x, bits), bits)],
    ];
  });
}

/** Another rounding of what was rounded to a wider format before, as the upper bits of an fp32 sum are. */
function afterFormats(to: RoundingTo, rounded: readonly Row[]): Row[] {
  return widerFormats(to).flatMap(([wider, first]) =>
    rounded.map(
      ([name, says, wrong]): Row => [
        name,
        `${says}, after rounding to ${wider.name}`,
        (x, bits) => wrong(first(x, bits), bits),
      ],
    ),
  );
}

function subnormals(to: RoundingTo): Row[] {
  const { minNormal, subnormals: has } = to.format;
  if (!has) return [];
  const asked = right(to);
  const zero = (x: number) => (x < 0 && !to.format.unsignedZero ? -0 : 0);
  const inside = (x: number) => x !== 0 && Math.abs(x) < minNormal;
  const flushed: [how: string, wrong: Wrong][] = [
    [
      "results below the smallest normal number become 0",
      (x, bits) => (inside(asked(x, bits)) ? zero(x) : asked(x, bits)),
    ],
    [
      "numbers below the smallest normal number become 0",
      (x, bits) => (inside(x) ? zero(x) : asked(x, bits)),
    ],
    [
      "results below the smallest normal number become +0",
      (x, bits) => (inside(asked(x, bits)) ? 0 : asked(x, bits)),
    ],
    ["numbers below the smallest normal number become +0", (x, bits) => (inside(x) ? 0 : asked(x, bits))],
    [
      "a format without them: 0, then the smallest normal number",
      right(to, { format: withoutSubnormals(to.format) }),
    ],
  ];
  const rows = flushed.map(
    ([how, wrong]): Row => ["flushed subnormals", `flushed subnormals (${how})`, wrong],
  );
  const fp32Flushed: Wrong = (x, bits) => asked(Math.abs(x) < 2 ** -126 ? zero(x) : x, bits);
  return [
    ...rows,
    [
      "no subnormal range",
      "no gradual underflow: numbers below the normal range keep all their digits",
      (x, bits) => (inside(x) ? unbounded(x, to, bits) : asked(x, bits)),
    ],
    ...(minNormal > 2 ** -126
      ? [["flushed subnormals", "fp32 subnormals flushed before the rounding", fp32Flushed] as Row]
      : []),
  ];
}

function withoutSubnormals(resultFormat: Format): Format {
  return defineFormat({ ...resultFormat, subnormals: false });
}
