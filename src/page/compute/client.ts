import { connect, type Remote } from "./rpc.js";
import type { WorkerMethods } from "./worker.js";

/** The texts that the build puts into the page beside its own script. */
const workerId = "worker-script";
const gpuId = "gpu-js";
const baseId = "learn-base";
const teacherId = "learn-teacher";

let remote: Remote<WorkerMethods> | null = null;

/** The worker that computes; started at the first call. */
export const compute: Remote<WorkerMethods> = (...call) => {
  if (!remote) {
    const script = new Blob([embedded(workerId)], { type: "text/javascript" });
    remote = connect<WorkerMethods>(new Worker(URL.createObjectURL(script)));
  }
  return remote(...call);
};

/** The base of the models that learn, a safetensors file. */
export function learnBase(): Uint8Array {
  return bytesIn(baseId);
}

/** The model that teaches in on-policy distillation, a safetensors file: what GRPO made of the base. */
export function learnTeacher(): Uint8Array {
  return bytesIn(teacherId);
}

function bytesIn(id: string): Uint8Array {
  return Uint8Array.from(atob(embedded(id).trim()), (c) => c.charCodeAt(0));
}

let sent = false;

/** What to send along with a call that asks for an engine: gpu.js with the first that asks for a GPU. */
export function gpuJsFor(engine: string): ArrayBuffer | null {
  if (engine !== "gpu" || sent) return null;
  sent = true;
  return Uint8Array.from(atob(embedded(gpuId).trim()), (c) => c.charCodeAt(0)).buffer;
}

function embedded(id: string): string {
  return document.getElementById(id)?.textContent ?? "";
}
