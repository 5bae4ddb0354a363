/** A signal for concurrent parts of a job to stop because one of them has failed. */
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

  /** Calls the listener when asked to stop, at once if that has happened. */
  whenAsked(listener: () => void): void {
    if (this.#asked) listener();
    else this.#listeners.push(listener);
  }
}

/** Thrown by a part that stopped because another one failed. */
export class Stopped extends Error {}
