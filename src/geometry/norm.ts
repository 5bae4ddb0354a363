import type { Words } from "../update/threefry.js";
import { BlockLanczos } from "./block-lanczos.js";
import { symmetricEigen } from "./dense/eigen.js";
import type { MatrixPair, Operand } from "./matrix.js";
import type { ProductsOf } from "./products.js";

const mostSteps = 40;

/** Looked at every few steps; ends when the relative growth per step is smaller. */
const settled = 1e-3;

/**
 * The largest singular value, by block Lanczos. An isolated value converges in a few steps, the edge of noise in a dozen.
 */
export async function largestValue(
  matrix: MatrixPair,
  operand: Operand,
  key: Words,
  productsOf: ProductsOf,
): Promise<number> {
  const lanczos = new BlockLanczos(matrix, operand, key, productsOf);
  const most = Math.min(mostSteps, Math.floor(matrix.columns / lanczos.block));
  let [value, looked] = [0, -1];
  for (let step = 0; step < most; step++) {
    await lanczos.step();
    const isLooked = step < 4 || step % 4 === 3 || step === most - 1;
    if (!isLooked) continue;
    const [largest] = symmetricEigen(lanczos.projected(), lanczos.length, 0).values;
    const found = Math.sqrt(Math.max(0, largest));
    if (found - value <= settled * (step - looked) * found) return found;
    [value, looked] = [found, step];
  }
  return value;
}
