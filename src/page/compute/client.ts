import { inflate } from "./inflate.js";
import { connect, type Remote } from "./rpc.js";
import type { WorkerMethods } from "./worker.js";

/** The elements that the build embeds into the page besides its script. */
const workerId = "worker-script";
const gpuId = "gpu-js";
const baseId = "learn-base";
const teacherId = "learn-teacher";

let remote: Remote<WorkerMethods> | null = null;

/** The compute worker, started at the first call. */
export const compute: Remote<WorkerMethods> = (...call) => {
  if (!remote) {
    const script = new Blob([embedded(workerId)], { type: "text/javascript" });
    remote = connect<WorkerMethods>(new Worker(URL.createObjectURL(script)));
  }
  return remote(...call);
};

/** The base of the trained models, a safetensors file. */
export function learnBase(): Promise<Uint8Array> {
  return inflated(baseId);
}

/** The teacher of on-policy distillation, a safetensors file: the base after GRPO. */
export function learnTeacher(): Promise<Uint8Array> {
  return inflated(teacherId);
}

async function inflated(id: string): Promise<Uint8Array> {
  return new Uint8Array(await inflate(bytesIn(id)).arrayBuffer());
}

function bytesIn(id: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(embedded(id).trim()), (c) => c.charCodeAt(0));
}

let sent = false;

/** gpu.js for the first call that needs a GPU engine; null for all others. */
export function gpuJsFor(engine: string): ArrayBuffer | null {
  if (engine !== "gpu" || sent) return null;
  sent = true;
  return bytesIn(gpuId).buffer;
}

function embedded(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}
