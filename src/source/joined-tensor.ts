import { InputError, quote } from "./input-error.js";
import { type Extent, joinedValues, whyNotParts } from "./joined.js";
import { shapeText } from "./safetensors/header.js";
import type { StoredTensor } from "./safetensors/stored-tensor.js";

/** A part of a tensor, in a separate file. */
export interface StoredPart extends Extent {
  readonly stored: StoredTensor;
}

/**
 * A tensor whose parts are in several files.
 *
 * @param parts at least one. If their dtype is not readable, neither is that of the tensor.
 * @param folder the folder of the files, for messages.
 * @throws InputError if the parts do not cover every element exactly once, or have different dtypes.
 */
export function joinedTensor(
  name: string,
  shape: readonly number[],
  parts: readonly StoredPart[],
  folder: string,
): StoredTensor {
  const [{ stored: first }] = parts;
  const { dtype, file } = first;
  const other = parts.find(({ stored }) => stored.dtype !== dtype);
  if (other !== undefined) {
    throw new InputError(
      folder,
      `${quote(name)} in one dtype`,
      `${dtype.name} and ${other.stored.dtype.name}`,
    );
  }
  const reason = whyNotParts(shape, parts);
  if (reason !== null)
    throw new InputError(folder, `all of ${quote(name)}, of shape ${shapeText(shape)}`, reason);
  const elements = shape.reduce((product, size) => product * size, 1);
  const boxes = parts.flatMap(({ stored: { values }, ...extent }) => (values ? [{ ...extent, values }] : []));
  const values = boxes.length === parts.length ? joinedValues(shape, boxes) : null;
  return { name, dtype, shape, elements, file, begin: null, values };
}
