import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Misread } from "../controls/misread.js";
import { readState, writeState } from "../location.js";
import { go, type Visit } from "../place.js";
import { pictureInks } from "../tensor/inks.js";
import { Player } from "../tensor/player.js";
import { palette } from "../theme.js";
import { KeptScene, LostScene, PairScene } from "./live-scenes.js";
import { lastStep, type SceneName, sceneNames, scenes, talkRuns } from "./scenes.js";
import { talkFields } from "./state.js";
import { GapScene, PushScene, YoursScene } from "./still-scenes.js";

/** The story for an audience: arrow keys, large type, every scene computed as it is shown. */
export function TalkView({ visit }: { visit: Visit }) {
  const state = useSignal(readState(talkFields, visit.parameters));
  const root = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const player = useMemo(() => {
    const made = new Player(
      () => pictureInks(palette.peek()),
      () => "start",
    );
    made.until = lastStep;
    return made;
  }, []);
  const name = sceneNames[state.value.scene - 1];
  const { title: heading, text, run } = scenes[name];

  const goTo = (scene: number) => {
    if (scene < 1 || scene > sceneNames.length) return;
    state.value = { scene, step: 0 };
  };
  const leave = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    go({ view: "tensor", parameters: new Map() });
  };
  const toggle = () => (player.playing.peek() ? player.pause() : player.play());
  const fullScreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void root.current?.requestFullscreen?.();
  };

  // A scene whose run goes on already joins it.
  useEffect(() => {
    if (!run) return player.pause();
    const { step } = state.peek();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!player.frame.peek() || shownRun.current !== run) {
      shownRun.current = run;
      player.frame.value = null;
      void player.open(talkRuns[run], {
        play: step === 0 && !calm,
        goTo: step === 0 && calm ? lastStep : step,
      });
    } else if (step === 0) player.play();
  }, [run, name]);
  const shownRun = useRef<"pair" | "many" | null>(null);

  useEffect(() => title.current?.focus(), [name]);
  useEffect(() => {
    const stop = effect(() => {
      const { scene } = state.value;
      const shown = player.frame.value?.step ?? 0;
      const paused = scenes[sceneNames[scene - 1]].run !== null && !player.playing.value && shown > 0;
      const step = paused ? shown : state.value.step;
      visit.note(writeState(talkFields, { scene, step: step === lastStep ? 0 : step }));
    });
    const repaint = effect(() => {
      if (palette.value) player.repaint();
    });
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const { scene } = state.peek();
      const onControl =
        event.target instanceof Element && event.target.closest("[role=slider], input, select");
      const onButton = event.target instanceof Element && event.target.closest("button");
      if (onControl && event.key.startsWith("Arrow")) return;
      if (onButton && event.key === " ") return;
      const actions: Record<string, () => void> = {
        ArrowRight: () => goTo(scene + 1),
        PageDown: () => goTo(scene + 1),
        " ": () => goTo(scene + 1),
        ArrowLeft: () => goTo(scene - 1),
        PageUp: () => goTo(scene - 1),
        Home: () => goTo(1),
        End: () => goTo(sceneNames.length),
        f: fullScreen,
        p: toggle,
        Escape: leave,
      };
      // A letter is the same with Shift or Caps Lock.
      const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("keydown", onKey);
      stop();
      repaint();
      player.close();
    };
  }, []);

  const { scene } = state.value;
  return (
    <main class={`talk ${name}`} ref={root}>
      <h1 ref={title} tabIndex={-1}>
        {heading}
      </h1>
      <div class="scene">
        <SceneBody name={name} player={player} />
      </div>
      <p class="text">{text}</p>
      <Misread visit={visit} fields={talkFields} />
      {player.error.value && <p role="alert">{player.error.value}</p>}
      <nav class="talk-bar" aria-label="Scenes">
        <button
          type="button"
          onClick={() => goTo(scene - 1)}
          disabled={scene === 1}
          aria-label="Previous scene"
        >
          ←
        </button>
        <ol>
          {sceneNames.map((of, i) => (
            <li key={of}>
              <button
                type="button"
                aria-label={`Scene ${i + 1}: ${scenes[of].title}`}
                aria-current={i + 1 === scene ? "step" : undefined}
                onClick={() => goTo(i + 1)}
              />
            </li>
          ))}
        </ol>
        <button
          type="button"
          onClick={() => goTo(scene + 1)}
          disabled={scene === sceneNames.length}
          aria-label="Next scene"
        >
          →
        </button>
        <span class="spacer" />
        {run && (
          <button type="button" class="quiet" onClick={toggle}>
            {player.playing.value ? "Pause" : "Play"}
          </button>
        )}
        <button type="button" class="quiet" onClick={fullScreen}>
          Full screen
        </button>
        <button type="button" class="quiet" onClick={leave}>
          Leave
        </button>
      </nav>
    </main>
  );
}

function SceneBody({ name, player }: { name: SceneName; player: Player }) {
  switch (name) {
    case "apparent":
      return <PairScene player={player} truth={false} />;
    case "truth":
      return <PairScene player={player} truth={true} />;
    case "gap":
      return <GapScene />;
    case "push":
      return <PushScene />;
    case "lost":
      return <LostScene player={player} />;
    case "kept":
      return <KeptScene player={player} />;
    case "yours":
      return <YoursScene />;
  }
}
