import { vulkanDriver } from "./requirements.js";

/**
 * Lets Dawn compute on the suites' Vulkan driver in this process. While busy, Dawn polls by setImmediate,
 * which uses a whole core that a driver on the CPU and other tests need. Polling every millisecond is enough.
 */
export function prepareDawn(): void {
  process.env.VK_ICD_FILENAMES ??= vulkanDriver;
  Object.assign(globalThis, {
    setImmediate: (work: (...args: unknown[]) => void, ...args: unknown[]) => setTimeout(work, 1, ...args),
  });
}
