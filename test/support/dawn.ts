import { swiftShader } from "./requirements.js";

/**
 * Lets Dawn compute on SwiftShader in this process, on a machine without a GPU. While it has work it asks for news
 * by setImmediate, again and again: a core's time, which here is SwiftShader's and the other tests'. Asked each
 * millisecond it has as much to tell.
 */
export function prepareDawn(): void {
  process.env.VK_ICD_FILENAMES ??= swiftShader;
  Object.assign(globalThis, {
    setImmediate: (work: (...args: unknown[]) => void, ...args: unknown[]) => setTimeout(work, 1, ...args),
  });
}
