import type { Gelu } from "./elementary.js";
import type { Numbers } from "./numbers.js";

/** A decoder's memory and matrix multiplication. */
export interface Arithmetic {
  /** Its name in results. */
  readonly name: string;
  readonly gelu: Gelu;
  allocate(length: number): Numbers;
  /**
   * c(i, k) = sum over j of a(i, j) b(j, k), added to what c holds if `adds`. Every element is one sum in the
   * order of j, from c or from zero, each product and each addition rounded: so the bits do not depend on the
   * division of work. Columns of b and c are contiguous and a multiple of eight.
   */
  product(
    c: Numbers,
    cAt: number,
    cRow: number,
    a: Numbers,
    aAt: number,
    aRow: number,
    aColumn: number,
    b: Numbers,
    bAt: number,
    bRow: number,
    rows: number,
    sums: number,
    columns: number,
    adds: boolean,
  ): void;
}
