/** Asks parts of a job that run at the same time to stop, because one of them has failed. */
export class Stop {
  #asked = false;
  readonly #listeners: (() => void)[] = [];

  get asked(): boolean {
    return this.#asked;
  }

  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    for (const listener of this.#listeners) listener();
  }

  /** Calls it when asked; at once if that was before. */
  whenAsked(listener: () => void): void {
    if (this.#asked) listener();
    else this.#listeners.push(listener);
  }
}

/** What a part throws that stopped because another one failed. */
export class Stopped extends Error {}
