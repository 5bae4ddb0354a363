import type { SpectrumMethod } from "../lens/geometry-result.js";
import type { Words } from "../update/threefry.js";
import type { Changes } from "./changes.js";
import { leadingValues, mostVectors } from "./leading-values.js";
import { type MatrixPair, type Operand, tilesOf } from "./matrix.js";
import type { ProductsOf } from "./products.js";
import type { Allowed } from "./settling.js";
import { allValues, type Spectrum } from "./spectrum.js";

/** The longest short side of which all singular values are taken, and the most weights that are held for that. */
export const mostShort = 1024;
const mostHeld = 2 ** 25;

/** A spectrum, and why its leading directions and values are not those of the matrix; null where they are. */
export interface Taken {
  readonly spectrum: Spectrum;
  readonly directions: string | null;
  readonly values: string | null;
}

/** Of the largest singular value: below this, a value of a solver that squares is one that is zero. */
const negligible = 2 ** -20;

/** Why the first k directions are not defined, of a matrix of lower rank; null if they are. */
export function lowRankReason({ values }: Spectrum, k: number): string | null {
  if (values[k - 1] > negligible * values[0]) return null;
  const rank = values.findIndex((value) => !(value > negligible * values[0]));
  return `only ${rank} of its singular values ${rank === 1 ? "is" : "are"} not zero: the leading ${k} directions are not defined`;
}

/** Spectra of the base and of what becomes of it, by whichever method fits. */
export interface Spectra {
  readonly base: Taken;
  of(operand: Operand): Promise<Taken>;
  /** Values that the drift is over. */
  readonly compared: number;
  readonly method: Omit<SpectrumMethod, "k" | "draws">;
}

export function takesAllValues({ rows, columns }: MatrixPair, allUpTo: number): boolean {
  return Math.min(rows, columns) <= allUpTo && rows * columns <= mostHeld;
}

/**
 * What an iteration may leave, of what isotropic changes of this size move: of angles at the middle value, and of the length of the
 * difference of the values. It costs few products more than a tenth of that: errors fall ever faster.
 */
const leftOf = { angles: 0.01, drift: 0.005 };

/**
 * The smallest change, of the norm of the base, that products in fp32 resolve: their rounding moves values by 3e-8, and adds 2 % to the
 * drift of a change of this size (measured).
 */
const leastChange = 2e-5;

/** Of matrices too large for all values: the leading ones, each until they are settled. */
export async function leadingSpectra(
  matrix: MatrixPair,
  k: number,
  { changeSquared, baseSquared }: Pick<Changes, "changeSquared" | "baseSquared">,
  key: Words,
  products: ProductsOf,
): Promise<Spectra> {
  const { rows, columns } = matrix;
  const changeNorm = Math.sqrt(changeSquared);
  const relative = Math.sqrt(changeSquared / baseSquared);
  const allowed: Allowed = {
    directions: (leftOf.angles * changeNorm) / Math.sqrt(Math.max(rows, columns)),
    values: (leftOf.drift * changeNorm * Math.sqrt(k)) / Math.sqrt(rows * columns),
  };
  const found = async (operand: Operand) => {
    const { spectrum, unsettled, passes } = await leadingValues(matrix, operand, k, allowed, key, products);
    const reason = (error: number, what: string) =>
      error <= 1
        ? null
        : `its leading ${k} singular values are so close that their ${what} did not settle in products with ${mostVectors(k)} vectors`;
    const taken: Taken = {
      spectrum,
      directions: reason(unsettled.directions, "directions"),
      values: reason(unsettled.values, "values"),
    };
    return { taken, passes, unsettled: Math.max(unsettled.directions, unsettled.values) };
  };
  const { taken: base, passes, unsettled } = await found({ of: "base", signs: null });
  return {
    base,
    of: async (operand) => {
      if (relative >= leastChange) return (await found(operand)).taken;
      const reason = `its change is ${relative.toExponential(1)} of its norm, and products in fp32 resolve ${leastChange.toExponential(0)}`;
      return { ...base, directions: reason, values: reason };
    },
    compared: k,
    method: { values: "leading", passes, unsettled },
  };
}

/** Of matrices that are held in memory. */
export async function allSpectra(matrix: MatrixPair, most: number, k: number): Promise<Spectra> {
  const { rows, columns } = matrix;
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  const transposed = rows < columns;
  const spectrumOf = async (operand: Operand, vectors: number): Promise<Taken> => {
    const numbers = new Float32Array(rows * columns);
    for await (const tile of tilesOf(matrix, operand)) {
      const from = tile.first * columns;
      if (!transposed) numbers.set(tile.numbers, from);
      else {
        for (let row = 0, i = 0; row < tile.count; row++) {
          for (let j = 0; j < columns; j++, i++) numbers[j * short + tile.first + row] = tile.numbers[i];
        }
      }
    }
    const spectrum = allValues(numbers, long, short, transposed, vectors);
    return { spectrum, directions: null, values: null };
  };
  return {
    base: await spectrumOf({ of: "base", signs: null }, most),
    of: (operand) => spectrumOf(operand, k),
    compared: short,
    method: { values: "all" },
  };
}
