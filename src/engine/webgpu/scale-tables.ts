import { BlockLayout } from "../../format/block/block-layout.js";
import { countOf, type TensorInput } from "../../lens/input.js";
import type { BlockSettings } from "../../update/block-settings.js";
import { hasTensorScale } from "../block-chunks.js";
import type { Batch, Piece } from "./batch.js";
import type { Parameters } from "./layout.js";

/**
 * The scales of a case in a batch, in tables that follow the planes of its state. The first table has the largest magnitudes: a word
 * per block, then a word per piece for its tensor. Three tables of scales follow: before the first step, after odd steps, after even
 * steps. Each has {@link entryWords} per block, then a word per piece for its tensor. The blocks of a piece are contiguous and include
 * those of which the piece has only a part.
 */
export class ScaleTables {
  readonly pieces: readonly PieceTable[];
  readonly blocks: number;
  /**
   * Three words per piece: the position that its first block would have in the first column of the matrix; its first block; its number
   * of blocks.
   */
  readonly constants: readonly number[];
  readonly #isRenewed: boolean;

  constructor(settings: BlockSettings, { pieces }: Pick<Batch, "pieces">) {
    let blocks = 0;
    const constants: number[] = [];
    this.pieces = pieces.map((piece) => {
      const table = tableOf(piece, settings);
      const first = blocks;
      constants.push((first - table.skipped) >>> 0, first, table.count);
      blocks += table.count;
      return { ...table, piece, first };
    });
    this.blocks = blocks;
    this.constants = constants;
    this.#isRenewed = settings.scales === "renewed";
  }

  get magnitudeWords(): number {
    return this.blocks + this.pieces.length;
  }

  get words(): number {
    return this.magnitudeWords + scaleTimes * this.#timeWords;
  }

  get #timeWords(): number {
    return entryWords * this.blocks + this.pieces.length;
  }

  /**
   * The parameters by which kernels find the tables.
   *
   * @param at the word of the state at which the tables begin.
   * @param steps the number of steps taken before; -1 for the start.
   */
  offsets(at: number, steps: number): Partial<Parameters> {
    const scales = (time: number) => at + this.magnitudeWords + time * this.#timeWords;
    const after = (taken: number) => scales(taken === 0 || !this.#isRenewed ? 0 : 2 - (taken % 2));
    return {
      magnitudes: at,
      startScales: scales(0),
      scalesBefore: after(Math.max(steps, 0)),
      scalesAfter: after(steps + 1),
      scaleBlocks: this.blocks,
    };
  }
}

/** The words of a block in a table: its scale, the rule's factor, and the multiplier of its elements. */
export const entryWords = 3;
const scaleTimes = 3;

export interface PieceTable {
  readonly piece: Piece;
  /** Its first block: the position in the tables, and the index in the tensor. */
  readonly first: number;
  readonly begins: number;
  /** The number of blocks of the first band to the left of it. */
  readonly skipped: number;
  readonly count: number;
  readonly isOneRow: boolean;
}

/** The position of a piece's first element in the matrices of its tensor. */
export interface Place {
  readonly width: number;
  readonly height: number;
  readonly column: number;
  readonly row: number;
}

/** The width used for rows longer than kernels can count: no such row ends within a piece. A multiple of the columns of every block. */
const longRow = 2 ** 31;
const columnsOfBlocks = 2 ** 7;

export function placeOf({ input: { shape }, start }: Pick<Piece, "input" | "start">): Place {
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const column = start % width;
  const row = Math.floor(start / width) % height;
  if (width <= longRow) return { width, height, column, row };
  return { width: longRow, height, column: column % columnsOfBlocks, row };
}

/** The blocks of a piece: whole bands of rows if the piece has weights of more than one row. */
function tableOf(
  piece: Pick<Piece, "input" | "start" | "length">,
  { blocks }: BlockSettings,
): Omit<PieceTable, "piece" | "first"> {
  const { rows, columns } = blocks;
  const { width, height, column, row } = placeOf(piece);
  const first = new BlockLayout(piece.input.shape, blocks).blockOf(piece.start);
  const last = column + piece.length - 1;
  if (last < width) {
    const skipped = Math.floor(column / columns);
    return { begins: first, skipped, count: Math.floor(last / columns) + 1 - skipped, isOneRow: true };
  }
  const across = Math.ceil(width / columns);
  const down = Math.ceil(height / rows);
  const bandOf = (r: number) => Math.floor(r / height) * down + Math.floor((r % height) / rows);
  const bands = bandOf(row + Math.floor(last / width)) - bandOf(row) + 1;
  return { begins: first - (first % across), skipped: 0, count: bands * across, isOneRow: false };
}

