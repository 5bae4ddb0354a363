import { exponentOf, powerOfTwo } from "../format/float64.js";
import { defineFormat, type Format, ieeeFormat } from "../format/format.js";
import { nextUp } from "../format/neighbours.js";
import { format } from "../format/registry.js";
import { gapAt, type Overflow, type Rounding, roundings, roundSum } from "../format/round.js";
import type { Mistake } from "./mistake.js";

/** All parameters of a rounding. */
export interface RoundingTo {
  readonly format: Format;
  readonly rounding: Rounding;
  readonly overflow: Overflow;
}

export interface RoundingQuestion {
  readonly x: number;
  readonly randomBits: number;
}

type Wrong = (x: number, randomBits: number) => number;

/** All known mistakes of a rounding to this format; of two that look alike, the likelier comes first. */
export function roundingMistakes(to: RoundingTo): Mistake<RoundingQuestion, number>[] {
  const all = [
    ...ties(to),
    ...otherRoundings(to),
    ...throughFormats(to),
    ...subnormals(to),
    ...overflow(to),
    ...zeros(to),
  ];
  return all.map(([name, says, wrong]) => ({
    name,
    says,
    answer: ({ x, randomBits }) => wrong(x, randomBits),
  }));
}

type Row = readonly [name: string, says: string, wrong: Wrong];

