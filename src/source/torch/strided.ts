import type { Values } from "../../lens/input.js";

/** The maximum number of elements whose indices are computed at once, and of storage elements read at once. */
const most = 2 ** 20;

/**
 * The numbers of a view of a storage in row-major order. Each piece of the storage that holds some is read once per
 * 2^20 elements of the view.
 *
 * @param whole the numbers of the storage.
 * @param offset that of the first element; this and `strides` are in elements. Valid for views within the storage.
 */
export function stridedValues(
  whole: Values,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Values {
  const length = shape.reduce((product, size) => product * size, 1);

  async function read(start: number, into: Float32Array | Float64Array): Promise<void> {
    if (start < 0 || start + into.length > length) {
      throw new RangeError(`${start} to ${start + into.length} is outside of a tensor of ${length} elements`);
    }
    for (let done = 0; done < into.length; done += most) {
      await gather(start + done, into.subarray(done, done + most));
    }
  }

  async function gather(start: number, into: Float32Array | Float64Array): Promise<void> {
    const places = placesFrom(start, into.length, offset, shape, strides);
    let [lowest, highest] = [Infinity, -1];
    for (const place of places) {
      if (place < lowest) lowest = place;
      if (place > highest) highest = place;
    }
    const longest = Math.min(most, highest + 1 - lowest);
    const window = into instanceof Float64Array ? new Float64Array(longest) : new Float32Array(longest);
    for (let from = lowest; from <= highest; from += most) {
      const part = window.subarray(0, Math.min(most, highest + 1 - from));
      await whole.read(from, part);
      for (let i = 0; i < into.length; i++) {
        const at = places[i] - from;
        if (at >= 0 && at < part.length) into[i] = part[at];
      }
    }
  }

  return { length, read };
}

/** The storage indices of the elements of a view from `start` on. */
function placesFrom(
  start: number,
  count: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Float64Array {
  const index = new Array<number>(shape.length).fill(0);
  let rest = start;
  let place = offset;
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = rest % shape[d];
    rest = Math.floor(rest / shape[d]);
    place += index[d] * strides[d];
  }
  const places = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    places[i] = place;
    for (let d = shape.length - 1; d >= 0; d--) {
      place += strides[d];
      index[d] += 1;
      if (index[d] < shape[d]) break;
      place -= index[d] * strides[d];
      index[d] = 0;
    }
  }
  return places;
}
