import { geometryEngines, provenGeometry } from "../engine/wasm/geometry-engines.js";
import { parameters } from "../learn/decoder/shape.js";
import type { LearnOptions } from "../learn/learn.js";
import { geometryOf } from "../source/pair/geometry-of.js";
import { memoryPair } from "../source/pair/memory-pair.js";

/** The defaults of `diff --geometry`, so that a recorded run gives the same result. */
const usual = { rank: 64, layers: 5, seed: 0, pool: null } as const;

/** A function that measures the change of a model after `steps` steps. */
export async function modelGeometry(steps: number): Promise<NonNullable<LearnOptions["geometry"]>> {
  const engines = geometryEngines(await provenGeometry());
  return (start, end, { lr, storage }) => {
    const tensors = parameters.map(({ name, shape, at, length }) => ({
      name,
      shape,
      before: start.subarray(at, at + length),
      after: end.subarray(at, at + length),
    }));
    return geometryOf([memoryPair(tensors, storage.format)], { ...usual, engines, walk: { lr, steps } });
  };
}
