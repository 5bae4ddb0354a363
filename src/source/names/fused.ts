import type { SideTensor } from "../pair/side-tensor.js";
import { rowsOf } from "./rows.js";

/** Modules whose weights are stacked in one tensor, as fused by transformers and vLLM. */
const fusions: readonly { readonly fused: RegExp; readonly parts: readonly string[] }[] = [
  { fused: /^(.*)\bqkv_proj\.(weight|bias)$/, parts: ["q_proj", "k_proj", "v_proj"] },
  { fused: /^(.*)\bgate_up_proj\.(weight|bias)$/, parts: ["gate_proj", "up_proj"] },
];

/** Experts stacked in one tensor, one matrix each, and the names of the single ones. */
const expertFusions: readonly { readonly fused: RegExp; readonly parts: readonly (readonly string[])[] }[] = [
  {
    fused: /^(.*\.experts)\.gate_up_proj$/,
    parts: [
      ["gate_proj", "up_proj"],
      ["w1", "w3"],
    ],
  },
  { fused: /^(.*\.experts)\.down_proj$/, parts: [["down_proj"], ["w2"]] },
];

type Tensors = ReadonlyMap<string, SideTensor>;

export interface Split {
  readonly tensors: Tensors;
  /** Names of fused tensors that were split, and the number of parts. */
  readonly split: readonly (readonly [name: string, parts: number])[];
}

/** Splits the tensors that the other side has as parts, if the shapes of the parts fit. */
export function splitFused(tensors: Tensors, other: Tensors): Split {
  const all = new Map<string, SideTensor>();
  const split: [string, number][] = [];
  for (const tensor of tensors.values()) {
    const parts = other.has(tensor.name) ? null : partsOf(tensor, tensors, other);
    if (parts === null) all.set(tensor.name, tensor);
    else {
      split.push([tensor.name, parts.length]);
      for (const part of parts) all.set(part.name, part);
    }
  }
  return { tensors: all, split };
}

function partsOf(tensor: SideTensor, tensors: Tensors, other: Tensors): SideTensor[] | null {
  for (const { fused, parts } of fusions) {
    const match = fused.exec(tensor.name);
    if (match)
      return belowEachOther(
        tensor,
        parts.map((part) => `${match[1]}${part}.${match[2]}`),
        tensors,
        other,
      );
  }
  for (const { fused, parts } of expertFusions) {
    const match = fused.exec(tensor.name);
    if (!match || tensor.shape.length !== 3) continue;
    for (const names of parts) {
      const found = expertsOf(tensor, match[1], names, tensors, other);
      if (found) return found;
    }
  }
  return null;
}

/** Null unless the other side has all parts, with the width of the whole and together its height. */
function belowEachOther(
  tensor: SideTensor,
  names: readonly string[],
  tensors: Tensors,
  other: Tensors,
): SideTensor[] | null {
  const [height, ...rest] = tensor.shape;
  const width = rest.reduce((product, length) => product * length, 1);
  const parts: SideTensor[] = [];
  let row = 0;
  for (const name of names) {
    const twin = other.get(name);
    if (twin === undefined || tensors.has(name) || `${twin.shape.slice(1)}` !== `${rest}`) return null;
    parts.push(rowsOf(tensor, name, row, twin.shape, width));
    row += twin.shape[0];
  }
  return row === height ? parts : null;
}

function expertsOf(
  tensor: SideTensor,
  stem: string,
  names: readonly string[],
  tensors: Tensors,
  other: Tensors,
): SideTensor[] | null {
  const [experts, height, width] = tensor.shape;
  // A square matrix may be stored transposed, which its shape does not show.
  if (height === width) return null;
  const parts: SideTensor[] = [];
  for (let expert = 0; expert < experts; expert++) {
    let row = expert * height;
    for (const part of names) {
      const name = `${stem}.${expert}.${part}.weight`;
      const twin = other.get(name);
      if (twin === undefined || tensors.has(name) || twin.shape.length !== 2 || twin.shape[1] !== width)
        return null;
      parts.push(rowsOf(tensor, name, row, twin.shape, width));
      row += twin.shape[0];
    }
    if (row !== (expert + 1) * height) return null;
  }
  return parts;
}
