import { ThreadEnded } from "../../lens/thread-ended.js";

/**
 * The platform features used by the engine, in Node or a browser. TypeScript declares WebAssembly and Worker only with
 * the DOM, which this project does not include.
 */

export interface WasmMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

/** A function of a module; takes addresses and words and returns nothing. */
export type Kernel = (...args: readonly number[]) => void;

interface WebAssemblyPlatform {
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(
    module: object,
    imports: object,
  ): Promise<{ readonly exports: Readonly<Record<string, Kernel>> }>;
  /** Compiles synchronously, for small modules. */
  readonly Module: new (
    bytes: Uint8Array,
  ) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, Kernel>> };
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => WasmMemory;
}

/** A thread that runs a script and answers messages. */
export interface WorkerThread {
  post(message: object): void;
  /**
   * Passes its answers to one listener, and keeps the process alive until {@link release}. After an error no answer
   * follows: the thread has ended.
   */
  listen(onMessage: (message: unknown) => void, onError: (error: Error) => void): void;
  release(): void;
  terminate(): void;
}

interface NodeWorker {
  postMessage(message: object): void;
  on(event: string, listener: (value: never) => void): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface BrowserWorker {
  postMessage(message: object): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message: string }) => void) | null;
  terminate(): void;
}

interface Platform {
  readonly WebAssembly?: WebAssemblyPlatform;
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly Worker?: new (url: string) => BrowserWorker;
  readonly Blob?: new (parts: readonly string[], type: { readonly type: string }) => object;
  readonly URL?: { createObjectURL(blob: object): string };
}

const platform = globalThis as unknown as Platform;

/** Undefined if the platform has none. */
export const webAssembly = platform.WebAssembly;

/** Loads a Node module without an import, which a bundler for browsers would have to resolve (Node 20.16). */
function nodeModule<T>(name: string): T | undefined {
  return platform.process?.getBuiltinModule?.(name) as T | undefined;
}

const nodeThreads = nodeModule<{ readonly Worker: new (script: string, options: object) => NodeWorker }>(
  "node:worker_threads",
);

/** Why there are no threads, in a few words, or null. */
export const whyNoThreads = (() => {
  if (typeof SharedArrayBuffer === "undefined") return "no shared memory here";
  if (nodeThreads) return null;
  return platform.Worker && platform.Blob && platform.URL ? null : "no worker threads here";
})();

/** Whether {@link startWorker} can read files. */
export const readsFiles = nodeThreads !== undefined;

export function cores(): number {
  const os = nodeModule<{ availableParallelism?(): number }>("node:os");
  return os?.availableParallelism?.() ?? platform.navigator?.hardwareConcurrency ?? 1;
}

/** Starts a thread. Valid if {@link whyNoThreads} is null. */
export function startWorker(script: string): WorkerThread {
  if (nodeThreads) {
    const worker = new nodeThreads.Worker(script, { eval: true });
    worker.unref();
    let listener: ((message: unknown) => void) | null = null;
    let fail: ((error: Error) => void) | null = null;
    let ended: Error | null = null;
    const end = (error: Error) => {
      ended ??= error;
      fail?.(ended);
    };
    worker.on("message", ((message: unknown) => listener?.(message)) as (value: never) => void);
    worker.on("error", ((error: Error) => end(new ThreadEnded(error.message))) as (value: never) => void);
    // The only event if a thread is ended from outside, or ends itself.
    worker.on("exit", () => end(new ThreadEnded()));
    return {
      post: (message) => worker.postMessage(message),
      listen(onMessage, onError) {
        [listener, fail] = [onMessage, onError];
        if (ended) onError(ended);
        else worker.ref();
      },
      release: () => worker.unref(),
      terminate: () => void worker.terminate(),
    };
  }
  const blob = new platform.Blob!([script], { type: "text/javascript" });
  const worker = new platform.Worker!(platform.URL!.createObjectURL(blob));
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onError) {
      worker.onmessage = ({ data }) => onMessage(data);
      worker.onerror = ({ message }) => onError(new Error(message));
    },
    release: () => {},
    terminate: () => worker.terminate(),
  };
}
