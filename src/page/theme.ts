import { computed, effect, signal } from "@preact/signals";
import { sharedClasses } from "../lens/classify.js";
import { type Palette, palettes, type Theme } from "../report/charts/palette.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const key = "precision-lens-theme";

/** Some pages opened from disk have no storage. */
function remembered(): Theme | null {
  try {
    const theme = localStorage.getItem(key);
    return theme === "light" || theme === "dark" ? theme : null;
  } catch {
    return null;
  }
}

const ofSystem = signal<Theme>(dark.matches ? "dark" : "light");
const chosen = signal<Theme | null>(remembered());
dark.addEventListener("change", () => {
  ofSystem.value = dark.matches ? "dark" : "light";
});

export const theme = computed<Theme>(() => chosen.value ?? ofSystem.value);
export const palette = computed<Palette>(() => palettes[theme.value]);

export function toggleTheme(): void {
  const next = theme.value === "dark" ? "light" : "dark";
  chosen.value = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // Then it lasts until the page is left.
  }
}

/** Sets the style sheet's colours to those of the palette. */
export function applyTheme(): void {
  effect(() => {
    const { style } = document.documentElement;
    const { surface, panel, ink, muted, line, grid, accent, series, classes: inks } = palette.value;
    const colours = { surface, panel, ink, muted, line, grid, accent };
    for (const [name, colour] of Object.entries(colours)) style.setProperty(`--${name}`, colour);
    for (const [i, colour] of series.entries()) style.setProperty(`--series-${i}`, colour);
    for (const className of sharedClasses) {
      style.setProperty(`--${className}`, inks[className].fill);
      style.setProperty(`--on-${className}`, inks[className].on);
      style.setProperty(`--${className}-text`, inks[className].text);
    }
    style.colorScheme = theme.value;
    document.documentElement.dataset.theme = theme.value;
  });
}
