import { exponentOf as exponentOfNumber } from "../../../format/float64.js";
import type { Format } from "../../../format/format.js";
import { blockLength } from "../../../lens/sum.js";
import { exponentOf, gone, type Kernel, overLane, plain } from "./kernel.js";

/** The classes of updates, as in lens/classify.ts, lens/probes.ts and lens/histogram.ts. */

/** The displacement of each weight, in fp32. */
export const differenceKernel: Kernel = {
  name: "displacements",
  functions: [plain],
  source: `function (after, before) {
    return plain(after[this.thread.x]) - plain(before[this.thread.x]);
  }`,
};

/** 1 where a number is nonzero or was marked before. */
export const markKernel: Kernel = {
  name: "marks",
  functions: [plain],
  source: `function (marks, numbers) {
    return marks[this.thread.x] === 1 || plain(numbers[this.thread.x]) !== 0 ? 1 : 0;
  }`,
};

/** Packs two counts of at most 512 into one number. */
export const countBase = 2048;

/**
 * Counts of one lane: (none, lost), (kept, no longer finite), (lost by the ulp rule, those of them that moved), (not
 * moved among the others, 0). Each pair is first + second x {@link countBase}.
 */
export const countsKernel: Kernel = {
  name: "counts",
  functions: [plain, gone],
  source: `function (before, carriersBefore, after, carriersAfter, updates) {
    let noneAndLost = 0;
    let keptAndGone = 0;
    let ruleAndMoved = 0;
    let unmoved = 0;
    ${overLane(`const w = plain(before[i]);
      const next = plain(after[i]);
      const u = plain(updates[i]);
      if (gone(next) === 1 || gone(carriersAfter[i]) === 1) {
        keptAndGone += ${countBase};
      }
      if (u === 0) {
        noneAndLost += 1;
      } else {
        const rule = Math.abs(u) < Math.abs(w) * 0.00390625 ? 1 : 0;
        if (rule === 1) {
          ruleAndMoved += 1;
        }
        if (next !== w) {
          if (rule === 1) {
            ruleAndMoved += ${countBase};
          }
        } else {
          if (rule === 0) {
            unmoved += 1;
          }
          if (plain(carriersAfter[i]) !== plain(carriersBefore[i])) {
            keptAndGone += 1;
          } else {
            noneAndLost += ${countBase};
          }
        }
      }`)}
    return [noneAndLost, keptAndGone, ruleAndMoved, unmoved];
  }`,
};

/**
 * The first histogram bin counted on a device: |u| >= 2^-64 ulp(w). The largest |u| is 2^100 at a weight of zero,
 * whose ulp is 2^-149 in fp32.
 */
export const firstBin = -64;
export const binCount = 320;

/**
 * Class and bin of each update as one number: the bin relative to {@link firstBin} plus {@link binCount} times the
 * class (0 lost, 1 kept, 2 moved); negative for a zero update or a bin outside.
 */
export function codesKernel(format: Format): Kernel {
  return {
    name: "classes and bins",
    functions: [plain, exponentOf],
    source: `function (before, carriersBefore, after, carriersAfter, updates) {
      const w = plain(before[this.thread.x]);
      const u = plain(updates[this.thread.x]);
      let code = -1;
      if (u !== 0) {
        let ulp = ${exponentOfNumber(format.minPositive)};
        if (Math.abs(w) >= ${format.minNormal} && w !== 0) {
          ulp = exponentOf(Math.abs(w)) - ${format.precision - 1};
        }
        const bin = exponentOf(Math.abs(u)) - ulp - (${firstBin});
        if (bin >= 0 && bin < ${binCount}) {
          code = bin;
          if (plain(after[this.thread.x]) !== w) {
            code = bin + ${2 * binCount};
          } else if (plain(carriersAfter[this.thread.x]) !== plain(carriersBefore[this.thread.x])) {
            code = bin + ${binCount};
          }
        }
      }
      return code;
    }`,
  };
}

/** Marks an empty range of {@link rangesKernel}. */
export const emptyRange = binCount;
/** Packs the two ends of a range into one number: first + last x 1024. */
export const rangeBase = 1024;

/** First and last bin of each class in one lane, relative to {@link firstBin}. */
export const rangesKernel: Kernel = {
  name: "ranges of bins",
  functions: [],
  source: `function (codes) {
    let lostFirst = ${emptyRange};
    let lostLast = 0;
    let keptFirst = ${emptyRange};
    let keptLast = 0;
    let movedFirst = ${emptyRange};
    let movedLast = 0;
    ${overLane(`const code = codes[i];
      if (code >= ${2 * binCount}) {
        movedFirst = Math.min(movedFirst, code - ${2 * binCount});
        movedLast = Math.max(movedLast, code - ${2 * binCount});
      } else if (code >= ${binCount}) {
        keptFirst = Math.min(keptFirst, code - ${binCount});
        keptLast = Math.max(keptLast, code - ${binCount});
      } else if (code >= 0) {
        lostFirst = Math.min(lostFirst, code);
        lostLast = Math.max(lostLast, code);
      }`)}
    return [
      lostFirst + lostLast * ${rangeBase},
      keptFirst + keptLast * ${rangeBase},
      movedFirst + movedLast * ${rangeBase},
      0
    ];
  }`,
};

/** The number of codes that one thread counts. */
export const codesPerThread = 8;
/**
 * Packs two counts into one number. Valid for counts that add up to at most 4096: fp32 holds 4096 x 4097 because it is
 * even, and every smaller value is at most 2^24.
 */
export const histogramBase = 4097;

/**
 * Counts of each of 8 codes in block thread.y, in pairs of {@link histogramBase}. The codes of thread.x: 8
 * from `lost` + 8 x on for the first `lostThreads` threads, 8 from `kept` on for the next `keptThreads`, 8
 * from `moved` on for the rest.
 */
export const histogramKernel: Kernel = {
  name: "histogram",
  functions: [],
  source: `function (codes, lost, lostThreads, kept, keptThreads, moved) {
    const x = this.thread.x;
    let first = lost + x * ${codesPerThread};
    if (x >= lostThreads + keptThreads) {
      first = moved + (x - lostThreads - keptThreads) * ${codesPerThread};
    } else if (x >= lostThreads) {
      first = kept + (x - lostThreads) * ${codesPerThread};
    }
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let j = 0; j < ${blockLength}; j++) {
      const i = this.thread.y * ${blockLength} + j;
      const code = codes[i] - first;
      if (code >= 0 && code < ${codesPerThread}) {
        if (code === 0) {
          a += 1;
        } else if (code === 1) {
          a += ${histogramBase};
        } else if (code === 2) {
          b += 1;
        } else if (code === 3) {
          b += ${histogramBase};
        } else if (code === 4) {
          c += 1;
        } else if (code === 5) {
          c += ${histogramBase};
        } else if (code === 6) {
          d += 1;
        } else {
          d += ${histogramBase};
        }
      }
    }
    return [a, b, c, d];
  }`,
};
