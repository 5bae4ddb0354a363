import type { SkippedTensor } from "../lens/input.js";
import { InputError, quote } from "./input-error.js";

/** Excluded tensors, each once, with the first reason found. */
export class SkipList {
  readonly #byName = new Map<string, SkippedTensor>();

  /** @param strict whether an exclusion is an error. */
  constructor(readonly strict: boolean) {}

  /**
   * @param file where it lies.
   * @throws InputError if strict.
   */
  add(file: string, name: string, reason: string, elements?: number): void {
    if (this.strict)
      throw new InputError(file, "nothing to skip (strict)", `tensor ${quote(name)}: ${reason}`);
    if (this.#byName.has(name)) return;
    this.#byName.set(name, { name, reason, ...(elements !== undefined && { elements }) });
  }

  /**
   * Adds what a checkpoint leaves out by itself.
   *
   * @param copies stale copies of tensors that are there, which are no weights by themselves; or the others.
   */
  addUnnamed(
    { path, skipped }: { readonly path: string; readonly skipped: readonly SkippedTensor[] },
    copies: boolean,
  ): void {
    for (const { name, reason, elements } of skipped) {
      if ((elements === undefined) === copies) this.add(path, name, reason, elements);
    }
  }

  get tensors(): SkippedTensor[] {
    return [...this.#byName.values()];
  }
}

/** The first that was left out, for a message that nothing else is there. */
export function firstSkipped([first]: readonly SkippedTensor[]): string {
  return first ? `; the first left out is ${quote(first.name)}: ${first.reason}` : "";
}
