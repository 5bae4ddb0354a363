import { swiftShader } from "./requirements.js";

/**
 * Lets Dawn compute on SwiftShader in this process, on a machine without a GPU. While busy, Dawn polls by setImmediate,
 * which uses a whole core that SwiftShader and other tests need. Polling every millisecond is enough.
 */
export function prepareDawn(): void {
  process.env.VK_ICD_FILENAMES ??= swiftShader;
  Object.assign(globalThis, {
    setImmediate: (work: (...args: unknown[]) => void, ...args: unknown[]) => setTimeout(work, 1, ...args),
  });
}
