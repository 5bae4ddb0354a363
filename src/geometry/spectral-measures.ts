import type { Measure, SpectralName, SpectrumMethod } from "../lens/geometry-result.js";
import { stepKey, tensorKey } from "../update/threefry.js";
import { angleFigures, principalAngles } from "./angles.js";
import type { Changes } from "./changes.js";
import { energies } from "./energy.js";
import { leadingValues } from "./leading-values.js";
import { type MatrixPair, type Operand, tilesOf } from "./matrix.js";
import { measure, unknown } from "./measures.js";
import { largestValue } from "./norm.js";
import { principalOverlap } from "./principal-mask.js";
import { type ProductsOf, plainProducts } from "./products.js";
import { maskShare } from "./size-measures.js";
import { allValues, drift, leading, type Spectrum } from "./spectrum.js";
import { mean, sampleDeviation } from "./statistics.js";

/** The longest short side of which all singular values are taken, and the most weights that are held for that. */
export const mostShort = 1024;
const mostHeld = 2 ** 25;

/** Draws of signs are three of matrices that small, one of larger ones, where a draw differs less from the next. */
const smallMatrix = 2 ** 22;

export interface SpectralOptions {
  readonly rank: number;
  readonly seed: number;
  readonly products?: ProductsOf;
  /** The longest short side of which all singular values are taken; default {@link mostShort}. */
  readonly allUpTo?: number;
}

export interface SpectralMeasures {
  readonly method: SpectrumMethod;
  readonly measures: Record<SpectralName, Measure>;
}

/** Spectra of the base and of what becomes of it, by whichever method fits. */
interface Spectra {
  readonly base: Spectrum;
  of(operand: Operand): Promise<Spectrum>;
  /** Values that the drift is over. */
  readonly compared: number;
  readonly method: Omit<SpectrumMethod, "k" | "draws">;
}

function takesAllValues({ rows, columns }: MatrixPair, allUpTo: number): boolean {
  return Math.min(rows, columns) <= allUpTo && rows * columns <= mostHeld;
}

/**
 * Leading directions that are looked at: `rank`, and at most an eighth of all. Of most or all directions, the span and the
 * reconstruction are nearly those of the whole matrix, which no change leaves.
 */
export function directionsOf({ rows, columns }: Pick<MatrixPair, "rows" | "columns">, rank: number): number {
  return Math.max(1, Math.min(rank, Math.floor(Math.min(rows, columns) / 8)));
}

