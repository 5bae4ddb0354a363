import { type ModuleKind, moduleKinds, moduleOf } from "../lens/module.js";
import { share } from "./numbers.js";

/** A part of a tensor's weights, such as the unchanged ones, and of how many it is one. */
export interface TensorPart {
  readonly name: string;
  readonly part: number;
  readonly whole: number;
}

/** Layer by module of one stack of layers, weighed by weights. */
export interface ModuleGrid {
  readonly stack: string;
  readonly layers: readonly number[];
  readonly kinds: readonly ModuleKind[];
  /** A row a kind, a column a layer; null where a layer has no such module. */
  readonly shares: readonly (readonly (number | null)[])[];
  /** Weights in it. */
  readonly whole: number;
}

/** A grid for each stack, the largest first. Tensors outside of any stack are in none. */
export function moduleGrids(tensors: readonly TensorPart[]): ModuleGrid[] {
  const stacks = new Map<string, Map<string, { part: number; whole: number }>>();
  for (const { name, part, whole } of tensors) {
    const { kind, stack, layer } = moduleOf(name);
    if (stack === null || layer === null) continue;
    const cells = stacks.get(stack) ?? new Map();
    stacks.set(stack, cells);
    const cell = cells.get(`${kind} ${layer}`) ?? { part: 0, whole: 0 };
    cells.set(`${kind} ${layer}`, { part: cell.part + part, whole: cell.whole + whole });
  }
  const grids = [...stacks].map(([stack, cells]) => {
    const places = [...cells.keys()].map((key) => key.split(" "));
    const layers = [...new Set(places.map(([, layer]) => Number(layer)))].sort((a, b) => a - b);
    const kinds = moduleKinds.filter((kind) => places.some(([of]) => of === kind));
    const shares = kinds.map((kind) =>
      layers.map((layer) => {
        const cell = cells.get(`${kind} ${layer}`);
        return cell ? share(cell.part, cell.whole) : null;
      }),
    );
    const whole = [...cells.values()].reduce((sum, of) => sum + of.whole, 0);
    return { stack, layers, kinds, shares, whole };
  });
  return grids.sort((a, b) => b.whole - a.whole);
}

/** The same by module alone, tensors outside of any stack among them. */
export function moduleShares(
  tensors: readonly TensorPart[],
): { kind: ModuleKind; part: number; whole: number }[] {
  const sums = new Map<ModuleKind, { part: number; whole: number }>();
  for (const { name, part, whole } of tensors) {
    const { kind } = moduleOf(name);
    const sum = sums.get(kind) ?? { part: 0, whole: 0 };
    sums.set(kind, { part: sum.part + part, whole: sum.whole + whole });
  }
  return moduleKinds.flatMap((kind) => {
    const sum = sums.get(kind);
    return sum ? [{ kind, ...sum }] : [];
  });
}
