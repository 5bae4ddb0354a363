/** A thread that ended before its work was done, as one does that has no memory left. */
export class ThreadEnded extends Error {
  /** @param why what it said, if it said anything. */
  constructor(why?: string) {
    super(`a thread ended before its work was done${why === undefined ? "" : `: ${why}`}`);
    this.name = "ThreadEnded";
  }
}
