import type { Format } from "../../../format/format.js";
import { bitsOf, infinityBits, nanBits } from "../../lane/numbers.js";
import type { LaneSettings } from "../../lane/refusal.js";
import { round } from "../../lane/round.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type CaseLayout, type Layout, tensorTally } from "../layout.js";
import { forEachGroup, halves, loadGroup, vectorBytes } from "./groups.js";
import { flagsOf } from "./lanes.js";
import { addCount } from "./sum.js";

/**
 * The body of `begin(base, count)`: stores the given weights like startState of update/apply.ts, and counts those
 * altered by it.
 */
export function writeBegin(
  k: FunctionWriter,
  settings: LaneSettings,
  layout: Layout,
  caseLayout: CaseLayout,
): void {
  const ofWeight = settings.scheme === "master" ? [caseLayout.carriers] : [];
  const states = [caseLayout.carriers];
  if (settings.recipe) {
    const masters = settings.recipe.carriers.filter(({ from }) => from === "weight");
    ofWeight.push(...masters.map(({ name }) => caseLayout.states[name]));
    states.push(...Object.values(caseLayout.states));
  }
  beginGroups(k, layout, caseLayout, (row, given) =>
    given.map((x, half) => {
      const stored = round(k, x, { ...settings, rounding: "nearest-even" }, () => k.i32x4.constant(0));
      k.store("v128", stored, row, caseLayout.start + half * vectorBytes);
      k.store("v128", stored, row, caseLayout.weights + half * vectorBytes);
      for (const state of new Set(states)) {
        if (state === null) continue;
        const from = ofWeight.includes(state) ? x : k.i32x4.constant(0);
        k.store("v128", from, row, state + half * vectorBytes);
      }
      return stored;
    }),
  );
}

/** Runs `body` for every group, with its given weights; counts those that differ as stored, and resets their flags. */
export function beginGroups(
  k: FunctionWriter,
  layout: Layout,
  caseLayout: CaseLayout,
  body: (row: I32, given: readonly V128[], i: I32) => readonly V128[],
): void {
  const { f32x4, i32, v128 } = k;
  const [base, count] = [k.parameter(0, "i32"), k.parameter(1, "i32")];
  const changed = k.variable("i32");
  forEachGroup(k, base, i32.constant(0), count, (row, flags, i) => {
    const given = loadGroup(k, row, layout.given);
    const [low, high] = body(row, given, i).map((stored, half) =>
      v128.and(f32x4.ne(stored, given[half]), f32x4.eq(given[half], given[half])),
    );
    k.assign(changed, i32.add(changed, i32.popcnt(flagsOf(k, low, high))));
    for (const offset of [caseLayout.moved, caseLayout.nonfinite])
      k.store("i32_8", i32.constant(0), flags, offset);
  });
  addCount(k, changed, base, caseLayout.tally + tensorTally.castChanged);
}

/** The body of `beginCounterfactual(base, count)`: starts the fp32 run from the given weights. */
export function writeBeginCounterfactual(k: FunctionWriter, layout: Layout): void {
  forEachGroup(k, k.parameter(0, "i32"), k.i32.constant(0), k.parameter(1, "i32"), (row, flags) => {
    const given = loadGroup(k, row, layout.given);
    for (const half of halves) {
      k.store("v128", given[half], row, layout.now + half * vectorBytes);
      for (const moment of Object.values(layout.moments ?? {})) {
        k.store("v128", k.i32x4.constant(0), row, moment + half * vectorBytes);
      }
    }
    k.store("i32_8", k.i32.constant(0), flags, layout.updated);
  });
}

