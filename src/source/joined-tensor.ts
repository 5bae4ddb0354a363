import { InputError, quote } from "./input-error.js";
import { type Extent, joinedValues, whyNotParts } from "./joined.js";
import { shapeText } from "./safetensors/header.js";
import type { StoredTensor } from "./safetensors/stored-tensor.js";

/** A part of a tensor in a file of its own. */
export interface StoredPart extends Extent {
  readonly stored: StoredTensor;
}

/**
 * A tensor whose parts lie in several files.
 *
 * @param parts at least one, and of a dtype that is not read too: then the tensor has no numbers either.
 * @param folder that of the files, for messages.
 * @throws InputError if they are not all of it, each element once, or of several dtypes.
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
