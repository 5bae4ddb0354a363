import type { Engine } from "../../engine/engine.js";
import { selectEngine } from "../../engine/select.js";
import type { GpuBuffer } from "../../engine/webgpu/dawn.js";
import { type Device, openDevice } from "../../engine/webgpu/device.js";
import { elementsOfGroup, planeWords } from "../../engine/webgpu/layout.js";
import { ResidentTensorRun } from "../../engine/webgpu/resident.js";
import { webGpuEngine } from "../../engine/webgpu/webgpu.js";
import { Tally, UpdateTally } from "../../lens/tally.js";
import type { UpdateSettings } from "../../update/settings.js";
import type { PictureInks, Span } from "./paint.js";
import {
  paintConstants,
  paintGroups,
  paintKernel,
  paintParameters,
  storedAt,
  storedWords,
} from "./paint-kernel.js";
import {
  casesOf,
  countsOf,
  type EngineInUse,
  type MatrixRun,
  type RunCounts,
  type RunSettings,
} from "./run.js";
import { pictureSide } from "./sizes.js";
import { startDraws, tensorName } from "./training.js";
import { trainingConstants, trainingGroups, trainingKernel, trainingParameters } from "./training-kernel.js";

/** The engine, which stays open over all runs with its self-checks, and its device once open. */
interface Gpu {
  readonly engine: Engine;
  device: Device | null;
}

let gpu: Gpu | null = null;

/** No GPU opens here: only a run on the CPU is possible. */
export class NoGpu extends Error {}

function gpuOf(open: () => Promise<Device>): Gpu {
  const made: Gpu = {
    engine: webGpuEngine(async () => {
      made.device = await open();
      return made.device;
    }),
    device: null,
  };
  return made;
}

/** A matrix on a GPU. Training, weights of all cases and pictures stay there; only counts and pixels are read. */
export class GpuRun implements MatrixRun {
  readonly engine: EngineInUse;
  readonly cases: readonly UpdateSettings[];
  readonly #settings: RunSettings;
  readonly #device: Device;
  readonly #run: ResidentTensorRun;
  readonly #buffers: Readonly<
    Record<"constants" | "moments" | "parameters" | "inks" | "pixels" | "paint", GpuBuffer>
  >;
  readonly #training: object;
  /** Stored weights before the last step. */
  readonly #before: readonly GpuBuffer[];
  readonly #painting: readonly object[];
  readonly #tallies: Tally[];
  #lastStep: readonly UpdateTally[];
  #step = 0;

  private constructor(settings: RunSettings, engine: EngineInUse, device: Device, run: ResidentTensorRun) {
    this.#settings = settings;
    this.engine = engine;
    this.cases = casesOf(settings);
    this.#device = device;
    this.#run = run;
    const words = trainingConstants(settings);
    this.#buffers = {
      constants: device.buffer(words.length),
      moments: device.buffer(2 * run.length),
      parameters: device.parameters([trainingParameters(settings, 1)]),
      inks: device.buffer(256),
      pixels: device.buffer(pictureSide(settings.side) ** 2),
      paint: device.parameters([paintParameters(1, 1, 1, 1)]),
    };
    device.write(this.#buffers.constants, words);
    const { constants, moments, parameters, inks, pixels, paint } = this.#buffers;
    const { updates, fp32, counts, states } = run;
    this.#training = device.bind({ parameters, constants, updates, fp32, state: moments, counts });
    this.#before = run.cases.map((each) => device.buffer(storedWords(each, this.#plane)));
    this.#painting = states.map((state, c) =>
      device.bind({
        parameters: paint,
        constants: inks,
        updates: pixels,
        fp32: this.#before[c],
        state,
        counts,
      }),
    );
    this.#tallies = this.cases.map(() => new Tally());
    this.#lastStep = this.cases.map(() => new UpdateTally());
  }

  /** @throws NoGpu if none opens; EngineRefused or Error if it fails the self-check, or has not enough memory. */
  static async open(settings: RunSettings, open: () => Promise<Device> = openDevice): Promise<GpuRun> {
    const cases = casesOf(settings);
    try {
      gpu ??= gpuOf(open);
      const missing = await gpu.engine.unavailable!();
      if (missing !== null) throw new NoGpu(missing);
      const job = { tensors: [], stepNumbers: [], cases };
      const { engine, selfCheck } = await selectEngine("webgpu", job, new Map([["webgpu", gpu.engine]]));
      // It was opened to see whether there is one.
      const device = gpu.device!;
      const tensor = { name: tensorName, length: settings.side ** 2, draws: startDraws(settings) };
      const resident = await ResidentTensorRun.open(device, tensor, cases);
      const spans = (["start", "step"] as const).flatMap((span) =>
        resident.cases.map((each) => paintKernel(each, span)),
      );
      await device.compile([trainingKernel, ...spans]);
      const inUse = { name: engine.name, device: engine.device, selfCheck };
      return await device.guard(async () => {
        const run = new GpuRun(settings, inUse, device, resident);
        run.#keepWeights();
        return run;
      });
    } catch (error) {
      // The device may be lost; the next run reopens it.
      gpu = null;
      throw error;
    }
  }

  get step(): number {
    return this.#step;
  }

  async advance(steps: number): Promise<void> {
    await this.#guarded(async () => {
      for (let i = 0; i < steps; i++) {
        if (i === steps - 1) this.#keepWeights();
        this.#step += 1;
        const { parameters } = this.#buffers;
        this.#device.write(parameters, trainingParameters(this.#settings, this.#step));
        const groups = trainingGroups(this.#settings);
        this.#device.launch([{ kernel: trainingKernel, bound: this.#training, slot: 0, groups }]);
        this.#run.step(this.#step);
      }
    });
  }

  async counts(): Promise<RunCounts> {
    const taken = await this.#guarded(() => this.#run.take());
    this.#lastStep = taken.map(({ steps }, c) => steps.at(-1) ?? this.#lastStep[c]);
    const run = taken.map(({ steps, since, end }, c) => {
      this.#tallies[c].merge(since);
      for (const tally of steps) this.#tallies[c].updates.merge(tally);
      const whole = new Tally();
      whole.merge(this.#tallies[c]);
      whole.merge(end);
      return whole;
    });
    return countsOf(this.#settings, this.#lastStep, run);
  }

  async paint(ofCase: number, span: Span, full: number, inks: PictureInks, into: Uint32Array): Promise<void> {
    const { side } = this.#settings;
    const picture = Math.sqrt(into.length);
    const { inks: inksBuffer, paint, pixels } = this.#buffers;
    await this.#guarded(async () => {
      this.#device.write(inksBuffer, paintConstants(inks));
      this.#device.write(paint, paintParameters(side, picture, this.#plane, full));
      this.#device.launch([
        {
          kernel: paintKernel(this.#run.cases[ofCase], span),
          bound: this.#painting[ofCase],
          slot: 0,
          groups: paintGroups(picture),
        },
      ]);
      into.set(await this.#device.read(pixels, into.length));
    });
  }

  close(): void {
    this.#run.destroy();
    for (const buffer of [...Object.values(this.#buffers), ...this.#before]) buffer.destroy();
  }

  /** Words of a plane of the state. */
  get #plane(): number {
    return Math.ceil(this.#run.length / elementsOfGroup) * planeWords;
  }

  #keepWeights(): void {
    for (const [c, settings] of this.#run.cases.entries()) {
      const words = storedWords(settings, this.#plane);
      this.#device.copy(this.#run.states[c], storedAt(settings, this.#plane), this.#before[c], words);
    }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#device.guard(work);
    } catch (error) {
      gpu = null;
      throw error;
    }
  }
}
