/** The null models of `diff --geometry` for published figures of weight geometry. */
import { format } from "../../src/format/registry.js";
import {
  expectedChanged,
  halfGaps,
  MagnitudeCounts,
  solveStorage,
  storageShares,
} from "../../src/geometry/sizes.js";
import { gaussian } from "../../src/update/distribution.js";
import { drawnWeight, weightKey } from "../../src/update/weight-draws.js";

/** A published figure of the geometry of a change, and its expectation if only sizes mattered. */
export interface GateFigure {
  readonly source: string;
  readonly measured: string;
  readonly published: string;
  readonly expected: string;
  readonly by: string;
  readonly meaning: string;
}

/** Sigma for published tables, from PULSE's median |w|. */
const sigma = 0.028;
const weights = 2 ** 18;
const bf16 = format("bf16");

/** Gaussian weights in bf16, a random share of which changed. */
function counted(share: number): MagnitudeCounts {
  const counts = new MagnitudeCounts();
  const draws = { distribution: gaussian, mean: 0, sigma, format: bf16, key: weightKey(0, "gates") };
  const bits = new Uint32Array(1);
  const number = new Float32Array(bits.buffer);
  for (let i = 0; i < weights; i++) {
    number[0] = drawnWeight(draws, i);
    counts.all[(bits[0] & 0x7fffffff) >>> 16] += 1;
  }
  for (const [i, n] of counts.all.entries()) counts.changed[i] = share * n;
  return counts;
}

interface StorageFigures {
  /** ||dW|| / ||W|| of the displacement that shows in so many weights. */
  readonly size: number;
  /** Of the changes, in the smallest 30 % of the weights. */
  readonly low: number;
}

function byStorage(share: number): StorageFigures {
  const counts = counted(share);
  const gaps = halfGaps(counts, bf16);
  const sd = solveStorage(counts, gaps);
  const shares = storageShares(counts, gaps, sd);
  return { size: sd / sigma, low: counts.smallest(0.3, shares) / expectedChanged(counts, shares) };
}

const opdGeometry = "On-Policy Distillation geometry (arXiv 2606.07082), Qwen3-8B";

/** The shapes of Qwen3-8B: q and o 4096 x 4096, gate, up and down 4096 x 12288. */
const longSides = [4096, 12288] as const;

/** ||dW|| / ||W|| / sqrt(max(m, n)), as a range over the shapes. */
function isotropicDrift(share: number): string {
  const { size } = byStorage(share);
  return longSides
    .map((long) => size / Math.sqrt(long))
    .sort((a, b) => a - b)
    .map((drift) => drift.toExponential(1))
    .join(" to ");
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

const driftMeanings: Readonly<Record<string, string>> = {
  RLVR: "What a change of this size without any direction gives: the figure is its size.",
  OPD: "Two to four times that: the order of magnitude is the size of the change, and some direction is left.",
  SFT:
    "Three to five times that, but where nearly all weights changed their share bounds the size from below only: the files are " +
    "needed to tell size from direction.",
};

export function gateFigures(): GateFigure[] {
  const drifts = [
    { run: "RLVR", changed: 0.228, published: "about 1e-5" },
    { run: "OPD", changed: 0.484, published: "about 1e-4" },
    { run: "SFT", changed: 0.919, published: "about 1e-3" },
  ];
  const square = 4096;
  const masks = [
    { source: "The Path Not Taken (arXiv 2511.08567)", run: "Qwen3-8B RL, 79.8 % unchanged", changed: 0.202 },
    { source: opdGeometry, run: "OPD, 51.6 % unchanged", changed: 0.484 },
    { source: opdGeometry, run: "SFT, 8.1 % unchanged", changed: 0.919 },
  ];
  return [
    ...drifts.map(
      ({ run, changed, published }): GateFigure => ({
        source: opdGeometry,
        measured: `${run}: spectral drift NSS, ${percent(changed)} of the weights changed`,
        published,
        expected: isotropicDrift(changed),
        by: "storage (the size of the change), isotropic",
        meaning: driftMeanings[run],
      }),
    ),
    {
      source: opdGeometry,
      measured: "stable rank of the change of a matrix",
      published: "10 to 75",
      expected: (square ** 2 / (2 * Math.sqrt(square)) ** 2).toFixed(0),
      by: "isotropic, 4096 x 4096",
      meaning: "Far below noise: that the change has few directions stands.",
    },
    ...masks.map(
      ({ source, run, changed }): GateFigure => ({
        source,
        measured: `${run}: changes in the 30 % of the weights with the smallest magnitude`,
        published: "said to be preferred; by chance 30 %",
        expected: percent(byStorage(changed).low),
        by: "storage",
        meaning:
          "A displacement that knows nothing of the weights shows in small ones first: their gap is smaller. An overlap of this size needs no preference.",
      }),
    ),
  ];
}

export function gateSection(
  table: (headings: readonly string[], cells: readonly string[][]) => string,
): string {
  return [
    "## Gates I and II: what size alone would give",
    "Here nothing is simulated: weights are Gaussian of sigma .028 in bf16, the size of the change is that of the Gaussian displacement " +
      "which shows in as many of them as changed, and the nulls are those of `diff --geometry` ([gates.md](gates.md)).",
    table(
      ["source", "measured", "published", "expected", "by", "what it means"],
      gateFigures().map(({ source, measured, published, expected, by, meaning }) => [
        source,
        measured,
        published,
        expected,
        by,
        meaning,
      ]),
    ),
  ].join("\n\n");
}
