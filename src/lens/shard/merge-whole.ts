import { addedCasts, type CastWithoutScale } from "../cast.js";
import type { Result, ResultEngine } from "../run/result.js";
import { EngineSet } from "./merge-parts.js";
import { indicesOf, type Part, placesOf } from "./part.js";

/** Of parts, the one with the smallest index: whatever the order, the whole takes from it what all have alike. */
export class LeastPart<Of> {
  #least = Infinity;
  #of: Of | null = null;

  add(part: Part, result: Of): void {
    const [index] = indicesOf(part);
    if (index >= this.#least) return;
    this.#least = index;
    this.#of = result;
  }

  get of(): Of {
    return this.#of!;
  }
}

/** Casts of parts by their format, in the order of the first part. */
export class CastSet {
  readonly #casts = new Map<string, CastWithoutScale>();

  add(casts: readonly CastWithoutScale[] = []): void {
    for (const cast of casts) {
      const known = this.#casts.get(cast.format);
      this.#casts.set(cast.format, known ? addedCasts([known, cast]) : cast);
    }
  }

  end(): { readonly casts?: readonly CastWithoutScale[] } {
    return this.#casts.size > 0 ? { casts: [...this.#casts.values()] } : {};
  }
}

interface Size {
  readonly tensors: number;
  readonly elements: number;
}

/** What runs and sweeps have of their parts beside their counts: how much they counted, on which engines. */
export class WholeOf<Of extends Pick<Result, "engine" | "casts"> & { readonly input: Size }> {
  readonly #engines = new EngineSet();
  readonly #casts = new CastSet();
  readonly #least = new LeastPart<Of>();
  readonly #places = new Set<number>();
  #elements = 0;

  add(part: Part, result: Of): void {
    for (const place of placesOf(part)) this.#places.add(place);
    this.#elements += result.input.elements;
    this.#engines.add(result.engine);
    this.#casts.add(result.casts);
    this.#least.add(part, result);
  }

  /** What all parts have alike is taken from it. */
  get least(): Of {
    return this.#least.of;
  }

  input(): Of["input"] {
    return { ...this.least.input, tensors: this.#places.size, elements: this.#elements };
  }

  engine(): ResultEngine {
    return this.#engines.end();
  }

  casts(): Pick<Result, "casts"> {
    return this.#casts.end();
  }
}
