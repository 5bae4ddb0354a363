/** Unpacks raw deflate, in which the build embeds what is large. */
export function inflate(compressed: BlobPart): Response {
  return new Response(new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate-raw")));
}
