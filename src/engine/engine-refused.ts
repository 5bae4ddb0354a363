/** Why an engine cannot be had, in one sentence. */
export class EngineRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EngineRefused";
  }
}
