import { EngineRefused } from "../../engine/engine-refused.js";
import { engines } from "../../engine/registry.js";
import { selectEngine } from "../../engine/select.js";
import { summarizeCase } from "../../lens/run/summarize.js";
import { InputError } from "../../source/input-error.js";
import { checkAlone, type DroppedFiles, lookAt } from "../data/look-at.js";
import { Duel, type DuelFiles, type DuelSettings } from "../learn/duel.js";
import { type Frame, type FrameRequest, Painter } from "../tensor/frame.js";
import { NoGpu } from "../tensor/gpu-run.js";
import { jobOf, type RunSettings } from "../tensor/run.js";
import { loadGpu } from "./load-gpu.js";
import { type ErrorKind, type Port, serve } from "./rpc.js";

/** The methods of the compute worker. There is one run at a time: a new one replaces the old. */

let painter: Painter | null = null;
let duel: Duel | null = null;

const methods = {
  /** Begins a run; returns the engine in use. */
  async open(settings: RunSettings) {
    painter?.run.close();
    painter = null;
    painter = await Painter.open(settings);
    return painter.run.engine;
  },

  frame: (request: FrameRequest): Promise<Frame> => opened().frame(request),

  /** Counts the run again from its start on another engine. */
  async recount({ engine: name, gpuJs }: { engine: string; gpuJs: ArrayBuffer | null }) {
    if (gpuJs) await loadGpu(gpuJs);
    const { settings, run } = opened();
    const job = jobOf(settings, run.step);
    const began = performance.now();
    const { engine, selfCheck } = await selectEngine(name, job, engines);
    const tallies = await engine.run(job);
    return {
      engine: { name: engine.name, device: engine.device, selfCheck },
      cases: tallies.map(summarizeCase),
      seconds: (performance.now() - began) / 1000,
    };
  },

  /** Starts training two models; see Duel. */
  async learnOpen({ settings, ...files }: { settings: DuelSettings } & DuelFiles) {
    duel = await Duel.open(settings, files);
  },

  learnAdvance: (steps: number) => learning().advance(steps),

  learnOutcome: (_: null) => learning().outcome(),

  async look({ gpuJs, ...files }: DroppedFiles & { gpuJs: ArrayBuffer | null }) {
    if (gpuJs) await loadGpu(gpuJs);
    return lookAt(files);
  },

  /** Refuses a file that cannot be one of two. */
  check: (file: File) => checkAlone(file),
};

export type WorkerMethods = typeof methods;

function opened(): Painter {
  if (!painter) throw new Error("no run was begun");
  return painter;
}

function learning(): Duel {
  if (!duel) throw new Error("no models were begun");
  return duel;
}

function buffersOf(result: unknown): ArrayBuffer[] {
  const { cases } = (result ?? {}) as Partial<Frame>;
  return cases?.flatMap(({ pixels }) => pixels ?? []) ?? [];
}

function kindOf(error: unknown): ErrorKind {
  if (error instanceof NoGpu) return "no-gpu";
  return error instanceof InputError || error instanceof EngineRefused ? "refusal" : "fault";
}

serve(globalThis as unknown as Port, methods, buffersOf, kindOf);
