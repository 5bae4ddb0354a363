import { addTo, opmaths } from "../../src/format/operations.js";
import { format } from "../../src/format/registry.js";
import { bf16, fp16, valueTable } from "../support/oracle-formats.js";
import type { Count } from "./count.js";
import { addCodes, storedDigits } from "./integer-add.js";

const CODES = 2 ** 16;
const oracleFormats = { bf16, fp16 };

/**
 * Adds one number of a 16-bit format to each of them by nearest-even, under both opmaths. One expectation serves
 * both, so that the check also shows that rounding through fp32 is innocuous here.
 */
export function addition(name: keyof typeof storedDigits, add: typeof addTo = addTo) {
  const stored = storedDigits[name];
  const numbers = numbersByCode(name);
  const numberBits = new Int32Array(numbers.buffer);
  const sums = new Float32Array(CODES);
  const sumBits = new Int32Array(sums.buffer);
  const expected = new Uint16Array(CODES);
  const settings = opmaths.map(
    (opmath) => ({ format: format(name), rounding: "nearest-even", overflow: "ieee", opmath }) as const,
  );

  return (code: number, count: Count): void => {
    const a = numbers[code]!;
    for (let i = 0; i < CODES; i++) expected[i] = addCodes(code, i, stored);
    for (const to of settings) {
      for (let i = 0; i < CODES; i++) sums[i] = add(a, numbers[i]!, to, 0);
      for (let i = 0; i < CODES; i++) {
        const sum = expected[i]!;
        if (sumBits[i] === numberBits[sum] || (Number.isNaN(sums[i]) && Number.isNaN(numbers[sum]))) continue;
        count.miss(
          () => `${a} + ${numbers[i]} in ${name}, ${to.opmath}: expected ${numbers[sum]}, got ${sums[i]}`,
        );
      }
    }
    count.cases += CODES * settings.length;
  };
}

/** The fp32 numbers of all codes; every code above that of Inf is NaN. */
function numbersByCode(name: keyof typeof oracleFormats): Float32Array {
  const numbers = new Float32Array(CODES).fill(NaN);
  const { values } = valueTable(oracleFormats[name]);
  values.forEach((value, code) => {
    const magnitude = value > oracleFormats[name].largest ? Infinity : value;
    numbers[code] = magnitude;
    numbers[CODES / 2 + code] = -magnitude;
  });
  return numbers;
}
