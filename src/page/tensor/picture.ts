/**
 * The objective of the simulated run: a picture whose bright parts make weights larger and whose dark parts make them
 * smaller. Computed with + - * / and sqrt only, so that it is the same on all machines.
 */

/** +1 inside the picture, a magnifying lens, and -1 outside; row by row, `side` x `side`. */
export function lensPicture(side: number): Int8Array {
  const picture = new Int8Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = (column + 0.5) / side;
      const y = (row + 0.5) / side;
      picture[row * side + column] = isInside(x, y) ? 1 : -1;
    }
  }
  return picture;
}

const centre = { x: 0.43, y: 0.42 };
const rim = { inner: 0.25, outer: 0.315 };

function isInside(x: number, y: number): boolean {
  const [dx, dy] = [x - centre.x, y - centre.y];
  const distance = Math.sqrt(dx * dx + dy * dy);
  if (distance < rim.outer) return distance > rim.inner || isGlint(dx, dy, distance);
  // The handle, along the diagonal to the lower right.
  const along = (dx + dy) / Math.SQRT2;
  const across = Math.abs(dx - dy) / Math.SQRT2;
  return along > rim.outer && along < 0.66 && across < 0.052;
}

/** The reflection on the glass: a quarter of a ring at the upper left. */
function isGlint(dx: number, dy: number, distance: number): boolean {
  return dx < -0.02 && dy < -0.02 && distance > 0.15 && distance < 0.19;
}
