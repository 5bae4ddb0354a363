/** A thread that ended before its work was done, for example out of memory. */
export class ThreadEnded extends Error {
  /** @param why its message, if any. */
  constructor(why?: string) {
    super(`a thread ended before its work was done${why === undefined ? "" : `: ${why}`}`);
    this.name = "ThreadEnded";
  }
}
