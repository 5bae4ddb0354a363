/** The actions of the talk's keys. */
export interface TalkActions {
  to(scene: number): void;
  by(scenes: number): void;
  /** The number of the last scene. */
  readonly last: number;
  fullScreen(): void;
  toggle(): void;
  notes(): void;
  blank(): void;
  leave(): void;
}

/** The action of a key, or undefined if it belongs to the browser or to the focused control. */
export function keyAction(event: KeyboardEvent, talk: TalkActions): (() => void) | undefined {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const target = event.target as Partial<Element> | null;
  const onControl = target?.closest?.("[role=slider], input, select");
  const onButton = target?.closest?.("button");
  if (onControl && event.key.startsWith("Arrow")) return;
  if (onButton && event.key === " ") return;
  if (/^[1-9]$/.test(event.key)) {
    const scene = Number(event.key);
    return scene <= talk.last ? () => talk.to(scene) : undefined;
  }
  const actions: Readonly<Record<string, () => void>> = {
    ArrowRight: () => talk.by(1),
    PageDown: () => talk.by(1),
    " ": () => talk.by(1),
    ArrowLeft: () => talk.by(-1),
    PageUp: () => talk.by(-1),
    Home: () => talk.to(1),
    End: () => talk.to(talk.last),
    f: talk.fullScreen,
    p: talk.toggle,
    n: talk.notes,
    b: talk.blank,
    // Sent by presenter remotes for a black screen.
    ".": talk.blank,
    Escape: talk.leave,
  };
  // Shift and Caps Lock do not matter for letters.
  return actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}
