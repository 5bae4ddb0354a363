import fc from "fast-check";
import { expect, it } from "vitest";
import { stridedValues } from "../../../src/source/torch/strided.js";
import { valuesOf } from "../../support/values.js";

const dimension = fc.record({ size: fc.integer({ min: 1, max: 5 }), stride: fc.integer({ min: 0, max: 9 }) });

it("the numbers of a view: element [i, j, ...] is that at offset + i x stride + ...", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(dimension, { maxLength: 4 }),
      fc.nat(5),
      fc.nat(),
      async (dimensions, offset, from) => {
        const [shape, strides] = [dimensions.map(({ size }) => size), dimensions.map(({ stride }) => stride)];
        let places = [offset];
        for (const { size, stride } of dimensions) {
          places = places.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * stride));
        }
        const storage = valuesOf(Array.from({ length: Math.max(...places) + 1 }, (_, i) => i * i));
        const values = stridedValues(storage, offset, shape, strides);
        expect(values.length).toBe(places.length);
        const start = from % places.length;
        const into = new Float32Array(places.length - start);
        await values.read(start, into);
        expect([...into]).toEqual(places.slice(start).map((place) => place * place));
      },
    ),
  );
});

it("a transposed matrix that is read in several pieces and windows", async () => {
  const [rows, columns] = [1200, 1100];
  const reads: number[] = [];
  const whole = {
    length: rows * columns,
    read: async (start: number, into: Float32Array | Float64Array) => {
      reads.push(into.length);
      for (let i = 0; i < into.length; i++) into[i] = start + i;
    },
  };
  const values = stridedValues(whole, 0, [columns, rows], [1, columns]);
  const into = new Float64Array(rows * columns);
  await values.read(0, into);
  let wrong = 0;
  for (let i = 0; i < into.length; i++)
    if (into[i] !== (i % rows) * columns + Math.floor(i / rows)) wrong += 1;
  expect(wrong).toBe(0);
  // Two pieces of the view, two windows of the storage each.
  expect(reads.length).toBe(4);
  await expect(values.read(1, new Float64Array(rows * columns))).rejects.toThrow(RangeError);
});
