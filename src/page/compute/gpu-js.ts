/** What `import("gpu.js")` of engine/gpu/library.ts finds in the page's bundle, after {@link loadGpu}. */
export const GPU = (globalThis as { GPU?: unknown }).GPU;
