import { originOf } from "../../lens/input.js";
import { gaussian } from "../../update/distribution.js";
import { noiseKey, signalKey } from "../../update/simulated-adamw.js";
import { stepKey, tensorKey, type Words } from "../../update/threefry.js";
import { adamwScalars, scalarsOf } from "../lane/adamw.js";
import { bitsOf } from "../lane/numbers.js";
import { type RecipePlan, ScalarTable } from "../recipe-plan.js";
import { type Batch, firstBlock, type Piece } from "./batch.js";
import { type Parameters, type PieceConstants, pieceWords } from "./layout.js";
import { placeOf } from "./scale-tables.js";
import type { SourceGroup } from "./sources.js";

/** The constants of kernels: pieces, keys of random bits, tables. Offsets are in words. */
export class Constants {
  readonly #words: number[] = [];
  readonly #tables: { readonly at: number; readonly table: Float32Array }[] = [];
  #length = 0;
  /** The offset of tables; 0 if there are none. */
  readonly table: number = 0;
  readonly signal: number = 0;
  readonly knots: number = 0;
  readonly #scalars: number = 0;
  readonly #updateKeys: number = 0;
  /** The words of a recipe step. */
  readonly #recipeScalars: number | null = null;
  readonly #bits = new Map<number, number>();
  readonly #pieces: number;

  /**
   * @param seeds the seeds of the cases with stochastic rounding.
   * @param recipes the plan of a job with recipes, or null.
   */
  constructor(
    batch: Batch,
    { weights, updates }: Pick<SourceGroup, "weights" | "updates">,
    stepNumbers: readonly number[],
    seeds: Iterable<number>,
    recipes: RecipePlan | null = null,
  ) {
    this.#pieces = batch.pieces.length;
    this.#add(groupPieces(batch));
    const inputs = batch.pieces.map(({ input }) => input);
    const scalars = recipes && new ScalarTable(recipes, inputs, stepNumbers.length);
    const tables = this.#length + batch.pieces.length * pieceWords.length;
    for (const piece of batch.pieces) {
      const about = aboutPiece(piece, tables + (scalars?.of(piece.input) ?? 0));
      this.#add(pieceWords.map((name) => about[name]));
    }
    if (scalars) {
      this.#addTable(scalars.words);
      this.#recipeScalars = recipes!.scalars.length;
    }
    const steps = [...stepNumbers.keys()];
    const keysOf = (key: (piece: Piece, step: number) => Words) =>
      this.#add(steps.flatMap((step) => batch.pieces.flatMap((piece) => [...key(piece, step)])));
    if (updates.kind === "drawn") {
      this.#updateKeys = keysOf(({ input }, step) => originOf(input.updates[step], "quantiles")!.key);
      this.table = this.#addTable(updates.table);
    }
    if (updates.kind === "simulated") {
      this.#updateKeys = keysOf(({ input }, step) =>
        noiseKey(originOf(input.updates[step], "simulated")!.of, step + 1),
      );
      this.table = this.#addTable(updates.run.noise.knots);
      if (updates.run.snr !== 0) this.signal = this.#addTable(gaussian.knots);
      this.#scalars = this.#addTable(scalarsOf(updates.run, stepNumbers.length));
    }
    if (weights !== null) this.knots = this.#addTable(weights.distribution.knots);
    for (const seed of new Set(seeds)) {
      const names = new Map(batch.pieces.map((piece) => [piece, tensorKey(seed, piece.input.name)]));
      this.#bits.set(
        seed,
        keysOf((piece, step) => stepKey(names.get(piece)!, stepNumbers[step])),
      );
    }
  }

  /** The offsets of a step's constants. */
  ofStep(step: number, seed: number): Pick<Parameters, "keys" | "bits" | "scalars"> {
    const keys = 2 * this.#pieces * step;
    return {
      keys: this.#updateKeys + keys,
      bits: (this.#bits.get(seed) ?? 0) + keys,
      scalars:
        this.#recipeScalars === null
          ? this.#scalars + step * adamwScalars.length
          : step * this.#recipeScalars,
    };
  }

  /** Adds words of a case, before {@link words} are taken, and gives their offset. */
  add(words: readonly number[]): number {
    return this.#add(words);
  }

  words(): Uint32Array {
    const words = new Uint32Array(this.#length);
    words.set(this.#words);
    const numbers = new Float32Array(words.buffer);
    for (const { at, table } of this.#tables) numbers.set(table, at);
    return words;
  }

  #add(words: readonly number[]): number {
    const at = this.#length;
    for (const word of words) this.#words.push(word);
    this.#length += words.length;
    return at;
  }

  #addTable(table: Float32Array): number {
    const at = this.#add(Array.from({ length: table.length }, () => 0));
    this.#tables.push({ at, table });
    return at;
  }
}

function groupPieces({ pieces, groups }: Batch): number[] {
  const pieceOf = new Array<number>(groups).fill(0);
  for (const [i, { firstGroup }] of pieces.entries()) pieceOf.fill(i, firstGroup);
  return pieceOf;
}

function aboutPiece(piece: Piece, scalars: number): PieceConstants {
  const { input, start, length } = piece;
  const pair = start / 2;
  const draws = originOf(input.weights, "weights");
  const [first] = input.updates;
  const tensor = first && originOf(first, "simulated")?.of;
  const signal = tensor ? signalKey(tensor) : [0, 0];
  return {
    firstBlock: firstBlock(piece),
    length,
    pairLow: pair % 2 ** 32,
    pairHigh: Math.floor(pair / 2 ** 32),
    mean: bitsOf(draws?.mean ?? 0),
    sigma: bitsOf(draws?.sigma ?? 0),
    weightKeyLow: draws?.key[0] ?? 0,
    weightKeyHigh: draws?.key[1] ?? 0,
    gradientScale: bitsOf(tensor?.gradientScale ?? 0),
    signalKeyLow: signal[0],
    signalKeyHigh: signal[1],
    scalars,
    ...placeOf(piece),
  };
}
