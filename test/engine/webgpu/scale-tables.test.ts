import { describe, expect, it } from "vitest";
import { batchesOf } from "../../../src/engine/webgpu/batch.js";
import {
  entryWords,
  isSplit,
  placeOf,
  ScaleTables,
  scalesOfPiece,
  splitRanges,
  wholeTensor,
} from "../../../src/engine/webgpu/scale-tables.js";
import type { TensorInput } from "../../../src/lens/input.js";
import { type BlockSettings, schemeSettings } from "../../../src/update/block-settings.js";

const settingsOf = (format: string, scales: "renewed" | "kept" = "renewed") =>
  schemeSettings({ format, scheme: "master", scales }) as BlockSettings;

function tensorOf(...shape: number[]): TensorInput {
  const length = shape.reduce((product, n) => product * n, 1);
  return { name: `${shape}`, shape, weights: { length, read: async () => {} }, updates: [] };
}

/** The block of an element, of its coordinates: blocks of a matrix side by side, then those below, then the next matrix's. */
function blockAt(element: number, shape: readonly number[], { blocks: { rows, columns } }: BlockSettings) {
  const [width, height] = [shape.at(-1) ?? 1, shape.at(-2) ?? 1];
  const [x, y, matrix] = [
    element % width,
    Math.floor(element / width) % height,
    Math.floor(element / width / height),
  ];
  const [across, down] = [Math.ceil(width / columns), Math.ceil(height / rows)];
  return { band: matrix * down + Math.floor(y / rows), across, at: Math.floor(x / columns) };
}

const shapes = [[24], [20480], [3, 16], [130, 40], [2, 3, 136], [5, 20, 48], [300, 128], [2, 9000], [700, 8]];
const limits = { pieces: 100, groups: 100 };

describe.each(["mxfp4", "nvfp4", "nvfp4-16x16", "fp8-128x128"])(
  "blocks of %s in pieces of tensors",
  (name) => {
    const settings = settingsOf(name);
    const tensors = shapes.map((shape) => tensorOf(...shape));
    const batches = [...batchesOf(tensors, [...tensors.keys()], { ...limits, elements: 2 * 4096 })];

    it("every weight has a block in the tables, where kernels look for it", () => {
      for (const batch of batches) {
        const tables = new ScaleTables(settings, batch);
        let from = 0;
        for (const [p, { piece, first, begins, count }] of tables.pieces.entries()) {
          expect(first).toBe(from);
          from += count;
          const { shape } = piece.input;
          const begin = blockAt(piece.start, shape, settings);
          const wrong: number[] = [];
          for (let e = piece.start; e < piece.start + piece.length; e += 8) {
            const { band, across, at } = blockAt(e, shape, settings);
            const own = band * across + at - begins;
            const asKernels = tables.constants[3 * p] + (band - begin.band) * across + at;
            if (own < 0 || own >= count || asKernels % 2 ** 32 !== first + own) wrong.push(e);
          }
          expect(wrong).toEqual([]);
        }
        expect(tables.blocks).toBe(from);
        expect(tables.words).toBeGreaterThanOrEqual((1 + 3 * entryWords) * from);
      }
    });

    it("each block of a tensor is counted with one piece, that of its first weight", () => {
      const counted = tensors.map(() => 0);
      for (const { pieces } of batches) {
        for (const piece of pieces) {
          const begun = new Set<string>();
          // From the end, so that blocks that have weights before the piece are no longer in it.
          for (let e = piece.start + piece.length - 8; e >= 0; e -= 8) {
            const { band, at } = blockAt(e, piece.input.shape, settings);
            if (e < piece.start) begun.delete(`${band} ${at}`);
            else begun.add(`${band} ${at}`);
          }
          expect(scalesOfPiece(piece, settings).blocks).toBe(begun.size);
          counted[piece.tensor] += begun.size;
        }
      }
      for (const [t, { shape, weights }] of tensors.entries()) {
        const { band, across } = blockAt(weights.length - 1, shape, settings);
        expect(counted[t]).toBe((band + 1) * across);
      }
    });

    it("every block that two pieces have weights of is told of both", () => {
      const told = new Set<string>();
      const owners = new Map<string, number[]>();
      for (const batch of batches) {
        const tables = new ScaleTables(settings, batch);
        for (const [p, piece] of batch.pieces.entries()) {
          const { first, begins, count } = tables.pieces[p];
          for (const { block, at, words } of splitRanges(tables, p, settings)) {
            expect(isSplit(piece)).toBe(true);
            if (block === wholeTensor) {
              expect(at).toBe(tables.blocks + p);
              continue;
            }
            expect(at).toBe(first + block - begins);
            expect(at + words).toBeLessThanOrEqual(first + count);
            for (let i = 0; i < words; i++) told.add(`${piece.tensor} ${block + i} of ${piece.start}`);
          }
          const own = new Set<string>();
          for (let e = piece.start; e < piece.start + piece.length; e += 8) {
            const { band, across, at } = blockAt(e, piece.input.shape, settings);
            own.add(`${piece.tensor} ${band * across + at}`);
          }
          for (const each of own) owners.set(each, [...(owners.get(each) ?? []), piece.start]);
        }
      }
      const untold = [...owners]
        .filter(([, starts]) => starts.length > 1)
        .flatMap(([each, starts]) => starts.map((start) => `${each} of ${start}`))
        .filter((each) => !told.has(each));
      expect(untold).toEqual([]);
    });
  },
);

