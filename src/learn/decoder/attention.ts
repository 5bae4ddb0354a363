import { exp } from "./elementary.js";
import type { Numbers } from "./numbers.js";
import type { Prefixes } from "./prefixes.js";
import { headWidth, heads, positions, width } from "./shape.js";

const rowWidth = 3 * width;
const scale = 1 / Math.sqrt(headWidth);
const scores = new Float64Array(positions);

/** Causal attention of rows to their prefixes; the shares of a row by head and position. */
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
    for (let h = 0; h < heads; h++) {
      const q = row * rowWidth + h * headWidth;
      let most = -Infinity;
      for (let p = 0; p < count; p++) {
        const k = path[rowPath + p] * rowWidth + width + h * headWidth;
        let sum = 0;
        for (let j = 0; j < headWidth; j++) sum += qkv[q + j] * qkv[k + j];
        scores[p] = sum * scale;
        if (scores[p] > most) most = scores[p];
      }
      let total = 0;
      for (let p = 0; p < count; p++) {
        scores[p] = exp(scores[p] - most);
        total += scores[p];
      }
      const share = ((slot + i) * heads + h) * positions;
      for (let p = 0; p < count; p++) shares[share + p] = scores[p] / total;
      const target = (slot + i) * width + h * headWidth;
      for (let j = 0; j < headWidth; j++) {
        let sum = 0;
        for (let p = 0; p < count; p++) {
          sum += shares[share + p] * qkv[path[rowPath + p] * rowWidth + 2 * width + h * headWidth + j];
        }
        to[target + j] = sum;
      }
    }
  }
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