/** Valid where something changed, all numbers are finite, and the base is not zero. */
export async function spectralMeasures(
  matrix: MatrixPair,
  changes: Changes,
  { rank, seed, products = plainProducts, allUpTo = mostShort }: SpectralOptions,
): Promise<SpectralMeasures> {
  const { rows, columns } = matrix;
  const short = Math.min(rows, columns);
  const elements = rows * columns;
  const k = directionsOf(matrix, rank);
  const key = tensorKey(seed, matrix.name);
  const changeNorm = Math.sqrt(changes.changeSquared);
  const relative = changeNorm / Math.sqrt(changes.baseSquared);
  const all = takesAllValues(matrix, allUpTo);
  const quarter = Math.floor(short / 4);
  const spectra = all
    ? await allSpectra(matrix, Math.max(k, Math.min(64, short), quarter), k)
    : await leadingSpectra();

  const draws = Array.from({ length: elements <= smallMatrix ? 3 : 1 }, (_, draw) => stepKey(key, draw + 1));
  const base = leading(spectra.base, rows, columns, k);
  const figures = async (signs: Operand["signs"]) => {
    const tuned = leading(await spectra.of({ of: "tuned", signs }), rows, columns, k);
    const [left, right] = [
      angleFigures(principalAngles(base.left, tuned.left, rows, k)),
      angleFigures(principalAngles(base.right, tuned.right, columns, k)),
    ];
    const norm = await largestValue(matrix, { of: "change", signs }, stepKey(key, 0), products);
    return {
      stableRank: changes.changeSquared / norm ** 2,
      drift: drift(spectra.base, tuned, spectra.compared),
      angleLeftMedian: left.median,
      angleLeft90: left.high,
      angleRightMedian: right.median,
      angleRight90: right.high,
    };
  };
  const measured = await figures(null);
  const drawn: (typeof measured)[] = [];
  for (const signs of draws) drawn.push(await figures(signs));

  const isotropic: Partial<Record<keyof typeof measured, number>> = {
    stableRank: elements / (Math.sqrt(rows) + Math.sqrt(columns)) ** 2,
    drift: all ? relative / Math.sqrt(Math.max(rows, columns)) : isotropicOfLeading(),
  };
  const againstSigns = (name: keyof typeof measured): Measure => {
    const samples = drawn.map((each) => each[name]);
    const plain = isotropic[name];
    return measure(measured[name], "signs", mean(samples), {
      ...(samples.length > 1 && { deviation: sampleDeviation(samples) }),
      ...(plain !== undefined && { others: [{ null: "isotropic", expected: plain }] }),
    });
  };
  return {
    method: { ...spectra.method, k, draws: draws.length },
    measures: {
      principalOverlap: await principal(),
      stableRank: againstSigns("stableRank"),
      drift: againstSigns("drift"),
      angleLeftMedian: againstSigns("angleLeftMedian"),
      angleLeft90: againstSigns("angleLeft90"),
      angleRightMedian: againstSigns("angleRightMedian"),
      angleRight90: againstSigns("angleRight90"),
      ...(await energyMeasures()),
    },
  };

  async function leadingSpectra(): Promise<Spectra> {
    const { base, of: spectrumOf, passes, unsettled } = await leadingValues(matrix, k, key, products);
    return { base, of: spectrumOf, compared: k, method: { values: "leading", passes, unsettled } };
  }

  /** sqrt(k) ||dW|| / (sqrt(mn) ||s_k||) */
  function isotropicOfLeading(): number {
    const squares = spectra.base.values.subarray(0, k).reduce((sum, value) => sum + value * value, 0);
    return (Math.sqrt(k) * changeNorm) / Math.sqrt(elements * squares);
  }

  async function principal(): Promise<Measure> {
    const shares = changes.counts.shareBySize();
    const overlap = await principalOverlap(matrix, spectra.base, k, shares, maskShare, products);
    const changed = changes.counts.elementsChanged;
    return measure(overlap.changed / changed, "size", overlap.bySize / changed, {
      deviation: Math.sqrt(overlap.variance) / changed,
      others: [{ null: "chance", expected: maskShare }],
    });
  }

  async function energyMeasures(): Promise<Record<"energy16" | "energy64" | "energyQuarter", Measure>> {
    const available = spectra.base.k;
    const reasons = {
      energy16: reason(16),
      energy64: reason(64),
      energyQuarter: all ? null : `needs all singular vectors: taken up to ${mostShort} on the short side`,
    };
    const ks = { energy16: 16, energy64: 64, energyQuarter: Math.max(1, quarter) };
    const names = (Object.keys(ks) as (keyof typeof ks)[]).filter((name) => reasons[name] === null);
    const found =
      names.length > 0
        ? await energies(
            matrix,
            spectra.base,
            names.map((n) => ks[n]),
            products,
          )
        : [];
    const energyMeasure = (name: keyof typeof ks): Measure => {
      const energy = found[names.indexOf(name)];
      if (!energy) return unknown(reasons[name]!);
      const plain = energy.k ** 2 / elements;
      return measure(energy.measured, "signs", energy.signs, {
        // Of the energy in k^2 directions of noise.
        deviation: (energy.signs * Math.SQRT2) / energy.k,
        others: [{ null: "isotropic", expected: plain }],
      });
    };
    return {
      energy16: energyMeasure("energy16"),
      energy64: energyMeasure("energy64"),
      energyQuarter: energyMeasure("energyQuarter"),
    };

    function reason(k: number): string | null {
      if (k >= short) return `the short side is ${short}: the leading ${k} directions are all of them`;
      return k > available ? `the leading ${k} directions need --rank ${k}` : null;
    }
  }
}

/** Of matrices that are held in memory. */
async function allSpectra(matrix: MatrixPair, most: number, k: number): Promise<Spectra> {
  const { rows, columns } = matrix;
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
  const transposed = rows < columns;
  const spectrumOf = async (operand: Operand, vectors: number) => {
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
    return allValues(numbers, long, short, transposed, vectors);
  };
  return {
    base: await spectrumOf({ of: "base", signs: null }, most),
    of: (operand) => spectrumOf(operand, k),
    compared: short,
    method: { values: "all" },
  };
}
