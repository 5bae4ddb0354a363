import type { SkippedTensor } from "../lens/input.js";
import { InputError, quote } from "./input-error.js";

/** Excluded tensors, each once, with the first reason found. */
export class SkipList {
  readonly #byName = new Map<string, SkippedTensor>();

  /** @param strict whether an exclusion is an error. */
  constructor(readonly strict: boolean) {}

  /**
   * @param file the file that holds it.
   * @throws InputError if strict.
   */
  add(file: string, name: string, reason: string, elements?: number): void {
    if (this.strict)
      throw new InputError(file, "nothing to skip (strict)", `tensor ${quote(name)}: ${reason}`);
    if (this.#byName.has(name)) return;
    this.#byName.set(name, { name, reason, ...(elements !== undefined && { elements }) });
  }

  /**
   * Adds the tensors that a checkpoint excludes.
   *
   * @param copies whether to add stale copies of present tensors, which are not weights, or the others.
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

/** The first excluded tensor, for the message that no other is left. */
export function firstSkipped([first]: readonly SkippedTensor[]): string {
  return first ? `; the first left out is ${quote(first.name)}: ${first.reason}` : "";
}
