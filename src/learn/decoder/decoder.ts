import type { Arithmetic } from "./arithmetic.js";
import { attend, attendBackward } from "./attention.js";
import { addedColumns, normalize, normalizeBackward } from "./layer-norm.js";
import type { Numbers } from "./numbers.js";
import type { Prefixes } from "./prefixes.js";
import { heads, hidden, layers, paddedVocabulary, positions, width } from "./shape.js";
import { layerOffsets, offsets, paddedCount, Weights } from "./weights.js";

/** What a layer keeps of each row. */
interface LayerRows {
  /** Queries, keys and values of all rows, because later rows attend to them. */
  readonly qkv: Numbers;
  readonly normal1: Numbers;
  readonly scale1: Numbers;
  readonly in1: Numbers;
  readonly shares: Numbers;
  readonly attended: Numbers;
  readonly normal2: Numbers;
  readonly scale2: Numbers;
  readonly in2: Numbers;
  readonly up: Numbers;
  readonly active: Numbers;
  readonly slope: Numbers;
}

export interface DecoderSize {
  /** Most rows of prefixes. */
  readonly rows: number;
  /**
   * Whether gradients are needed. Otherwise only what later rows attend to is kept, and rows are processed in
   * blocks.
   */
  readonly trains: boolean;
}

/** Rows processed at once if nothing is kept: their data stays in the cache. */
const block = 64;

/**
 * The decoder of shared prefixes, forward and backward (pre-norm, exact GELU, no biases in projections). Every row is a prefix; its
 * logits are those of the token that follows.
 */
export class Decoder {
  readonly arithmetic: Arithmetic;
  readonly prefixes: Prefixes;
  /** Rows of {@link paddedVocabulary} numbers, those of the vocabulary first. */
  readonly logits: Numbers;
  /** The gradient of the logits, for {@link backward}: zero in the padding. */
  readonly dLogits: Numbers;
  /** Of all parameters, after {@link backward}. */
  readonly gradient: Numbers;
  readonly #weights: Weights;
  readonly #trains: boolean;
  readonly #layers: readonly LayerRows[];
  readonly #x: Numbers;
  readonly #normal: Numbers;
  readonly #scale: Numbers;
  readonly #in: Numbers;
  /** For backward: gradients of the residual stream, of a normed row, of a hidden row, of queries, keys and values. */
  readonly #dx: Numbers;
  readonly #dIn: Numbers;
  readonly #dHidden: Numbers;
  readonly #dQkv: Numbers;

