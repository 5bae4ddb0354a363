import type { SharedClass } from "../../lens/classify.js";

/**
 * The colours of all pictures, in report and page. A class has one colour everywhere: blue is an update that survives
 * (`moved` visibly, `kept` in the carrier), orange one that is lost, grey one that was really zero, violet a number
 * changed by a shared scale.
 * Blue and orange are distinguishable with colour blindness; `moved` and `kept` also differ in lightness. In both
 * themes `moved` has the highest contrast to the background. `nonfinite` is near black or near white, because with some
 * kind of colour blindness any remaining hue looks like one of the others. Contrasts are tested: 3 for fills, 4.5 for
 * text (WCAG AA).
 */
export interface Palette {
  /** The background, the background of boxes, and text on either. */
  readonly surface: string;
  readonly panel: string;
  readonly ink: string;
  readonly muted: string;
  /** Rules and axes; lighter lines behind the data. */
  readonly line: string;
  readonly grid: string;
  /** Links, focus, selection. */
  readonly accent: string;
  readonly classes: Readonly<Record<SharedClass, ClassInk>>;
  /** The colours of cases' lines, in order; none is the colour of a class. */
  readonly series: readonly string[];
  /** Shades for ascending shares, `heatSteps` steps, and text on each. */
  readonly heat: readonly string[];
  readonly onHeat: readonly string[];
}

/** The colours of a class for areas, for text on these, and for text on the background. */
export interface ClassInk {
  readonly fill: string;
  readonly on: string;
  readonly text: string;
}

export type Theme = "light" | "dark";

/** The classes in stacking order: surviving, lost, zero. */
export const stackedClasses = [
  "moved",
  "collateral",
  "kept",
  "lost",
  "none",
  "nonfinite",
] as const satisfies SharedClass[];

export const heatSteps = 9;

const white = "#ffffff";
const night = "#05080c";

const light: Palette = {
  surface: white,
  panel: "#f5f6f8",
  ink: "#1b222c",
  muted: "#545c68",
  line: "#848c98",
  grid: "#dfe3e8",
  accent: "#0c4a83",
  classes: {
    none: { fill: "#858c96", on: night, text: "#5b626c" },
    lost: { fill: "#c94a0b", on: white, text: "#b3420a" },
    kept: { fill: "#3b93d3", on: night, text: "#1a6aa8" },
    moved: { fill: "#0c4a83", on: white, text: "#0c4a83" },
    nonfinite: { fill: "#350a30", on: white, text: "#350a30" },
    collateral: { fill: "#872dd2", on: white, text: "#872dd2" },
  },
  series: ["#1b222c", "#00796b", "#b5206b", "#8a6a00", "#4b4fc4", "#8a5233"],
  heat: ["#f0f7f1", "#dcece0", "#c2ded0", "#a0ccbb", "#7ab6a4", "#549d8c", "#2c7567", "#1b6058", "#0c403d"],
  onHeat: [night, night, night, night, night, night, white, white, white],
};

const dark: Palette = {
  surface: "#11151b",
  panel: "#1a2029",
  ink: "#e8edf3",
  muted: "#a3adba",
  line: "#6f7a88",
  grid: "#2a323d",
  accent: "#9fd3ff",
  classes: {
    none: { fill: "#747a82", on: night, text: "#a3acb8" },
    lost: { fill: "#f08a45", on: night, text: "#f59a5c" },
    kept: { fill: "#4386c6", on: night, text: "#6fb0ea" },
    moved: { fill: "#9fd3ff", on: night, text: "#9fd3ff" },
    nonfinite: { fill: "#f6e58c", on: night, text: "#f6e58c" },
    collateral: { fill: "#b496ff", on: night, text: "#b496ff" },
  },
  series: ["#f0f4f8", "#4fd1bd", "#ff86bd", "#e3c14e", "#a9a8ff", "#d3a587"],
  heat: ["#17211f", "#1d302d", "#23423d", "#2a574f", "#31695e", "#4f9886", "#6bb09d", "#8cc6b3", "#c0e5d6"],
  onHeat: [white, white, white, white, white, night, night, night, night],
};

export const palettes: Readonly<Record<Theme, Palette>> = { light, dark };
