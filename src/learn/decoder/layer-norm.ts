import type { Numbers } from "./numbers.js";
import { width } from "./shape.js";

/** As in torch's LayerNorm. */
const eps = 1e-5;

/** Normed rows, their scale 1 / sqrt(variance + eps), and these times a weight plus a bias; each number rounded once where it is stored. */
export function normalize(
  x: Numbers,
  weights: Numbers,
  weight: number,
  bias: number,
  normal: Numbers,
  scale: Numbers,
  to: Numbers,
  slot: number,
  n: number,
): void {
  for (let i = slot; i < slot + n; i++) {
    const at = i * width;
    let sum = 0;
    for (let j = 0; j < width; j++) sum += x[at + j];
    const mean = sum / width;
    let squares = 0;
    for (let j = 0; j < width; j++) squares += (x[at + j] - mean) * (x[at + j] - mean);
    const by = 1 / Math.sqrt(squares / width + eps);
    scale[i] = by;
    for (let j = 0; j < width; j++) {
      const y = (x[at + j] - mean) * by;
      normal[at + j] = y;
      to[at + j] = y * weights[weight + j] + weights[bias + j];
    }
  }
}

/** Adds to dx the gradient with respect to the rows before the norm. */
export function normalizeBackward(
  dy: Numbers,
  weights: Numbers,
  weight: number,
  normal: Numbers,
  scale: Numbers,
  dx: Numbers,
  n: number,
): void {
  for (let i = 0; i < n; i++) {
    const at = i * width;
    let sum = 0;
    let product = 0;
    for (let j = 0; j < width; j++) {
      const d = dy[at + j] * weights[weight + j];
      sum += d;
      product += d * normal[at + j];
    }
    const mean = sum / width;
    const along = product / width;
    for (let j = 0; j < width; j++) {
      const d = dy[at + j] * weights[weight + j];
      dx[at + j] += scale[i] * (d - mean - normal[at + j] * along);
    }
  }
}

/** The gradients of weight and bias of a norm. */
export function addedColumns(
  dy: Numbers,
  normal: Numbers,
  gradient: Numbers,
  weight: number,
  bias: number,
  n: number,
): void {
  for (let j = 0; j < width; j++) {
    let [ofWeight, ofBias] = [0, 0];
    for (let i = 0; i < n; i++) {
      ofWeight += dy[i * width + j] * normal[i * width + j];
      ofBias += dy[i * width + j];
    }
    gradient[weight + j] = ofWeight;
    gradient[bias + j] = ofBias;
  }
}
