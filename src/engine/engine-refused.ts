/** Why an engine is not available, in one sentence. */
export class EngineRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EngineRefused";
  }
}
