/**
 * The script of a report's page: theme, hints at scrolling, choice of case, table of tensors. `esbuild.config.ts`
 * bundles it into one text, which a page embeds and allows by its hash. It runs in a browser, whose types the other
 * sources do not see: it is type-checked with `src/page`.
 */
import type { TensorData } from "../../tensor-data.js";
import { element } from "./element.js";
import { showTensors } from "./tensors.js";

chooseTheme();
hintAtScrolling();
const data: TensorData | null = JSON.parse(element("data").textContent);
const tensors = data && showTensors(data);
chooseCases(tensors);

function chooseTheme(): void {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const button = element("theme");
  const name = () => {
    button.textContent = isDark() ? "Light" : "Dark";
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
  });
  system.addEventListener("change", name);
  name();
}

/** Phones hide scroll bars, so regions wider than the screen get a hint. */
function hintAtScrolling(): void {
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      (target.nextElementSibling as HTMLElement).hidden = target.scrollWidth <= target.clientWidth + 1;
    }
  });
  for (const place of document.querySelectorAll(".scroll, .picture, .tensors")) {
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.textContent = "Scroll sideways for more →";
    hint.hidden = true;
    place.after(hint);
    widths.observe(place);
  }
}

/** Each chooser selects the case for the whole page; with one case there are no choosers. */
function chooseCases(shown: ReturnType<typeof showTensors> | null): void {
  const choosers = [...document.querySelectorAll<HTMLSelectElement>(".case")];
  for (const chooser of choosers) {
    chooser.parentElement!.parentElement!.hidden = chooser.options.length < 2;
    chooser.addEventListener("change", () => {
      for (const other of choosers) other.value = chooser.value;
      for (const part of document.querySelectorAll<HTMLElement>("[data-case]")) {
        part.hidden = part.dataset.case !== chooser.value;
      }
      shown?.choose(Number(chooser.value));
    });
  }
}
