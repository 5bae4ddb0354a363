/** Of a chart on the screen of an audience: as much as a scene has room for, where that is more than it needs. */
export function audienceHeight(least: number, share: number): number {
  return Math.max(least, Math.round(share * innerHeight));
}
