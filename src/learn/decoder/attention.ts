import { exp } from "./elementary.js";
import type { Numbers } from "./numbers.js";
import type { Prefixes } from "./prefixes.js";
import { heads, headWidth, positions, width } from "./shape.js";

const rowWidth = 3 * width;
const scale = 1 / Math.sqrt(headWidth);
const scores = new Float64Array(positions);

/**
 * Causal attention of rows to their prefixes; the shares of a row by head and position. Sums are unrolled: a
 * chain of additions is three times slower (measured).
 */
export function attend(
  qkv: Numbers,
  prefixes: Prefixes,
  shares: Numbers,
  to: Numbers,
  from: number,
  slot: number,
  n: number,
): void {
  const { path, positions: places } = prefixes;
  for (let i = 0; i < n; i++) {
    const row = from + i;
    const count = places[row] + 1;
    const rowPath = row * positions;
    for (let head = 0; head < heads; head++) {
      const ofHead = head * headWidth;
      const share = ((slot + i) * heads + head) * positions;
      score(qkv, row * rowWidth + ofHead, path, rowPath, count, width + ofHead);
      softmax(shares, share, count);
      const values = 2 * width + ofHead;
      mix(qkv, path, rowPath, count, values, shares, share, to, (slot + i) * width + ofHead);
    }
  }
}

/** Scores of a query at the keys of its path. */
function score(
  qkv: Numbers,
  q: number,
  path: Int32Array,
  rowPath: number,
  count: number,
  keys: number,
): void {
  const q0 = qkv[q];
  const q1 = qkv[q + 1];
  const q2 = qkv[q + 2];
  const q3 = qkv[q + 3];
  const q4 = qkv[q + 4];
  const q5 = qkv[q + 5];
  const q6 = qkv[q + 6];
  const q7 = qkv[q + 7];
  for (let p = 0; p < count; p++) {
    const k = path[rowPath + p] * rowWidth + keys;
    const low = q0 * qkv[k] + q1 * qkv[k + 1] + (q2 * qkv[k + 2] + q3 * qkv[k + 3]);
    const high = q4 * qkv[k + 4] + q5 * qkv[k + 5] + (q6 * qkv[k + 6] + q7 * qkv[k + 7]);
    scores[p] = (low + high) * scale;
  }
}

/** Shares of the scores, which become their exponentials. */
function softmax(shares: Numbers, share: number, count: number): void {
  let most = scores[0];
  for (let p = 1; p < count; p++) if (scores[p] > most) most = scores[p];
  let total = 0;
  for (let p = 0; p < count; p++) {
    scores[p] = exp(scores[p] - most);
    total += scores[p];
  }
  const by = 1 / total;
  for (let p = 0; p < count; p++) shares[share + p] = scores[p] * by;
}

/** The values of a path, each by its share. */
function mix(
  qkv: Numbers,
  path: Int32Array,
  rowPath: number,
  count: number,
  values: number,
  shares: Numbers,
  share: number,
  to: Numbers,
  at: number,
): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  let s6 = 0;
  let s7 = 0;
  for (let p = 0; p < count; p++) {
    const v = path[rowPath + p] * rowWidth + values;
    const by = shares[share + p];
    s0 += by * qkv[v];
    s1 += by * qkv[v + 1];
    s2 += by * qkv[v + 2];
    s3 += by * qkv[v + 3];
    s4 += by * qkv[v + 4];
    s5 += by * qkv[v + 5];
    s6 += by * qkv[v + 6];
    s7 += by * qkv[v + 7];
  }
  to[at] = s0;
  to[at + 1] = s1;
  to[at + 2] = s2;
  to[at + 3] = s3;
  to[at + 4] = s4;
  to[at + 5] = s5;
  to[at + 6] = s6;
  to[at + 7] = s7;
}

/** The gradient of queries, keys and values of the first n rows, from that of what they attended to. */
export function attendBackward(
  qkv: Numbers,
  prefixes: Prefixes,
  shares: Numbers,
  dTo: Numbers,
  dQkv: Numbers,
  n: number,
): void {
  const { path, positions: places } = prefixes;
  dQkv.fill(0, 0, n * rowWidth);
  for (let row = 0; row < n; row++) {
    const count = places[row] + 1;
    const rowPath = row * positions;
    for (let h = 0; h < heads; h++) {
      const share = (row * heads + h) * positions;
      const d = row * width + h * headWidth;
      const q = row * rowWidth + h * headWidth;
      let mean = 0;
      for (let p = 0; p < count; p++) {
        const v = path[rowPath + p] * rowWidth + 2 * width + h * headWidth;
        const s = shares[share + p];
        let sum = 0;
        for (let j = 0; j < headWidth; j++) {
          sum += dTo[d + j] * qkv[v + j];
          dQkv[v + j] += s * dTo[d + j];
        }
        scores[p] = sum;
        mean += s * sum;
      }
      for (let p = 0; p < count; p++) {
        const k = path[rowPath + p] * rowWidth + width + h * headWidth;
        const dScore = shares[share + p] * (scores[p] - mean) * scale;
        for (let j = 0; j < headWidth; j++) {
          dQkv[q + j] += dScore * qkv[k + j];
          dQkv[k + j] += dScore * qkv[q + j];
        }
      }
    }
  }
}
