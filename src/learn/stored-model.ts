import type { ChunkLens } from "../engine/chunk-lens.js";
import { openLens } from "../engine/select.js";
import type { Case } from "../lens/run/case.js";
import { summarizeCase } from "../lens/run/summarize.js";
import { Tally, UpdateTally } from "../lens/tally.js";
import type { UpdateSettings } from "../update/settings.js";
import { parameterCount, parameters } from "./decoder/shape.js";

const longest = Math.max(...parameters.map(({ length }) => length));

/**
 * All stored parameters of a model, tensor by tensor in an engine, which applies and counts the updates
 * against the fp32 counterfactual. So a recording of the updates gives the same counts.
 */
export class StoredModel {
  /** As the forward pass reads them, in the order of `parameters`. */
  readonly weights = new Float32Array(parameterCount);
  readonly #settings: UpdateSettings;
  readonly #lenses: readonly ChunkLens[];
  readonly #tallies = parameters.map(() => new Tally());
  readonly #steps: { readonly step: number; readonly tally: UpdateTally }[] = [];

  private constructor(settings: UpdateSettings, lenses: readonly ChunkLens[]) {
    this.#settings = settings;
    this.#lenses = lenses;
  }

  static async open(settings: UpdateSettings, given: ArrayLike<number>): Promise<StoredModel> {
    const cases = [settings];
    const lenses: ChunkLens[] = [];
    for (const { name, at, length } of parameters) {
      const { lens } = await openLens(cases, longest);
      const weights = Float64Array.from({ length }, (_, i) => given[at + i]);
      await lens.begin({ tensor: name, start: 0, weights });
      lenses.push(lens);
    }
    const model = new StoredModel(settings, lenses);
    await model.#read();
    return model;
  }

  /** Adds the updates of a step; gives what became of them. */
  async add(updates: Float32Array, step: number): Promise<UpdateTally> {
    const all = new UpdateTally();
    for (const [i, { at, length }] of parameters.entries()) {
      const tally = new UpdateTally();
      await this.#lenses[i].step(updates.subarray(at, at + length), step, [tally]);
      this.#tallies[i].updates.merge(tally);
      all.merge(tally);
    }
    this.#steps.push({ step, tally: all });
    await this.#read();
    return all;
  }

  /** The run so far, against its start. */
  async count(): Promise<Case> {
    const tensors = [];
    for (const [i, { name, shape }] of parameters.entries()) {
      const mine = this.#tallies[i];
      await this.#lenses[i].take([mine]);
      const now = new Tally();
      now.merge(mine);
      await this.#lenses[i].compare([now]);
      tensors.push({ name, shape, tally: now });
    }
    return summarizeCase({ settings: this.#settings, tensors, steps: this.#steps, curve: [] });
  }

  async #read(): Promise<void> {
    for (const [i, { at }] of parameters.entries()) {
      this.weights.set(await this.#lenses[i].weights(0), at);
    }
  }
}
