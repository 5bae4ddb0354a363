import type { Palette } from "../../report/charts/palette.js";
import { type PictureInks, pixelOf } from "./paint.js";

/** The palette's colours as a picture's: blue and gold, the pair that all the colour-blind tell apart. */
export function pictureInks({ grid, classes, series }: Palette): PictureInks {
  return {
    ground: pixelOf(grid),
    larger: pixelOf(classes.moved.fill),
    smaller: pixelOf(series[3]),
    nonfinite: pixelOf(classes.nonfinite.fill),
  };
}
