import { sharedClasses } from "../../lens/classify.js";
import { heatSteps, type Palette, palettes, type Theme } from "./palette.js";

/** The names of a palette's colours, and how to read them. */
const colours: readonly (readonly [string, (palette: Palette) => string])[] = [
  ...(["surface", "panel", "ink", "muted", "line", "grid", "accent"] as const).map(
    (name) => [name, (palette: Palette) => palette[name]] as const,
  ),
  ...sharedClasses.flatMap((name) =>
    (["fill", "on", "text"] as const).map(
      (part) => [`${name}-${part}`, (palette: Palette) => palette.classes[name][part]] as const,
    ),
  ),
  ...palettes.light.series.map((_, i) => [`series-${i}`, ({ series }: Palette) => series[i]] as const),
  ...Array.from({ length: heatSteps }, (_, i) => [
    [`heat-${i}`, ({ heat }: Palette) => heat[i]] as const,
    [`on-heat-${i}`, ({ onHeat }: Palette) => onHeat[i]] as const,
  ]).flat(),
];

/** A theme as declarations of CSS: `--ink: #1b222c; ...` */
export function themeDeclarations(theme: Theme): string {
  return colours.map(([name, colourOf]) => `--${name}:${colourOf(palettes[theme])}`).join(";");
}

const variable = (name: string) => `var(--${name})`;

/** The palette of pictures inside a page: variables of its style sheet, so that they follow its theme. */
export const pageInks: Palette = {
  surface: variable("surface"),
  panel: variable("panel"),
  ink: variable("ink"),
  muted: variable("muted"),
  line: variable("line"),
  grid: variable("grid"),
  accent: variable("accent"),
  classes: Object.fromEntries(
    sharedClasses.map((name) => [
      name,
      { fill: variable(`${name}-fill`), on: variable(`${name}-on`), text: variable(`${name}-text`) },
    ]),
  ) as Palette["classes"],
  series: palettes.light.series.map((_, i) => variable(`series-${i}`)),
  heat: Array.from({ length: heatSteps }, (_, i) => variable(`heat-${i}`)),
  onHeat: Array.from({ length: heatSteps }, (_, i) => variable(`on-heat-${i}`)),
};
