import { roundSum } from "../format/round.js";
import { type BitsQuestion, bitMistakes } from "./bit-mistakes.js";
import { hex, withCode } from "./describe.js";
import { Draw } from "./draw.js";
import { flagsOf } from "./flags.js";
import { float32FromBits } from "./float64-bits.js";
import { describeNumber, nameOf, numberResults, randomBitsFor } from "./number-results.js";
import type { NumberSource } from "./number-source.js";
import { isEnumerable, roundingInputs } from "./rounding-inputs.js";
import { roundingMistakes } from "./rounding-mistakes.js";
import type { RoundingTo } from "./rounding-to.js";
import { column, type Subject } from "./subject.js";

/** NaNs of fp32: quiet and signalling ones, payloads in the upper and lower bits, of both signs. */
const nanBits = [
  0x7f800001, 0x7f80ffff, 0x7f810000, 0x7fbfffff, 0x7fc00000, 0x7fc00001, 0x7fff0000, 0x7fff8000, 0x7fffffff,
].flatMap((bits) => [bits, bits + 2 ** 31]);

/** Rounding numbers of a source to a format. Of fp32 the bits are part of the question: a NaN has a payload. */
export function roundingSubject(to: RoundingTo, source: NumberSource): Subject<BitsQuestion, number> {
  const { format, rounding, overflow } = to;
  const isFp32 = source.name === "fp32";
  const isStochastic = rounding === "stochastic";
  const code = new Uint32Array(2);
  const question = (x: number, randomBits: number): BitsQuestion => {
    source.write(x, code, 0);
    return { x, randomBits, bits: code[0] };
  };
  return {
    ...numberResults(format),
    name: `${nameOf(to)} from ${source.name}`,
    inputs: [column("x", source.bits), ...(isStochastic ? [column("random", 32)] : [])],
    exhaustive: isEnumerable(format),
    *questions(level, seed) {
      const draw = new Draw(seed, `round ${format.name}`);
      if (level === "exhaustive") {
        for (const x of everyQuestion(source)) {
          for (const randomBits of randomBitsFor(x.x, to, draw)) yield { ...x, randomBits };
        }
        return;
      }
      if (isFp32) for (const bits of nanBits) yield { x: NaN, bits, randomBits: draw.bits() };
      for (const x of roundingInputs(format, source, level, draw)) {
        if (!source.has(x)) continue;
        for (const randomBits of randomBitsFor(x, to, draw)) yield question(x, randomBits);
      }
    },
    answer({ x, randomBits }) {
      if (Number.isNaN(x) && !format.hasNaN) return null;
      return roundSum(x, 0, format, rounding, overflow, randomBits);
    },
    write({ x, bits, randomBits }, words, at) {
      if (source.words === 1) words[at] = bits;
      else source.write(x, words, at);
      if (isStochastic) words[at + source.words] = randomBits;
    },
    read: (words, at) => ({
      ...questionOf(words, at, source),
      randomBits: isStochastic ? words[at + source.words] : 0,
    }),
    mistakes: () => (isFp32 ? bitMistakes(to) : roundingMistakes(to)),
    describe(compared) {
      const { x, bits, randomBits } = compared.question;
      const asked = isFp32 ? `${withCode(x, null)} (${hex(bits, 32)})` : withCode(x, source.format);
      return describeNumber(asked, to, randomBits, compared);
    },
    flags: ({ x }, answer) => flagsOf(x, answer, to, false),
  };
}

/** The code is part of the question where it is one word: a number does not keep what a NaN carries. */
function questionOf(words: Uint32Array, at: number, source: NumberSource): BitsQuestion {
  const x = source.name === "fp32" ? float32FromBits(words[at]) : source.read(words, at);
  return { x, bits: words[at], randomBits: 0 };
}

/** Every number of a source, NaNs of every payload too. */
function* everyQuestion(source: NumberSource): Generator<BitsQuestion> {
  const code = new Uint32Array(1);
  for (let i = 0; i < 2 ** source.bits; i++) {
    code[0] = i;
    yield questionOf(code, 0, source);
  }
}
