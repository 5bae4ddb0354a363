import { accessSync, constants, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { type Figure, slideOf } from "../report/charts/figure.js";
import type { Theme } from "../report/charts/palette.js";
import { InputError } from "../source/input-error.js";
import { statIfThere, systemError } from "../source/system-error.js";
import { fontFiles } from "./html-assets.js";
import { writeWhole } from "./write-output.js";

/**
 * Rejects a folder that cannot be written to, before work is lost.
 *
 * @throws InputError if the path is not a folder, if neither it nor its parent exists, or if the existing one is not
 *   writable.
 */
export function expectFolder(path: string): void {
  const there = statIfThere(path);
  if (there && !there.isDirectory()) throw new InputError(path, "a folder", "a file");
  const parent = dirname(resolve(path));
  if (!there && !statIfThere(parent)?.isDirectory()) {
    throw new InputError(path, `the folder ${parent} to exist`, "no such folder");
  }
  try {
    accessSync(there ? path : parent, constants.W_OK);
  } catch {
    throw new InputError(path, "a folder that is writable", "one that is not");
  }
}

/** Creates a folder that {@link expectFolder} accepts, unless it is there. @throws InputError if that fails. */
export function makeFolder(path: string): void {
  if (statIfThere(path)) return;
  try {
    // Not `recursive`: where the file system takes no folders, as in /proc, Node 20 would try for ever.
    mkdirSync(path);
  } catch (error) {
    throw systemError(path, "a folder that can be created", error, "write");
  }
}

/** Writes each figure as a slide into a folder, created if needed; writes none if one cannot be drawn. */
export function writeFigures(
  folder: string,
  kind: "svg" | "png",
  figures: readonly Figure[],
  theme: Theme,
  source: string,
): void {
  const toPng = kind === "png" ? pngRenderer() : null;
  const files = figures.map((figure) => {
    const svg = slideOf(figure, theme, source);
    return { name: `${figure.name}.${kind}`, content: toPng === null ? svg : toPng(svg) };
  });
  makeFolder(folder);
  for (const { name, content } of files) writeWhole(join(folder, name), content);
}

/** Loaded only for PNG: it is a native module of several megabytes. */
function pngRenderer(): (svg: string) => Uint8Array {
  const { Resvg } = createRequire(import.meta.url)("@resvg/resvg-js") as typeof import("@resvg/resvg-js");
  // Only the bundled font, so that a slide is the same on every machine.
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: "Inter" };
  return (svg) => new Resvg(svg, { font }).render().asPng();
}
