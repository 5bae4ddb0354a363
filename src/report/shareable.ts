/** Fields of results that name files or folders. */
const paths = new Set(["weights", "updates", "gradients", "moments", "adapter", "merged", "path"]);

/** Stands for the beginning of a path that was shortened. */
export const elided = "…/";

/**
 * A result for a report to share: absolute paths are reduced to their last two names, after {@link elided}. The JSON of a
 * result keeps paths as given.
 */
export function shareable<Of extends { readonly input: object }>(result: Of): Of {
  const { runs } = result as { readonly runs?: readonly { readonly path?: string }[] };
  const named = runs?.every((run): run is { path: string } => typeof run.path === "string") ? runs : null;
  const names = endsOf(named?.map(({ path }) => path) ?? []);
  return {
    ...result,
    input: shortened(result.input),
    ...(named && {
      runs: named.map((run, i) => ({
        ...run,
        path: isAbsolute(run.path) ? shortTo(names[i], run.path) : run.path,
      })),
    }),
  };
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
  return isAbsolute(path) ? shortTo(endOf(path), path) : path;
}

function shortTo(end: string, path: string): string {
  return end === path ? path : elided + end;
}

function isAbsolute(path: string): boolean {
  return /^([\\/]|[A-Za-z]:[\\/])/.test(path);
}

/** The last two names of a path. */
export function endOf(path: string): string {
  return path
    .split(/[\\/]+/)
    .filter((name) => name !== "")
    .slice(-2)
    .join("/");
}

/** The ends of paths that distinguish them, at least two names each; a whole path only where nothing less does. */
export function endsOf(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/[\\/]/).filter((part) => part !== ""));
  const end = (ofPath: readonly string[], length: number) => ofPath.slice(-length).join("/");
  return paths.map((path, i) => {
    let length = 2;
    const isShared = () => parts.some((other, j) => j !== i && end(other, length) === end(parts[i], length));
    while (length < parts[i].length && isShared()) length += 1;
    return length < parts[i].length ? end(parts[i], length) : path;
  });
}
