import type { Question, SchemeName } from "./explained.js";
import { allRoundings, type OracleRounding } from "./oracle.js";
import { bf16, e2m1fn, e4m3fn, e4m3fnuz, e5m2, fp16, type OracleFormat } from "./oracle-formats.js";

/** Weights and updates for special cases, each with its own format and overflow. */
export interface HardPair extends Omit<Question, "rounding" | "scheme"> {
  readonly name: string;
}

/** IEEE-like with so small gaps that a few updates below fp32's resolution add up to one. */
const e4m16: OracleFormat = {
  name: "e4m16",
  bits: 21,
  precision: 17,
  leastExponent: -22,
  normalExponent: -6,
  largest: 2 ** 8 - 2 ** -9,
  beyond: "infinity",
  nanCode: 0xf_8000,
  signedZero: true,
};

const usual = { format: bf16, overflow: "ieee", opmath: "fp32" } as const;

export const hardPairs: readonly HardPair[] = [
  { ...usual, name: "a small update", weight: 0.02, update: 1e-6 },
  { ...usual, name: "a tie at an even number", weight: 1, update: 2 ** -8 },
  { ...usual, name: "a tie at an odd negative number", weight: -1.0078125, update: -(2 ** -8) },
  { ...usual, name: "below a power of two", weight: 1, update: -(2 ** -10) },
  { ...usual, name: "toward zero, more than half a gap", weight: -0.02, update: 9e-5 },
  { ...usual, name: "several gaps", weight: 1, update: 0.021 },
  { ...usual, name: "a tie beyond the largest number", format: fp16, weight: 65504, update: 16 },
  { ...usual, name: "NaN beyond the largest number", format: e4m3fn, weight: 448, update: 100 },
  { ...usual, name: "saturation", format: e4m3fn, overflow: "saturate", weight: -448, update: -100 },
  { ...usual, name: "stored as the largest", format: fp16, overflow: "saturate", weight: 65500, update: 1 },
  { ...usual, name: "neither Inf nor NaN", format: e2m1fn, weight: 4, update: 3 },
  { ...usual, name: "subnormals", weight: 1e-40, update: 1e-42 },
  { ...usual, name: "a zero without a sign", format: e4m3fnuz, weight: 0, update: -1e-3 },
  { ...usual, name: "an update that fp32 swallows", format: e2m1fn, weight: 1, update: 1e-9 },
  {
    ...usual,
    name: "what fp32 would swallow, exactly",
    format: e4m16,
    opmath: "exact",
    weight: 1,
    update: -(2 ** -26),
  },
  { ...usual, name: "an update that is zero in fp32", weight: 3, update: 1e-50 },
  { ...usual, name: "a weight that is NaN", format: e5m2, weight: Number.NaN, update: 1 },
  { ...usual, name: "a weight that is -Inf", format: fp16, weight: -Infinity, update: 1 },
  { ...usual, name: "an update that is Inf", overflow: "saturate", weight: 1, update: Infinity },
];

export const schemeNames: readonly SchemeName[] = ["in-place", "master", "kahan", "two-term"];

export const questions: readonly { rounding: OracleRounding; scheme: SchemeName }[] = allRoundings.flatMap(
  (rounding) => schemeNames.map((scheme) => ({ rounding, scheme })),
);

/** The options of `explain`. */
export function optionsOf({ format, rounding, scheme, overflow, opmath }: Question) {
  return { format: format.name, rounding, scheme, overflow, opmath };
}