it("scales are before the first step, and after steps by turns; kept ones are where they were", () => {
  const batch = { pieces: [{ tensor: 0, input: tensorOf(64), start: 0, length: 64, firstGroup: 0 }] };
  const of = (scales: "renewed" | "kept") => new ScaleTables(settingsOf("nvfp4", scales), batch);
  const at = (steps: number) => of("renewed").offsets(1000, steps);
  expect(at(-1).scalesAfter).toBe(at(-1).startScales);
  for (let steps = 0; steps < 5; steps++) {
    expect(at(steps).scalesBefore).toBe(at(steps - 1).scalesAfter);
    expect(at(steps).scalesAfter).not.toBe(at(steps).scalesBefore);
    expect(at(steps).scalesAfter).not.toBe(at(steps).startScales);
    expect(of("kept").offsets(1000, steps).scalesAfter).toBe(of("kept").offsets(1000, -1).startScales);
  }
});

it("a row of more than 2^32 numbers is one of which kernels count the rest", () => {
  const input = tensorOf(2 ** 34);
  const piece = { tensor: 0, input, start: 2 ** 33 + 4096, length: 4096, firstGroup: 0 };
  expect(placeOf(piece)).toEqual({ width: 2 ** 31, height: 1, column: 0, row: 0 });
  const { pieces } = new ScaleTables(settingsOf("nvfp4"), { pieces: [piece] });
  expect(pieces[0]).toMatchObject({ begins: (2 ** 33 + 4096) / 16, count: 256, skipped: 0 });
});

describe("batches", () => {
  const tensors = [tensorOf(3 * 4096), tensorOf(4 * 4096), tensorOf(9 * 4096)];
  const cut = (isWhole: boolean) =>
    [...batchesOf(tensors, [0, 1, 2], { ...limits, elements: 5 * 4096 }, () => isWhole)].map(({ pieces }) =>
      pieces.map(({ tensor, length }) => [tensor, length / 4096]),
    );

  it("do not cut a tensor that has room in one", () => {
    expect(cut(true)).toEqual([
      [[0, 3]],
      [
        [1, 4],
        [2, 1],
      ],
      [[2, 5]],
      [[2, 3]],
    ]);
  });
  it("are full where tensors may be cut", () => {
    expect(cut(false)).toEqual([
      [
        [0, 3],
        [1, 2],
      ],
      [
        [1, 2],
        [2, 3],
      ],
      [[2, 5]],
      [[2, 1]],
    ]);
  });
});
