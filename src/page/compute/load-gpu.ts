/**
 * gpu.js travels with the page as compressed text, because few visitors need it: unpacked (raw deflate) and evaluated
 * when a GPU is asked for, once.
 */
export async function loadGpu(compressed: ArrayBuffer): Promise<void> {
  if ("GPU" in globalThis) return;
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const text = await new Response(stream).text();
  // A function of no scope but the global one, which the library finds as its `this`.
  new Function(text).call(globalThis);
}