const right = ({ format, rounding, overflow }: RoundingTo, changed: Partial<RoundingTo> = {}): Wrong => {
  const to = { format, rounding, overflow, ...changed };
  return (x, bits) => roundSum(x, 0, to.format, to.rounding, to.overflow, bits);
};

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
  const others = roundings.filter(
    (each) => each !== to.rounding && each !== "stochastic" && each !== "nearest-away",
  );
  const rows = others.map((rounding): Row => {
    const says = rounding === "toward-zero" ? "truncation (toward zero)" : `rounding ${rounding}`;
    return [
      rounding === "toward-zero" ? "truncated" : rounding,
      `${says} instead of ${to.rounding}`,
      right(to, { rounding }),
    ];
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

const intermediates = ["fp32", "fp16", "bf16", "tf32"].map((name) => format(name));

/** Rounding twice: to a wider format first. */
function throughFormats(to: RoundingTo): Row[] {
  const then = right(to);
  return intermediates
    .filter(({ precision }) => precision > to.format.precision)
    .flatMap((wider): Row[] => {
      const first = right(to, { format: wider, rounding: "nearest-even", overflow: "ieee" });
      const once = `two roundings, to ${wider.name} first`;
      return [
        [`through ${wider.name}`, once, (x, bits) => then(first(x, bits), bits)],
        [
          `through ${wider.name}`,
          `${once} by truncation`,
          (x, bits) => then(right(to, { format: wider, rounding: "toward-zero" })(x, bits), bits),
        ],
      ];
    });
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

/** Rounds as if exponents had no limits. */
export function unbounded(x: number, { format: { precision }, rounding }: RoundingTo, bits: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const wide = ieeeFormat("wide", 8, precision - 1);
  const exponent = exponentOf(x);
  const scale = powerOfTwo(Math.max(-1022, Math.min(1023, exponent)));
  return roundSum(x / scale, 0, wide, rounding, "ieee", bits) * scale;
}

function overflow(to: RoundingTo): Row[] {
  const { format: resultFormat, overflow: asked } = to;
  const { maxFinite, hasInfinity, hasNaN, name } = resultFormat;
  const given = right(to);
  const sign = (x: number, magnitude: number) => (x < 0 ? -magnitude : magnitude);
  const beyond = (x: number, bits: number) =>
    Number.isFinite(x) && Math.abs(unbounded(x, to, bits)) > maxFinite;
  /** Mistakes beyond the largest number, other results being correct. */
  const becomes =
    (what: (x: number, bits: number) => number): Wrong =>
    (x, bits) =>
      beyond(x, bits) ? what(x, bits) : given(x, bits);
  const row = (says: string, wrong: Wrong, label = "wrong overflow"): Row => [label, says, wrong];
  const other: Overflow = asked === "ieee" ? "saturate" : "ieee";
  return [
    row(
      asked === "ieee"
        ? `saturation at ${maxFinite} instead of ${hasInfinity ? "Inf" : "NaN"}`
        : `no saturation: numbers beyond ${maxFinite} become ${hasInfinity ? "Inf" : "NaN"}`,
      right(to, { overflow: other }),
    ),
    row(`finite numbers saturated at ${maxFinite}, Inf not`, (x, bits) =>
      Number.isFinite(x)
        ? right(to, { overflow: "saturate" })(x, bits)
        : right(to, { overflow: "ieee" })(x, bits),
    ),
    row(
      `no largest number: what lies beyond ${maxFinite} is kept`,
      becomes((x, bits) => unbounded(x, to, bits)),
    ),
    row(`every number beyond ${maxFinite} overflows, also where it rounds to ${maxFinite}`, (x, bits) =>
      Number.isFinite(x) && Math.abs(x) > maxFinite ? sign(x, hasInfinity ? Infinity : NaN) : given(x, bits),
    ),
    row(
      "overflow that becomes Inf",
      becomes((x) => sign(x, Infinity)),
    ),
    row(
      "overflow that becomes NaN",
      becomes(() => NaN),
    ),
    row(
      "overflow that becomes 0",
      becomes(() => 0),
    ),
    row(`${maxFinite}, the largest number, becoming 0`, (x, bits) =>
      Math.abs(unbounded(x, to, bits)) >= maxFinite && !Number.isNaN(x) ? 0 : given(x, bits),
    ),
    row(`${maxFinite}, the largest number, taken as overflow`, (x, bits) =>
      Math.abs(given(x, bits)) === maxFinite ? sign(x, hasInfinity ? Infinity : NaN) : given(x, bits),
    ),
    ...topBinade(to),
    ...(hasNaN
      ? []
      : [
          row(
            `Inf where ${name} has none`,
            becomes((x) => sign(x, Infinity)),
          ),
        ]),
    row("Inf that becomes NaN", (x, bits) => (Math.abs(x) === Infinity ? NaN : given(x, bits)), "wrong Inf"),
    row("Inf that stays Inf", (x, bits) => (Math.abs(x) === Infinity ? x : given(x, bits)), "wrong Inf"),
    row(
      `Inf that becomes ${maxFinite}`,
      (x, bits) => (Math.abs(x) === Infinity ? sign(x, maxFinite) : given(x, bits)),
      "wrong Inf",
    ),
  ];
}

/** Formats with few top codes taken for their neighbours: IEEE-like ones, or those where every code is a number. */
function topBinade(to: RoundingTo): Row[] {
  const { format: resultFormat } = to;
  const { topCodes, exponentBits, precision, name, maxFinite } = resultFormat;
  if (topCodes >= 2 ** (precision - 1) || resultFormat.unsignedZero) return [];
  const rows: Row[] = [];
  const ieeeLike = defineFormat({ ...resultFormat, topCodes: 2 ** (precision - 1) });
  const shape = `e${exponentBits}m${precision - 1}`;
  for (const overflow of ["ieee", "saturate"] as const) {
    rows.push([
      "wrong overflow",
      `${name} taken for the IEEE-like ${shape}, with ${ieeeLike.maxFinite} the largest number`,
      right(to, { format: ieeeLike, overflow }),
    ]);
  }
  if (topCodes > 0) {
    const full = defineFormat({ ...resultFormat, topCodes: 0 });
    const says = `the code of NaN taken for a number, ${full.maxFinite}: the largest number is ${maxFinite}`;
    const clipped = right(to, { format: full });
    rows.push(["wrong overflow", says, (x, bits) => (Number.isNaN(x) ? x : clipped(x, bits))]);
    const beyondFull = (x: number, bits: number, limit: number) =>
      Math.abs(unbounded(x, to, bits)) > full.maxFinite ? (x < 0 ? -limit : limit) : clipped(x, bits);
    for (const limit of [Infinity, NaN])
      rows.push(["wrong overflow", says, (x, bits) => beyondFull(x, bits, limit)]);
  }
  return rows;
}

function zeros(to: RoundingTo): Row[] {
  const given = right(to);
  const { maxFinite } = to.format;
  const nan = (becomes: number, what: string): Row => [
    "wrong NaN",
    `NaN becoming ${what}`,
    (x, bits) => (Number.isNaN(x) ? becomes : given(x, bits)),
  ];
  return [
    ["sign of zero", "-0 becoming +0", (x, bits) => given(x, bits) + 0],
    [
      "sign of zero",
      "negative numbers that round to 0 losing their sign",
      (x, bits) => (x !== 0 && given(x, bits) === 0 ? 0 : given(x, bits)),
    ],
    ["sign of zero", "-0 as an input becoming +0", (x, bits) => (x === 0 ? 0 : given(x, bits))],
    ...(to.format.unsignedZero
      ? [
          [
            "sign of zero",
            "a -0 that the format does not have",
            (x, bits) => (given(x, bits) === 0 && (x < 0 || Object.is(x, -0)) ? -0 : given(x, bits)),
          ] as Row,
        ]
      : []),
    nan(0, "0"),
    nan(Infinity, "Inf"),
    nan(-Infinity, "-Inf"),
    nan(maxFinite, String(maxFinite)),
    nan(nextUp(0, to.format), "the smallest number"),
  ];
}