/** The number of blocks of a tensor that begin before an element. */
function blocksBefore(element: number, shape: readonly number[], { blocks }: BlockSettings): number {
  const { rows, columns } = blocks;
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const row = Math.floor(element / width);
  const down = Math.ceil(height / rows);
  const across = Math.ceil(width / columns);
  const rowOfMatrix = row % height;
  const band = Math.floor(row / height) * down + Math.floor(rowOfMatrix / rows);
  return band * across + (rowOfMatrix % rows === 0 ? Math.ceil((element % width) / columns) : across);
}

/** The scales counted with a piece: those of blocks that begin in it, and the tensor's scale if it is the first piece. */
export interface ScalesOfPiece {
  readonly blocks: number;
  readonly tensors: number;
}

export function scalesOfPiece(
  { input, start, length }: Pick<Piece, "input" | "start" | "length">,
  settings: BlockSettings,
): ScalesOfPiece {
  const before = (element: number) => blocksBefore(element, input.shape, settings);
  const isFirst = start === (input.start ?? 0);
  return {
    blocks: before(start + length) - before(start),
    tensors: isFirst && hasTensorScale(settings) ? 1 : 0,
  };
}

/** The maximum number of words of the tables of some tensors: per element, and for bands that are cut by pieces. */
export function mostTableWords(
  { blocks: { rows, columns } }: BlockSettings,
  tensors: readonly Pick<TensorInput, "shape">[],
): { readonly each: number; readonly edges: number } {
  const perBlock = 1 + scaleTimes * entryWords;
  let [each, edges] = [0, 0];
  for (const { shape } of tensors) {
    const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
    const across = Math.ceil(width / columns);
    each = Math.max(each, (perBlock * Math.ceil(height / rows) * across) / (height * width));
    // A piece within one row has only blocks of that row, and the words of its tensor.
    edges += perBlock * Math.min(2 * across, 2 ** 20) + 1 + scaleTimes;
  }
  // Few tensors of a batch are cut, so blocks at edges are few.
  return { each, edges: Math.min(edges, 2 ** 24) };
}

/** Whether some scale of a tensor depends on weights that may be in different pieces. */
export function needsWhole({ shape }: Pick<TensorInput, "shape">, settings: BlockSettings): boolean {
  const { rows, columns } = settings.blocks;
  return rows > 1 || hasTensorScale(settings) || (shape.at(-1) ?? 1) % columns !== 0;
}

/** Whether a piece is less than its whole tensor. */
export function isSplit({ input, length }: Pick<Piece, "input" | "length">): boolean {
  return length < countOf(input);
}

/** Contiguous blocks of a piece that may have weights in other pieces. */
export interface SplitRange {
  /** The index of the first one in its tensor; {@link wholeTensor} stands for the tensor itself. */
  readonly block: number;
  /** The word of the first one among the magnitudes. */
  readonly at: number;
  readonly words: number;
}

export const wholeTensor = -1;

export function splitRanges(tables: ScaleTables, p: number, settings: BlockSettings): SplitRange[] {
  const { piece, first, begins, count, isOneRow } = tables.pieces[p];
  const { input, start, length } = piece;
  if (!isSplit(piece) || !needsWhole(input, settings)) return [];
  const { rows, columns } = settings.blocks;
  const across = Math.ceil((input.shape.at(-1) ?? 1) / columns);
  const layout = new BlockLayout(input.shape, settings.blocks);
  const range = (block: number, words: number) => ({ block, at: first + block - begins, words });
  const ofBlocks =
    rows === 1
      ? [start, start + length - 1].map((element) => range(layout.blockOf(element), 1))
      : isOneRow
        ? [range(begins, count)]
        : [begins, begins + count - across].map((block) => range(block, across));
  if (!hasTensorScale(settings)) return ofBlocks;
  return [...ofBlocks, { block: wholeTensor, at: tables.blocks + p, words: 1 }];
}
