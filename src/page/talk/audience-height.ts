/** The height of a chart for an audience: all the space of a scene, but at least `least`. */
export function audienceHeight(least: number, share: number): number {
  return Math.max(least, Math.round(share * innerHeight));
}
