import { type Class, classes } from "../lens/classify.js";
import type { TensorInput, Values } from "../lens/input.js";
import type { SelfCheck } from "../lens/run/result.js";
import type { Tally } from "../lens/tally.js";
import { type UpdateOptions, updateSettings } from "../update/settings.js";
import type { Engine } from "./engine.js";

/** One update of one weight whose outcome is known: its class, and what the stored weight does (w' - w). */
interface HardCase {
  readonly weight: number;
  readonly update: number;
  readonly becomes: Class;
  readonly effective: number;
}

const hardCases: readonly { readonly settings: UpdateOptions; readonly cases: readonly HardCase[] }[] = [
  {
    settings: { format: "bf16" },
    cases: [
      // Ties go to the even code: that of 1 is even, that of 1 + 2^-7 odd.
      { weight: 1, update: 2 ** -8, becomes: "lost", effective: 0 },
      { weight: 1 + 2 ** -7, update: 2 ** -8, becomes: "moved", effective: 2 ** -7 },
      { weight: 1, update: 2 ** -8 + 2 ** -23, becomes: "moved", effective: 2 ** -7 },
      // Below a power of two the gap is half as wide.
      { weight: 1, update: -(2 ** -9), becomes: "lost", effective: 0 },
      { weight: 1, update: -(2 ** -9) - 2 ** -24, becomes: "moved", effective: -(2 ** -8) },
      // A carry into the exponent.
      { weight: 2 - 2 ** -7, update: 2 ** -8, becomes: "moved", effective: 2 ** -7 },
      // Subnormals, in the update and in the weight.
      { weight: 0, update: 2 ** -134, becomes: "lost", effective: 0 },
      { weight: 2 ** -133, update: 2 ** -134, becomes: "moved", effective: 2 ** -133 },
      { weight: 2 ** -126, update: -(2 ** -133), becomes: "moved", effective: -(2 ** -133) },
      { weight: 1, update: 0, becomes: "none", effective: 0 },
      { weight: -0, update: -0, becomes: "none", effective: 0 },
      { weight: 255 * 2 ** 120, update: 2 ** 119, becomes: "nonfinite", effective: 0 },
      { weight: 1, update: NaN, becomes: "nonfinite", effective: 0 },
      { weight: -Infinity, update: 1, becomes: "nonfinite", effective: 0 },
    ],
  },
  {
    settings: { format: "fp16" },
    cases: [
      { weight: 65504, update: 15.9921875, becomes: "lost", effective: 0 },
      { weight: 65504, update: 16, becomes: "nonfinite", effective: 0 },
      { weight: 2 ** -24, update: 2 ** -25, becomes: "moved", effective: 2 ** -24 },
    ],
  },
  {
    settings: { format: "e4m3fn" },
    cases: [
      { weight: 448, update: 16, becomes: "lost", effective: 0 },
      { weight: 448, update: 17, becomes: "nonfinite", effective: 0 },
    ],
  },
  { settings: { format: "e2m1fn" }, cases: [{ weight: 6, update: 2, becomes: "lost", effective: 0 }] },
  {
    settings: { format: "fp32" },
    cases: [
      { weight: 1, update: 2 ** -24, becomes: "lost", effective: 0 },
      { weight: 1 + 2 ** -23, update: 2 ** -24, becomes: "moved", effective: 2 ** -23 },
      { weight: 2 ** -149, update: 2 ** -149, becomes: "moved", effective: 2 ** -149 },
    ],
  },
  // 1 - 2^-30 rounds to 1 in fp32, which toward-zero does not change; rounded once it is the number below 1.
  {
    settings: { format: "bf16", rounding: "toward-zero" },
    cases: [{ weight: 1, update: -(2 ** -30), becomes: "lost", effective: 0 }],
  },
  {
    settings: { format: "bf16", rounding: "toward-zero", opmath: "exact" },
    cases: [{ weight: 1, update: -(2 ** -30), becomes: "moved", effective: -(2 ** -8) }],
  },
  {
    settings: { format: "bf16", rounding: "nearest-away" },
    cases: [{ weight: 1, update: 2 ** -8, becomes: "moved", effective: 2 ** -7 }],
  },
  {
    settings: { format: "bf16", rounding: "toward-positive" },
    cases: [{ weight: -1, update: 2 ** -20, becomes: "moved", effective: 2 ** -8 }],
  },
  {
    settings: { format: "bf16", rounding: "toward-negative" },
    cases: [{ weight: -1, update: -(2 ** -20), becomes: "moved", effective: -(2 ** -7) }],
  },
  {
    settings: { format: "bf16", rounding: "to-odd" },
    cases: [
      { weight: 1, update: 2 ** -12, becomes: "moved", effective: 2 ** -7 },
      { weight: 1 + 2 ** -7, update: 2 ** -12, becomes: "lost", effective: 0 },
    ],
  },
  {
    settings: { format: "bf16", scheme: "master" },
    cases: [
      { weight: 1, update: 2 ** -10, becomes: "kept", effective: 0 },
      { weight: 1, update: 2 ** -25, becomes: "lost", effective: 0 },
    ],
  },
  {
    settings: { format: "bf16", scheme: "kahan" },
    cases: [{ weight: 1, update: 2 ** -10, becomes: "kept", effective: 0 }],
  },
  {
    settings: { format: "bf16", scheme: "two-term" },
    cases: [{ weight: 1, update: 2 ** -10, becomes: "kept", effective: 0 }],
  },
];

/** Compares class and effect of every hard case that the engine supports, each a tensor of one weight and one step. */
export async function selfCheck(engine: Engine): Promise<SelfCheck> {
  let passed = 0;
  const failures: string[] = [];
  for (const { settings, cases } of hardCases) {
    const asked = [updateSettings(settings)];
    if (engine.refuses?.(asked)) continue;
    const [{ tensors }] = await engine.run({ tensors: cases.map(oneWeight), stepNumbers: [0], cases: asked });
    for (const [i, hardCase] of cases.entries()) {
      if (outcome(tensors[i].tally, hardCase.update) === expected(hardCase)) passed += 1;
      else failures.push(`${JSON.stringify(settings)}: ${hardCase.weight} + ${hardCase.update}`);
    }
  }
  return { passed, failed: failures.length, firstFailure: failures[0] ?? null };
}

function oneWeight({ weight, update }: HardCase, i: number): TensorInput {
  return { name: `case ${i}`, shape: [], weights: constant(weight), updates: [constant(update)] };
}

function constant(value: number): Values {
  return {
    length: 1,
    read: async (_, into) => {
      into.fill(value);
    },
  };
}

/** Class, size and direction of one weight-step. */
function expected({ becomes, effective, update }: HardCase): string {
  return [becomes, Math.abs(effective), Math.sign(effective * update) || 0].join(" ");
}

function outcome({ updates }: Tally, update: number): string {
  const became = classes.filter((className) => updates[className] === 1);
  const effective = Math.sqrt(updates.effectiveSquared.value());
  const direction = Number.isFinite(update) ? Math.sign(updates.product.value()) : 0;
  return [became.join("+"), effective, direction || 0].join(" ");
}
