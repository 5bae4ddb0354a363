import type { Chunk } from "../walk.js";

/** What an fp32 run would have made of the same updates: the weights as given, and every update added in fp32. */
export class Counterfactual {
  start = new Float32Array(0);
  now = new Float32Array(0);
  /** 1 where an update was not zero. */
  updated = new Uint8Array(0);

  begin({ weights }: Chunk): void {
    this.start = Float32Array.from(weights);
    this.now = this.start.slice();
    this.updated = new Uint8Array(weights.length);
  }

  step(updates: Float32Array): void {
    for (let i = 0; i < updates.length; i++) {
      this.now[i] += updates[i];
      if (updates[i] !== 0) this.updated[i] = 1;
    }
  }
}
