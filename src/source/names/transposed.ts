import type { SideTensor } from "../pair/side-tensor.js";
import { stridedValues } from "../torch/strided.js";

type Tensors = ReadonlyMap<string, SideTensor>;

export interface Turned {
  readonly before: Tensors;
  readonly after: Tensors;
  /** Names of tensors whose matrices were transposed. */
  readonly names: readonly string[];
}

/**
 * Transposes experts that one side stores as codes with scales and the other transposed, as transformers does when it
 * dequantizes gpt-oss. Those without scales are transposed. Square matrices follow the others, because their shape does
 * not show it.
 */
export function turnExperts(before: Tensors, after: Tensors): Turned {
  const pairs = [...before.values()].flatMap((a) => {
    const b = after.get(a.name);
    const isPair = b !== undefined && a.shape.length === 3 && b.shape.length === 3;
    return isPair && (a.scaled === undefined) !== (b.scaled === undefined) ? [{ a, b }] : [];
  });
  const isTurned = ({ a, b }: (typeof pairs)[number]) =>
    a.shape[0] === b.shape[0] && a.shape[1] === b.shape[2] && a.shape[2] === b.shape[1];
  const isSquare = ({ a }: (typeof pairs)[number]) => a.shape[1] === a.shape[2];
  if (!pairs.some((pair) => isTurned(pair) && !isSquare(pair))) return { before, after, names: [] };
  const [from, to] = [new Map(before), new Map(after)];
  const names: string[] = [];
  for (const { a, b } of pairs.filter(isTurned)) {
    names.push(a.name);
    if (a.scaled === undefined) from.set(a.name, turned(a));
    else to.set(b.name, turned(b));
  }
  return { before: from, after: to, names };
}

/** A tensor with transposed matrices; its numbers are gathered. */
function turned(tensor: SideTensor): SideTensor {
  const [matrices, rows, columns] = tensor.shape;
  const whole = {
    length: tensor.elements,
    read: async (start: number, into: Float32Array | Float64Array) => {
      const numbers = into instanceof Float64Array ? into : new Float64Array(into.length);
      await tensor.read(start, numbers, null);
      if (numbers !== into) into.set(numbers);
    },
  };
  const shape = [matrices, columns, rows];
  const values = stridedValues(whole, 0, shape, [rows * columns, 1, columns]);
  const { stored: _, ...rest } = tensor;
  return { ...rest, shape, stored: null, read: (start, into) => values.read(start, into) };
}
