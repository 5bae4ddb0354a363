import type { Measure, SpectralName, SpectrumMethod } from "../lens/geometry-result.js";
import { stepKey, tensorKey } from "../update/threefry.js";
import { angleFigures, principalAngles } from "./angles.js";
import type { Changes } from "./changes.js";
import { energies } from "./energy.js";
import type { MatrixPair, Operand } from "./matrix.js";
import { measure, unknown } from "./measures.js";
import { largestValue } from "./norm.js";
import { principalOverlap } from "./principal-mask.js";
import { type ProductsOf, plainProducts } from "./products.js";
import { maskShare } from "./size-measures.js";
import { allSpectra, leadingSpectra, lowRankReason, mostShort, takesAllValues } from "./spectra.js";
import { drift, leading } from "./spectrum.js";
import { mean, sampleDeviation } from "./statistics.js";

/** Draws of signs are three of matrices that small, one of larger ones, where a draw differs less from the next. */
const smallMatrix = 2 ** 22;

export interface SpectralOptions {
  readonly rank: number;
  readonly seed: number;
  readonly products?: ProductsOf;
  /** The longest short side of which all singular values are taken; default {@link mostShort}. */
  readonly allUpTo?: number;
}

/** What is measured of the change itself and of each draw; in place of a figure that is not known, the reason. */
interface Figures {
  readonly stableRank: number;
  readonly drift: number | string;
  readonly angleLeftMedian: number | string;
  readonly angleLeft90: number | string;
  readonly angleRightMedian: number | string;
  readonly angleRight90: number | string;
}

export interface SpectralMeasures {
  readonly method: SpectrumMethod;
  readonly measures: Record<SpectralName, Measure>;
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
    : await leadingSpectra(matrix, k, changes, key, products);
  const { spectrum: wholeBase, directions: noDirections } = spectra.base;

  const draws = Array.from({ length: elements <= smallMatrix ? 3 : 1 }, (_, draw) => stepKey(key, draw + 1));
  const base = leading(wholeBase, rows, columns, k);
  const figures = async (signs: Operand["signs"]): Promise<Figures> => {
    const norm = await largestValue(matrix, { of: "change", signs }, stepKey(key, 0), products);
    return { stableRank: changes.changeSquared / norm ** 2, ...(await spectraBeside(signs)) };
  };
  const measured = await figures(null);
  const drawn: Figures[] = [];
  for (const signs of draws) drawn.push(await figures(signs));

  const isotropic: Partial<Record<keyof Figures, number>> = {
    stableRank: elements / (Math.sqrt(rows) + Math.sqrt(columns)) ** 2,
    drift: all ? relative / Math.sqrt(Math.max(rows, columns)) : isotropicOfLeading(),
  };
  const againstSigns = (name: keyof Figures): Measure => {
    const figure = measured[name];
    if (typeof figure === "string") return unknown(figure);
    const samples = drawn.map((each) => each[name]);
    const missing = samples.find((sample) => typeof sample === "string");
    if (missing !== undefined) return unknown(`with shuffled signs, ${missing}`);
    const known = samples as number[];
    const plain = isotropic[name];
    return measure(figure, "signs", mean(known), {
      ...(known.length > 1 && { deviation: sampleDeviation(known) }),
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

  /** Drift and angles; nothing is multiplied where the base has neither. */
  async function spectraBeside(signs: Operand["signs"]): Promise<Omit<Figures, "stableRank">> {
    const same = (drift: number | string, reason: string) => ({
      drift,
      angleLeftMedian: reason,
      angleLeft90: reason,
      angleRightMedian: reason,
      angleRight90: reason,
    });
    const { directions, values } = spectra.base;
    if (directions !== null && values !== null) return same(values, directions);
    const taken = await spectra.of({ of: "tuned", signs });
    const tuned = leading(taken.spectrum, rows, columns, k);
    const drifted = values ?? taken.values ?? drift(wholeBase, tuned, spectra.compared);
    const lowRank = lowRankReason(wholeBase, k) ?? lowRankReason(taken.spectrum, k);
    const obstacle = directions ?? taken.directions ?? lowRank;
    if (obstacle !== null) return same(drifted, obstacle);
    const [left, right] = [
      angleFigures(principalAngles(base.left, tuned.left, rows, k)),
      angleFigures(principalAngles(base.right, tuned.right, columns, k)),
    ];
    return {
      drift: drifted,
      angleLeftMedian: left.median,
      angleLeft90: left.high,
      angleRightMedian: right.median,
      angleRight90: right.high,
    };
  }

  /** sqrt(k) ||dW|| / (sqrt(mn) ||s_k||) */
  function isotropicOfLeading(): number {
    const squares = wholeBase.values.subarray(0, k).reduce((sum, value) => sum + value * value, 0);
    return (Math.sqrt(k) * changeNorm) / Math.sqrt(elements * squares);
  }

  async function principal(): Promise<Measure> {
    if (noDirections !== null) return unknown(noDirections);
    const shares = changes.counts.shareBySize();
    const overlap = await principalOverlap(matrix, wholeBase, k, shares, maskShare, products);
    const changed = changes.counts.elementsChanged;
    return measure(overlap.changed / changed, "size", overlap.bySize / changed, {
      deviation: Math.sqrt(overlap.variance) / changed,
      others: [{ null: "chance", expected: maskShare }],
    });
  }

  async function energyMeasures(): Promise<Record<"energy16" | "energy64" | "energyQuarter", Measure>> {
    const available = wholeBase.k;
    const reasons = {
      energy16: reason(16),
      energy64: reason(64),
      energyQuarter: all
        ? lowRankReason(wholeBase, Math.max(1, quarter))
        : `needs all singular vectors: taken up to ${mostShort} on the short side`,
    };
    const ks = { energy16: 16, energy64: 64, energyQuarter: Math.max(1, quarter) };
    const names = (Object.keys(ks) as (keyof typeof ks)[]).filter((name) => reasons[name] === null);
    const found =
      names.length > 0
        ? await energies(
            matrix,
            wholeBase,
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
      if (k > available) return `the leading ${k} directions need --rank ${k}`;
      return noDirections ?? lowRankReason(wholeBase, k);
    }
  }
}
