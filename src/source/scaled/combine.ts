import { quote } from "../input-error.js";
import { shapeText } from "../safetensors/header.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";
import { type Element, type Layout, namedFormats } from "./layouts.js";
import type { ScaledCodes, Scales } from "./scaled-codes.js";

/** Combines codes with their scales into numbers. */
export interface Fitted {
  readonly shape: readonly number[];
  readonly scaled: ScaledCodes;
}

/** Codes of a layout, their scales, and the tensor scale if the layout has one. */
export interface Found {
  readonly codes: StoredTensor;
  readonly scales: StoredTensor;
  readonly tensorScale: StoredTensor | null;
}

/** The combination of codes and scales, or why they do not fit, as a sentence about the codes. */
export function combine(layout: Layout, { codes, scales, tensorScale }: Found): Fitted | string {
  const element = layout.elements[codes.dtype.name];
  const shape = shapeOfNumbers(codes.shape, element, layout.inGroups ?? false);
  if (shape === null) {
    return `its codes have the shape ${shapeText(codes.shape)}, expected groups of bytes in the last dimension`;
  }
  for (const part of [codes, scales, ...(tensorScale ? [tensorScale] : [])]) {
    if (part.begin === null || part.source === undefined) {
      return `${part === codes ? "its codes" : quote(part.name)} do not lie in one piece`;
    }
  }
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const ofBlocks = sharing(shape, scales.shape, layout.blocks);
  if (ofBlocks === null) {
    const expected = layout.blocks.map(([rows, columns]) => shapeText(blockShape(shape, rows, columns)));
    return (
      `its scales in ${quote(scales.name)} have the shape ${shapeText(scales.shape)}, expected ` +
      `${expected.join(" or ")}, or one a row or tensor, for numbers of shape ${shapeText(shape)}`
    );
  }
  const blocks = scalesOf(scales, layout.scaleFormats[scales.dtype.name], ofBlocks, false);
  const common = {
    element: element.format,
    bits: element.bits,
    codes: placeOf(codes),
    height,
    width,
    elements: shape.reduce((product, length) => product * length, 1),
  };
  const name = nameOf(element.format, blocks, ofBlocks.of);
  if (tensorScale === null) return { shape, scaled: { ...common, format: name, scales: [blocks] } };
  const ofTensor = sharing(shape, tensorScale.shape, []);
  if (ofTensor === null || ofTensor.of === "row") {
    return (
      `its tensor scale ${quote(tensorScale.name)} has the shape ${shapeText(tensorScale.shape)}, ` +
      `expected one number, or one a matrix`
    );
  }
  const tensor = scalesOf(tensorScale, "fp32", ofTensor, layout.tensorScale?.divides ?? false);
  return { shape, scaled: { ...common, format: name, scales: [blocks, tensor] } };
}

/** The shape of the numbers; null if the shape of the codes does not fit the layout. */
function shapeOfNumbers(
  shape: readonly number[],
  { perElement }: Element,
  inGroups: boolean,
): readonly number[] | null {
  if (shape.length === 0) return perElement === 1 ? shape : null;
  if (!inGroups) return [...shape.slice(0, -1), shape.at(-1)! * perElement];
  return shape.length < 2 ? null : [...shape.slice(0, -2), shape.at(-2)! * shape.at(-1)! * perElement];
}

interface Sharing {
  /** The unit that has one scale. */
  readonly of: "tensor" | "matrix" | "row" | "block";
  readonly rows: number;
  readonly columns: number;
  readonly across: number;
  readonly perMatrix: number;
}

/** Which numbers share a scale, inferred from the shapes; null if nothing fits the number of scales. */
function sharing(
  shape: readonly number[],
  scales: readonly number[],
  blocks: Layout["blocks"],
): Sharing | null {
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const isShape = (candidate: readonly number[]) => `${candidate}` === `${scales}`;
  if (scales.every((length) => length === 1)) {
    return { of: "tensor", rows: height, columns: width, across: 1, perMatrix: 0 };
  }
  for (const [rows, columns] of blocks) {
    if (!isShape(blockShape(shape, rows, columns))) continue;
    const across = Math.ceil(width / columns);
    return { of: "block", rows, columns, across, perMatrix: Math.ceil(height / rows) * across };
  }
  const byRow = shape.slice(0, -1);
  if (isShape(byRow) || isShape([...byRow, 1])) {
    return { of: "row", rows: 1, columns: width, across: 1, perMatrix: height };
  }
  const byMatrix = shape.slice(0, -2);
  if (byMatrix.length > 0 && (isShape(byMatrix) || isShape([...byMatrix, 1, 1]))) {
    return { of: "matrix", rows: height, columns: width, across: 1, perMatrix: 1 };
  }
  return null;
}

/** The shape of block scales; for rows without a matrix, blocks must be along rows. */
function blockShape(shape: readonly number[], rows: number, columns: number): readonly number[] {
  const across = Math.ceil((shape.at(-1) ?? 1) / columns);
  if (shape.length < 2) return [across];
  return [...shape.slice(0, -2), Math.ceil(shape.at(-2)! / rows), across];
}

function scalesOf(
  { name, dtype, elements, file, begin }: StoredTensor,
  format: string,
  { rows, columns, across, perMatrix }: Sharing,
  divides: boolean,
): Scales {
  const place = { file, begin: begin! };
  return {
    ...place,
    name,
    dtype: dtype.name,
    format,
    count: elements,
    rows,
    columns,
    across,
    perMatrix,
    divides,
  };
}

function placeOf({ file, begin }: StoredTensor) {
  return { file, begin: begin! };
}

function nameOf(element: string, { rows, columns, format }: Scales, extent: Sharing["of"]): string {
  const block = `${rows}x${columns}`;
  const known = namedFormats.find(
    (each) =>
      extent === "block" &&
      each.element === element &&
      each.block === block &&
      (each.scales?.includes(format) ?? true),
  );
  return known?.name ?? `${element} by ${extent === "block" ? `${block} ${format}` : extent}`;
}
