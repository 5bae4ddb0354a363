import type { Palette } from "../../report/charts/palette.js";
import { type PictureInks, pixelOf } from "./paint.js";

/** The palette's colours for a picture: blue and gold, distinguishable with any colour blindness. */
export function pictureInks({ grid, classes, series }: Palette): PictureInks {
  return {
    ground: pixelOf(grid),
    larger: pixelOf(classes.moved.fill),
    smaller: pixelOf(series[3]),
    nonfinite: pixelOf(classes.nonfinite.fill),
  };
}
