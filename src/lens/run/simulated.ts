import {
  gradientOf,
  noiseKey,
  SimulatedChunk,
  type SimulatedTensor,
  signalKey,
  signalOf,
} from "../../update/simulated-adamw.js";
import { drawnWeight, type WeightDraws } from "../../update/weight-draws.js";
import { originOf, type Values } from "../input.js";

/** Weights that are drawn. */
export function drawnWeights(length: number, weights: WeightDraws): Values {
  return {
    length,
    origin: { kind: "weights", of: weights },
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = drawnWeight(weights, start + i);
    },
  };
}

/**
 * The updates of a simulated tensor, step by step. Read in the order of the steps, the same elements each time, a
 * step costs a step; in any other order the run is taken through from its start.
 */
export function simulatedUpdates(tensor: SimulatedTensor, weights: Values): Values[] {
  const walk = new Walk(tensor, weights);
  return Array.from({ length: tensor.run.steps }, (_, i) => ({
    length: weights.length,
    origin: { kind: "simulated", of: { of: tensor, t: i + 1, weights } },
    read: (start, into) => walk.read(i + 1, start, into),
  }));
}

/** The tensor whose simulation these are, if they are its first steps, in their order and over these weights. */
export function simulatedIn(updates: readonly Values[], weights: Values): SimulatedTensor | undefined {
  const steps = updates.map((values) => originOf(values, "simulated"));
  const tensor = steps[0]?.of;
  const follows = steps.every(
    (step, i) => step?.of === tensor && step?.t === i + 1 && step.weights === weights,
  );
  return follows ? tensor : undefined;
}

/** Remembers one run of elements. */
class Walk {
  readonly #of: SimulatedTensor;
  readonly #weights: Values;
  #start = 0;
  #length = 0;
  #chunk: SimulatedChunk | null = null;
  /** Readers take turns. */
  #turn: Promise<void> = Promise.resolve();

  constructor(tensor: SimulatedTensor, weights: Values) {
    this.#of = tensor;
    this.#weights = weights;
  }

  read(t: number, start: number, into: Float32Array | Float64Array): Promise<void> {
    const read = this.#turn.then(() => this.#read(t, start, into));
    this.#turn = read.catch(() => {});
    return read;
  }

  async #read(t: number, start: number, into: Float32Array | Float64Array): Promise<void> {
    let chunk = this.#chunk;
    if (chunk === null || this.#start !== start || this.#length !== into.length || chunk.t >= t) {
      const weights = new Float32Array(into.length);
      await this.#weights.read(start, weights);
      chunk = new SimulatedChunk(this.#of, start, weights);
      [this.#start, this.#length, this.#chunk] = [start, into.length, chunk];
    }
    while (chunk.t < t) chunk.step(into);
    // Frees what will not be read again.
    if (t === this.#of.run.steps) this.#chunk = null;
  }
}

/** The gradients of a simulated tensor, step by step, for optimizers by a recipe. */
export function simulatedGradients(tensor: SimulatedTensor, length: number): Values[] {
  const signal = signalKey(tensor);
  return Array.from({ length: tensor.run.steps }, (_, i) => {
    const key = noiseKey(tensor, i + 1);
    return {
      length,
      read: async (start: number, into: Float32Array | Float64Array) => {
        for (let j = 0; j < into.length; j++) {
          const element = start + j;
          const own = tensor.run.snr === 0 ? 0 : signalOf(tensor, signal, element);
          into[j] = gradientOf(tensor, key, element, own);
        }
      },
    };
  });
}
