import { type SceneName, sceneNames, scenes } from "./scenes.js";

/**
 * The speaker's window: what to say, what comes next, and the time since it was opened. It has no address and loads
 * nothing; it forwards keys to the talk.
 */
export class SpeakerWindow {
  #window: Window | null = null;
  #opened = 0;
  #clock: ReturnType<typeof setInterval> | undefined;

  /** Opens it, or brings it to the front. @returns false if the browser blocks windows. */
  open(scene: number, onKey: (event: KeyboardEvent) => void): boolean {
    if (!this.#window || this.#window.closed) {
      this.#window = window.open("", "precision-lens-notes", "popup,width=720,height=560");
      if (!this.#window) return false;
      this.#opened = Date.now();
      this.#window.document.title = "Notes: precision-lens";
      this.#window.addEventListener("keydown", onKey);
      clearInterval(this.#clock);
      this.#clock = setInterval(() => this.#tick(), 1000);
    }
    this.#window.focus();
    this.show(scene);
    return true;
  }

  /** @param scene counted from 1. */
  show(scene: number): void {
    const document = this.#window?.closed === false ? this.#window.document : null;
    if (!document) return;
    const { title, notes } = scenes[sceneNames[scene - 1]];
    const next = scene < sceneNames.length ? scenes[sceneNames[scene] as SceneName].title : "The end.";
    const element = (name: string, style: string, text: string) => {
      const made = document.createElement(name);
      made.setAttribute("style", style);
      made.textContent = text;
      return made;
    };
    const list = element("ul", "font-size:1.4rem;line-height:1.45;padding-left:1.2em", "");
    list.append(...notes.map((note) => element("li", "margin:.5rem 0", note)));
    const clock = element("p", "font-variant-numeric:tabular-nums;font-size:1.6rem;margin:0", "");
    clock.id = "clock";
    document.body.setAttribute(
      "style",
      "margin:1.5rem;font-family:system-ui,sans-serif;background:#fff;color:#111",
    );
    document.body.replaceChildren(
      clock,
      element("h1", "font-size:1.5rem;margin:.8rem 0", `${scene} / ${sceneNames.length}  ${title}`),
      list,
      element("p", "color:#555;font-size:1.1rem;margin-top:1.5rem", `Next: ${next}`),
    );
    this.#tick();
  }

  close(): void {
    clearInterval(this.#clock);
    this.#window?.close();
    this.#window = null;
  }

  #tick(): void {
    const clock = this.#window?.closed === false ? this.#window.document.getElementById("clock") : null;
    if (!clock) {
      clearInterval(this.#clock);
      return;
    }
    const seconds = Math.floor((Date.now() - this.#opened) / 1000);
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}
