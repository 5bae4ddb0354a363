import { moduleOf } from "../lens/module.js";
import { type ModuleKind, moduleKinds } from "../lens/module-kind.js";
import { shareHalfWidth } from "../lens/study/sampling.js";
import { carriesPercents, share } from "./numbers.js";

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
  /** A row a kind, a column a layer; null where a layer has no such module, or too few of its weights were drawn. */
  readonly shares: readonly (readonly (number | null)[])[];
  /** Half of the widest interval of a share that is shown; 0 where all weights were counted. */
  readonly halfWidth: number;
  /** Modules of a layer that are not shown because too few of their weights were drawn. */
  readonly suppressed: number;
  /** Weights in it. */
  readonly whole: number;
}

/**
 * A grid for each stack, the largest first. Tensors outside of any stack are in none. Of a sample, only shares whose
 * intervals carry whole percents.
 */
export function moduleGrids(tensors: readonly TensorPart[], sampled = false): ModuleGrid[] {
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
    const kinds = moduleKinds.filter((kind) => places.some(([cellKind]) => cellKind === kind));
    let [halfWidth, suppressed] = [0, 0];
    const shares = kinds.map((kind) =>
      layers.map((layer) => {
        const cell = cells.get(`${kind} ${layer}`);
        const known = cell ? share(cell.part, cell.whole) : null;
        if (!sampled || !cell || known === null) return known;
        const half = shareHalfWidth(known, cell.whole);
        if (!carriesPercents(half)) {
          suppressed += 1;
          return null;
        }
        halfWidth = Math.max(halfWidth, half);
        return known;
      }),
    );
    const whole = [...cells.values()].reduce((sum, cell) => sum + cell.whole, 0);
    return { stack, layers, kinds, shares, halfWidth, suppressed, whole };
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
