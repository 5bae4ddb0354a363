import type { Engine } from "../../src/engine/engine.js";
import { gpujs } from "../../src/engine/gpujs/gpujs.js";
import { webgpu } from "../../src/engine/webgpu/webgpu.js";
import { type SchemeName, schemeNames } from "../../src/update/scheme.js";
import { addition } from "./addition.js";
import type { Count } from "./count.js";
import { engine, gpuEngineOn } from "./engine.js";
import { HARD_SETS, hard } from "./hard.js";
import type { storedDigits } from "./integer-add.js";
import type { bitFormats } from "./integer-round.js";
import { sweep } from "./sweep.js";

/** A long check, cut into pieces that any worker can do in any order. */
export interface Check {
  readonly name: string;
  /** What is compared with what, in a sentence. */
  readonly what: string;
  /** A power of two. */
  readonly pieces: number;
  /** Prepares what pieces share, and gives what does one of them. */
  readonly prepare: () => (piece: number, count: Count) => void | Promise<void>;
  /** Why it cannot be done on this machine, in a sentence; null where it can. Left out: it can be done anywhere. */
  readonly impossible?: () => Promise<string | null>;
}

function sweepOf(name: keyof typeof bitFormats): Check {
  return {
    name: `sweep-${name}`,
    what:
      `Every fp32 bit pattern rounded to ${name} under the six deterministic roundings, ` +
      "against shifts and masks on the bits.",
    pieces: 2 ** 16,
    prepare: () => sweep(name),
  };
}

function additionOf(name: keyof typeof storedDigits): Check {
  return {
    name: `add-${name}`,
    what:
      `All pairs of ${name} codes added by nearest-even under both opmaths, ` +
      "against an adder on integers that rounds once.",
    pieces: 2 ** 16,
    prepare: () => addition(name),
  };
}

const HARD_PIECES = 2 ** 13;

function hardOf(name: string): Check {
  return {
    name: `hard-${name}`,
    what:
      `add, sub, mul, div, sqrt and fma to ${name} on ${(HARD_PIECES * HARD_SETS).toLocaleString("en")} sets of ` +
      "operands each, chosen for results on or next to numbers and midpoints, under all seven roundings and both " +
      "opmaths, against exact integer arithmetic.",
    pieces: HARD_PIECES,
    prepare: () => hard(name),
  };
}

function engineOf(scheme: SchemeName): Check {
  return {
    name: `wasm-${scheme}`,
    what:
      `The wasm engine against the reference, scheme ${scheme}: more than 10^8 adversarial weight-steps in each ` +
      "built-in format, under all seven roundings and both overflows; counts, sums and stored bits.",
    pieces: 2 ** 13,
    prepare: () => engine(scheme),
  };
}

function gpuOf(gpu: Engine, scheme: SchemeName): Check {
  return {
    name: `${gpu.name}-${scheme}`,
    what:
      `The ${gpu.name} engine against the reference, scheme ${scheme}: more than 2.6 x 10^8 adversarial weight-steps, all built-in ` +
      "formats in turn, under all seven roundings and both overflows; counts, sums and stored bits. Needs a GPU.",
    pieces: 2 ** 6,
    prepare: () => gpuEngineOn(scheme, gpu),
    async impossible() {
      const reason = (await gpu.unavailable?.()) ?? null;
      await gpu.close?.();
      return reason;
    },
  };
}

/** In the order in which a full run does them. */
export const checks: readonly Check[] = [
  sweepOf("bf16"),
  sweepOf("e4m3fn"),
  sweepOf("fp16"),
  sweepOf("e5m2"),
  additionOf("bf16"),
  hardOf("fp32"),
  hardOf("fp16"),
  hardOf("bf16"),
  hardOf("e4m3fn"),
  additionOf("fp16"),
  ...schemeNames.map(engineOf),
  ...[webgpu, gpujs].flatMap((gpu) => schemeNames.map((scheme) => gpuOf(gpu, scheme))),
];

/**
 * The pieces at places `from` to `to` of an order in which any first part is spread over all pieces, for runs of a
 * fraction.
 */
export function spreadPieces({ pieces }: Pick<Check, "pieces">, from: number, to: number): number[] {
  // An odd factor permutes the numbers below a power of two; this one is 2^32 over the golden ratio.
  return Array.from({ length: to - from }, (_, i) => (Math.imul(from + i, 0x9e37_79b1) >>> 0) % pieces);
}
