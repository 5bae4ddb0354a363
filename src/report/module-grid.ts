import { moduleOf } from "../lens/module.js";
import { type ModuleKind, moduleKinds } from "../lens/module-kind.js";
import { shareHalfWidth } from "../lens/study/sampling.js";
import { carriesPercents, share } from "./numbers.js";

/** The number of some of a tensor's weights, such as the unchanged ones, and of all. */
export interface TensorPart {
  readonly name: string;
  readonly part: number;
  readonly whole: number;
}

/** Shares by layer and module of one stack, weighted by the number of weights. */
export interface ModuleGrid {
  readonly stack: string;
  readonly layers: readonly number[];
  readonly kinds: readonly ModuleKind[];
  /** One row per kind, one column per layer; null if a layer has no such module, or if its sample is too small. */
  readonly shares: readonly (readonly (number | null)[])[];
  /** Half the widest interval of the shares shown; 0 if all weights were counted. */
  readonly halfWidth: number;
  /** The number of modules not shown because their sample is too small. */
  readonly suppressed: number;
  /** The number of weights in it. */
  readonly whole: number;
}

/**
 * A grid for each stack, the largest first, without tensors outside of stacks. For a sample, only shares whose
 * intervals are narrow enough for whole percents.
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
