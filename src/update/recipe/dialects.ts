import { productTail, sumTail } from "../../format/float64.js";
import { fma } from "../../format/operations.js";
import { format } from "../../format/registry.js";
import type { Dialect } from "./compile.js";

const fp32 = format("fp32");
const { fround } = Math;

/** For lines computed once per step from the settings, in fp64 like Python. `store` rounds to the storage format. */
export function scalarDialect(store: (x: number) => number): Dialect {
  return {
    operators: {
      "+": (a, b) => a + b,
      "-": (a, b) => a - b,
      "*": (a, b) => a * b,
      "/": (a, b) => a / b,
      "^": power,
    },
    calls: {
      negate: (x) => -x,
      sqrt: (x) => Math.sqrt(x),
      f32: (x) => fround(x),
      // Torch casts a Python number to bf16 through fp32.
      R: (x) => store(fround(x)),
      powf: (x, n) => fround(power(fround(x), n)),
      sub32: (a, b) => fround(a - b),
      div32: (a, b) => fround(a / b),
      sqrt32: (x) => fround(Math.sqrt(x)),
      mul32: (a, b) => fround(a * b),
    },
  };
}

/** For lines computed for each weight: every operation rounds once to fp32, `R` rounds to the storage format. */
export function weightDialect(store: (x: number) => number): Dialect {
  return {
    operators: {
      "+": (a, b) => fround(a + b),
      "-": (a, b) => fround(a - b),
      "*": (a, b) => fround(a * b),
      "/": (a, b) => fround(a / b),
      "^": () => {
        throw new SyntaxError("no ^ for each weight");
      },
    },
    calls: {
      negate: (x) => -x,
      sqrt: (x) => fround(Math.sqrt(x)),
      fma: (a, b, c) => fma(a, b, c, fp32),
      sign: (x) => Math.sign(x),
      R: store,
    },
  };
}

/**
 * base^n for an integer n, by squaring in double-double arithmetic: accurate to about 2^-95 before the final rounding,
 * better than C's pow guarantees (0.52 ulp in glibc) and than Math.pow, whose last bit differs between engines.
 */
export function power(base: number, n: number): number {
  if (!Number.isInteger(n) || n < 0) return base ** n;
  let [high, low] = [1, 0];
  let [squareHigh, squareLow] = [base, 0];
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) [high, low] = timesDouble(high, low, squareHigh, squareLow);
    [squareHigh, squareLow] = timesDouble(squareHigh, squareLow, squareHigh, squareLow);
  }
  return high + low;
}

function timesDouble(aHigh: number, aLow: number, bHigh: number, bLow: number): [number, number] {
  const product = aHigh * bHigh;
  const tail = productTail(aHigh, bHigh, product) + (aHigh * bLow + aLow * bHigh);
  const high = product + tail;
  return [high, sumTail(product, tail, high)];
}
