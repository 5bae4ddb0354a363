import type { SchemeName } from "../../../update/scheme.js";
import type { UpdateSettings } from "../../../update/settings.js";
import {
  gone,
  goneNumber,
  type Kernel,
  type KernelFunction,
  literal,
  negativeZero,
  plain,
} from "./kernel.js";
import { store } from "./rounding.js";

/** The schemes of update/scheme.ts and their arithmetic. */

/** The sum in fp32. An exact zero is -0 only if both terms are. */
export const addFloat: KernelFunction = {
  arguments: ["a", "b"],
  source: `function addFloat(a, b) {
    const sum = plain(a) + plain(b);
    if (sum === 0 && a === ${literal(negativeZero)} && b === ${literal(negativeZero)}) {
      return ${literal(negativeZero)};
    }
    return sum;
  }`,
};

const negate: KernelFunction = {
  arguments: ["x"],
  source: `function negate(x) {
    if (plain(x) === 0) {
      return x === 0 ? ${literal(negativeZero)} : 0;
    }
    return -x;
  }`,
};

/** The sum in fp32, rounded to the storage format; a number no longer finite stays so. */
const add: KernelFunction = {
  arguments: ["a", "b", "high", "low"],
  source: `function add(a, b, high, low) {
    if (gone(a) === 1 || gone(b) === 1) {
      return ${literal(goneNumber)};
    }
    return store(addFloat(a, b), high, low);
  }`,
};

interface SchemeText {
  /** Roundings to the storage format in a step. */
  readonly draws: number;
  /** The first statements of both kernels; `R0`, `R1`, ... are the random bits of successive roundings. */
  readonly common: string;
  readonly weight: string;
  readonly carrier: string | null;
}

const schemeTexts: Readonly<Record<SchemeName, SchemeText>> = {
  "in-place": { draws: 1, common: "", weight: "add(w, u, R0)", carrier: null },
  master: {
    draws: 1,
    common: "const master = addFloat(c, u);",
    weight: "store(master, R0)",
    carrier: "master",
  },
  kahan: {
    draws: 4,
    common: `const pending = add(c, u, R0);
      const next = add(w, pending, R1);`,
    weight: "next",
    carrier: "add(pending, add(w, negate(next), R2), R3)",
  },
  "two-term": {
    draws: 7,
    common: `const sum = add(w, u, R0);
      const second = add(c, add(u, negate(add(sum, negate(w), R1)), R2), R3);
      const next = add(sum, second, R4);`,
    weight: "next",
    carrier: "add(second, negate(add(next, negate(sum), R5)), R6)",
  },
};

/** The number of random words per weight in a step. */
export function drawsOf({ scheme, rounding }: UpdateSettings): number {
  return rounding === "stochastic" ? schemeTexts[scheme].draws : 0;
}

/**
 * The two kernels of a step. They map (weights, carriers, updates, bits) to the next weight and the next carrier, null
 * if the scheme has none. `bits` has two rows of `length` numbers for each draw: high halves and low halves.
 */
export function updateKernels(settings: UpdateSettings): { weight: Kernel; carrier: Kernel | null } {
  const { common, weight, carrier } = schemeTexts[settings.scheme];
  const functions = [
    ...store(settings.format, settings.rounding, settings.overflow),
    gone,
    addFloat,
    negate,
    add,
  ];
  const stochastic = settings.rounding === "stochastic";
  const withBits = (text: string) =>
    text.replace(/\bR(\d)\b/g, (_, draw) =>
      stochastic
        ? `bits[${2 * Number(draw)} * length + this.thread.x], bits[${2 * Number(draw) + 1} * length + this.thread.x]`
        : "0, 0",
    );
  const kernel = (name: string, result: string): Kernel => ({
    name,
    functions,
    source: `function (weights, carriers, updates${stochastic ? ", bits, length" : ""}) {
      const w = weights[this.thread.x];
      const c = carriers[this.thread.x];
      const u = updates[this.thread.x];
      ${withBits(common)}
      return ${withBits(result)};
    }`,
  });
  return {
    weight: kernel("weights", weight),
    carrier: carrier === null ? null : kernel("carriers", carrier),
  };
}

/** Rounds the given weights to the storage format by nearest-even, as `startState`. */
export function castKernel({ format, overflow }: UpdateSettings): Kernel {
  return {
    name: "cast",
    functions: store(format, "nearest-even", overflow),
    source: `function (given) {
      return store(given[this.thread.x], 0, 0);
    }`,
  };
}

/** Adds an update to the fp32 counterfactual. */
export const addKernel: Kernel = {
  name: "fp32 counterfactual",
  functions: [plain, addFloat],
  source: `function (numbers, updates) {
    return addFloat(numbers[this.thread.x], updates[this.thread.x]);
  }`,
};
