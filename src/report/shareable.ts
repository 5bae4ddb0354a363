/** Fields of results that name files or folders. */
const paths = new Set(["weights", "updates", "gradients", "moments", "adapter", "merged", "path"]);

/**
 * A result for a report to share: absolute paths are reduced to their last two names. The JSON of a result keeps paths
 * as given.
 */
export function shareable<Of extends { readonly input: object }>(result: Of): Of {
  return { ...result, input: shortened(result.input) };
}

function shortened(input: object): object {
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => {
      if (typeof value === "string" && paths.has(name)) return [name, shortPaths(value)];
      if (name === "checkpoints") return [name, (value as object[]).map(shortened)];
      const isSide = (name === "before" || name === "after") && typeof value === "object" && value !== null;
      return [name, isSide ? shortened(value) : value];
    }),
  );
}

/** Paths of merged results are separated by commas. */
function shortPaths(text: string): string {
  return text.split(", ").map(shortPath).join(", ");
}

function shortPath(path: string): string {
  const isAbsolute = /^([\\/]|[A-Za-z]:[\\/])/.test(path);
  return isAbsolute ? endOf(path) : path;
}

/** The last two names of a path. */
export function endOf(path: string): string {
  return path
    .split(/[\\/]+/)
    .filter((name) => name !== "")
    .slice(-2)
    .join("/");
}