  constructor(arithmetic: Arithmetic, prefixes: Prefixes, { rows, trains }: DecoderSize) {
    const kept = trains ? rows : block;
    const ofRows = (columns: number) => arithmetic.allocate(kept * columns);
    const ofTraining = (columns: number) => arithmetic.allocate(trains ? rows * columns : 0);
    this.arithmetic = arithmetic;
    this.prefixes = prefixes;
    this.#trains = trains;
    this.#weights = new Weights(arithmetic);
    this.#layers = Array.from({ length: layers }, () => ({
      qkv: arithmetic.allocate(rows * 3 * width),
      normal1: ofRows(width),
      scale1: ofRows(1),
      in1: ofRows(width),
      shares: ofRows(heads * positions),
      attended: ofRows(width),
      normal2: ofRows(width),
      scale2: ofRows(1),
      in2: ofRows(width),
      up: ofRows(hidden),
      active: ofRows(hidden),
      slope: ofTraining(hidden),
    }));
    this.#x = ofRows(width);
    this.#normal = ofRows(width);
    this.#scale = ofRows(1);
    this.#in = ofRows(width);
    this.logits = arithmetic.allocate(rows * paddedVocabulary);
    this.dLogits = ofTraining(paddedVocabulary);
    this.gradient = arithmetic.allocate(trains ? paddedCount : 0);
    this.#dx = ofTraining(width);
    this.#dIn = ofTraining(width);
    this.#dHidden = ofTraining(hidden);
    this.#dQkv = ofTraining(3 * width);
  }

  /** Takes all parameters, in the order of `parameters`. */
  setWeights(numbers: ArrayLike<number>): void {
    this.#weights.set(numbers);
  }

  /** Computes rows from `from` to `to`; those before them, which they may follow, were computed with the same weights. */
  forward(from: number, to: number): void {
    const together = this.#trains ? to - from : block;
    for (let row = from; row < to; row += together) {
      this.#forward(row, Math.min(to, row + together), this.#trains ? row : 0);
    }
  }

  /** @param slot of the first row, in what is kept of each. */
  #forward(from: number, to: number, slot: number): void {
    const n = to - from;
    this.#embed(from, n, slot);
    for (const [l, rows] of this.#layers.entries()) {
      const at = layerOffsets[l];
      const { row, turned } = this.#weights;
      const { qkv, out, up, down } = turned[l];
      normalize(this.#x, row, at.norm1, at.bias1, rows.normal1, rows.scale1, rows.in1, slot, n);
      this.#times(rows.in1, slot, width, qkv, rows.qkv, from, 3 * width, n);
      attend(rows.qkv, this.prefixes, rows.shares, rows.attended, from, slot, n);
      this.#times(rows.attended, slot, width, out, this.#x, slot, width, n, true);
      normalize(this.#x, row, at.norm2, at.bias2, rows.normal2, rows.scale2, rows.in2, slot, n);
      this.#times(rows.in2, slot, width, up, rows.up, slot, hidden, n);
      this.arithmetic.gelu(rows.up, rows.active, this.#trains ? rows.slope : null, slot * hidden, n * hidden);
      this.#times(rows.active, slot, hidden, down, this.#x, slot, width, n, true);
    }
    const { row, head } = this.#weights;
    normalize(this.#x, row, offsets.norm, offsets.bias, this.#normal, this.#scale, this.#in, slot, n);
    this.#times(this.#in, slot, width, head, this.logits, from, paddedVocabulary, n);
  }

  #embed(from: number, n: number, slot: number): void {
    const { row } = this.#weights;
    const { tokens, positions: places } = this.prefixes;
    for (let i = 0; i < n; i++) {
      const token = offsets.tokens + tokens[from + i] * width;
      const place = offsets.positions + places[from + i] * width;
      const to = (slot + i) * width;
      for (let j = 0; j < width; j++) this.#x[to + j] = row[token + j] + row[place + j];
    }
  }

  /** Rows of a, each of `sums` numbers, times a turned matrix, into rows of c. */
  #times(
    a: Numbers,
    aRow: number,
    sums: number,
    matrix: Numbers,
    c: Numbers,
    cRow: number,
    columns: number,
    n: number,
    adds = false,
  ): void {
    const { product } = this.arithmetic;
    product(c, cRow * columns, columns, a, aRow * sums, sums, 1, matrix, 0, columns, n, sums, columns, adds);
  }

  /**
   * The gradient of all parameters, from that of the logits of all rows. Valid after {@link forward} of all rows.
   */
  backward(): void {
    const n = this.prefixes.count;
    const { row } = this.#weights;
    const { gradient } = this;
    gradient.fill(0);
    this.#back(this.dLogits, paddedVocabulary, offsets.head, this.#in, width, this.#dIn, n);
    this.#dx.fill(0, 0, n * width);
    normalizeBackward(this.#dIn, row, offsets.norm, this.#normal, this.#scale, this.#dx, n);
    addedColumns(this.#dIn, this.#normal, gradient, offsets.norm, offsets.bias, n);
    for (let l = layers - 1; l >= 0; l--) this.#backward(l, n);
    const { tokens, positions: places } = this.prefixes;
    for (let i = 0; i < n; i++) {
      const token = offsets.tokens + tokens[i] * width;
      const place = offsets.positions + places[i] * width;
      for (let j = 0; j < width; j++) {
        gradient[token + j] += this.#dx[i * width + j];
        gradient[place + j] += this.#dx[i * width + j];
      }
    }
  }

  #backward(l: number, n: number): void {
    const at = layerOffsets[l];
    const rows = this.#layers[l];
    const { row } = this.#weights;
    const { gradient } = this;
    this.#back(this.#dx, width, at.down, rows.active, hidden, this.#dHidden, n);
    for (let i = 0; i < n * hidden; i++) this.#dHidden[i] *= rows.slope[i];
    this.#back(this.#dHidden, hidden, at.up, rows.in2, width, this.#dIn, n);
    normalizeBackward(this.#dIn, row, at.norm2, rows.normal2, rows.scale2, this.#dx, n);
    addedColumns(this.#dIn, rows.normal2, gradient, at.norm2, at.bias2, n);
    this.#back(this.#dx, width, at.out, rows.attended, width, this.#dIn, n);
    attendBackward(rows.qkv, this.prefixes, rows.shares, this.#dIn, this.#dQkv, n);
    this.#back(this.#dQkv, 3 * width, at.qkv, rows.in1, width, this.#dIn, n);
    normalizeBackward(this.#dIn, row, at.norm1, rows.normal1, rows.scale1, this.#dx, n);
    addedColumns(this.#dIn, rows.normal1, gradient, at.norm1, at.bias1, n);
  }

  /** Through y = x W^T, W the matrix of `outs` rows at `matrix`: dx = dy W, and dW = dy^T x into the gradient. */
  #back(dy: Numbers, outs: number, matrix: number, x: Numbers, ins: number, dx: Numbers, n: number): void {
    const { product } = this.arithmetic;
    const { row } = this.#weights;
    product(dx, 0, ins, dy, 0, outs, 1, row, matrix, ins, n, outs, ins, false);
    product(this.gradient, matrix, ins, dy, 0, 1, outs, x, 0, ins, outs, n, ins, false);
  }
}