/** The body of `stepCounterfactual(base, count)`: adds the updates in fp32. */
export function writeStepCounterfactual(k: FunctionWriter, layout: Layout): void {
  const { f32x4, i32 } = k;
  forEachGroup(k, k.parameter(0, "i32"), i32.constant(0), k.parameter(1, "i32"), (row, flags) => {
    const updates = loadGroup(k, row, layout.updates);
    const now = loadGroup(k, row, layout.now);
    for (const half of halves) {
      k.store("v128", f32x4.add(now[half], updates[half]), row, layout.now + half * vectorBytes);
    }
    const [low, high] = updates.map((u) => f32x4.ne(u, f32x4.constant(0)));
    markUpdated(k, flags, layout, low, high);
  });
}

/** Sets the flags of a group's weights in two masks: those with an update that is not zero. */
export function markUpdated(k: FunctionWriter, flags: I32, { updated }: Layout, low: V128, high: V128): void {
  const marked = k.i32.or(k.load("i32_8u", flags, updated), flagsOf(k, low, high));
  k.store("i32_8", marked, flags, updated);
}

/**
 * The body of `decode(from, to, count)`: decodes a format of 8 or 16 bits like decode of format/encode.ts. Reads and
 * writes whole groups.
 */
export function writeDecode(k: FunctionWriter, format: Format): void {
  const { f32x4, i32, i32x4, i16x8, v128 } = k;
  const [from, to, count] = [k.parameter(0, "i32"), k.parameter(1, "i32"), k.parameter(2, "i32")];
  const codeBytes = format.bits / 8;
  const magnitudeMask = i32x4.constant(2 ** (format.bits - 1) - 1);
  // As an fp32 exponent field the code's is too small by the difference of the biases. The product corrects that,
  // also for subnormal numbers.
  const scale = f32x4.constant(2 ** (127 - format.bias));
  // Codes that are the upper bits of fp32 numbers need no correction.
  const upperBits =
    format.exponentBits === 8 && format.bias === 127 && format.hasInfinity && format.subnormals;
  k.loop(i32.constant(0), count, 8, (i) => {
    const source = i32.add(from, i32.shl(i, Math.log2(codeBytes)));
    const address = i32.add(to, i32.shl(i, 2));
    const packed =
      codeBytes === 2 ? k.load("v128", source) : i16x8.extend_low_i8x16_u(k.load("v128_64", source));
    const codes = [i32x4.extend_low_i16x8_u(packed), i32x4.extend_high_i16x8_u(packed)];
    for (const half of halves) {
      const code = v128.and(codes[half], magnitudeMask);
      const sign = i32x4.shl(v128.andnot(codes[half], magnitudeMask), 32 - format.bits);
      const shifted = i32x4.shl(code, 24 - format.precision);
      let number = upperBits ? shifted : f32x4.mul(shifted, scale);
      if (!upperBits && format.maxFiniteCode < 2 ** (format.bits - 1) - 1) {
        const top = i32x4.gt_s(code, i32x4.constant(format.maxFiniteCode));
        const infinite = i32x4.eq(code, i32x4.constant(format.maxFiniteCode + 1));
        const notFinite = format.hasInfinity
          ? v128.select(infinite, i32x4.constant(infinityBits), i32x4.constant(nanBits))
          : i32x4.constant(nanBits);
        number = v128.select(top, notFinite, number);
      }
      let signed = v128.or(number, sign);
      if (format.unsignedZero) {
        const nan = i32x4.eq(signed, i32x4.constant(bitsOf(-0)));
        signed = v128.select(nan, i32x4.constant(nanBits), signed);
      }
      k.store("v128", signed, address, half * vectorBytes);
    }
  });
}

/** The body of `scale(row, count, by)`: multiplies by the fp32 number with bits `by`. */
export function writeScale(k: FunctionWriter): void {
  const [row, count, bits] = [0, 1, 2].map((i) => k.parameter(i, "i32"));
  const by = k.i32x4.splat(bits);
  forEachGroup(k, row, k.i32.constant(0), count, (group) => {
    for (const [half, numbers] of loadGroup(k, group, 0).entries()) {
      k.store("v128", k.f32x4.mul(numbers, by), group, half * vectorBytes);
    }
  });
}
