import { defineFormat } from "../format/format.js";
import { nextUp } from "../format/neighbours.js";
import type { Overflow } from "../format/round.js";
import { type RoundingTo, type Row, right, unbounded, type Wrong } from "./rounding-to.js";

/** Mistakes beyond the largest number, and of what is Inf. */
export function overflow(to: RoundingTo): Row[] {
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

/** Mistakes of zeros and of NaN. */
export function zeros(to: RoundingTo): Row[] {
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
